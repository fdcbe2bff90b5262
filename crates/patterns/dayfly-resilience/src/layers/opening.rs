//! Waiting for an inner service behind a breaker.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dayfly_circuit_breaker::{CircuitBreaker, Open};
use tower_service::Service;

/// Ends when the breaker opens, while the inner service is waited for.
#[derive(Default)]
pub(super) struct Opening(Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>);

impl Opening {
    /// Asks the breaker first, and the inner service only if it has nothing against it. Whoever has to wait is woken by
    /// either of them. Nothing is reserved.
    #[inline]
    pub(super) fn poll_ready<S: Service<Q>, Q>(
        &mut self,
        breaker: &CircuitBreaker,
        inner: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<Result<Result<(), S::Error>, Open>> {
        loop {
            if let Err(open) = breaker.check() {
                self.0 = None;
                return Poll::Ready(Err(open));
            }
            if let Poll::Ready(ready) = inner.poll_ready(context) {
                self.0 = None;
                return Poll::Ready(Ok(ready));
            }
            match &mut self.0 {
                // From here on changes are seen; one that came before shows when the breaker is asked again.
                None => self.0 = Some(opens(breaker)),
                Some(opening) => {
                    ready!(opening.as_mut().poll(context));
                    self.0 = None;
                }
            }
        }
    }
}

fn opens(breaker: &CircuitBreaker) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
    let mut states = breaker.watch();
    states.mark_unchanged();
    Box::pin(async move {
        // The breaker is at hand as long as somebody waits here, so there is no other end.
        while states.changed().await.is_ok() {
            if states.borrow_and_update().is_open() {
                return;
            }
        }
    })
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("is_waiting", &self.0.is_some()).finish()
    }
}
