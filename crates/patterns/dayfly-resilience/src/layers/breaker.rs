//! A breaker in front of a service.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use dayfly_circuit_breaker::{CircuitBreaker, OwnedPermit};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::judge::{Judge, OnErrors};
use super::opening::Opening;
use crate::CallError;
use crate::running::{Guard, Running};

/// Puts a [`CircuitBreaker`] in front of a service: all of its services go by it.
#[derive(Clone, Debug)]
pub struct BreakerLayer<J = OnErrors> {
    breaker: CircuitBreaker,
    judge: J,
}

/// A service with a breaker in front of it.
///
/// The breaker is asked before the inner service is: while it is open, the service is ready at once, and `call` answers with
/// [`CallError::Open`]; what hangs behind it is not even polled. A service that waits for the inner one is woken when the
/// breaker opens meanwhile. Being ready reserves nothing: a probe is taken with `call`, and refused there when others have
/// them all; the inner service then stays ready for the next call.
///
/// A response future that is dropped says nothing about the service, and gives its probe back.
pub struct BreakerService<S, J = OnErrors> {
    inner: S,
    breaker: CircuitBreaker,
    judge: J,
    /// Why the next call is refused, as `poll_ready` has found.
    refused: Option<Duration>,
    opening: Opening,
}

impl BreakerLayer {
    /// A breaker that takes every error for a failure.
    #[must_use]
    pub const fn new(breaker: CircuitBreaker) -> Self {
        Self { breaker, judge: OnErrors }
    }
}

impl<J> BreakerLayer<J> {
    /// A breaker with another opinion of what is a failure: a closure that takes the service's result and returns a
    /// [`Judgement`](dayfly_circuit_breaker::Judgement), for example.
    #[must_use]
    pub const fn judged(breaker: CircuitBreaker, judge: J) -> Self {
        Self { breaker, judge }
    }
}

impl<S, J: Clone> Layer<S> for BreakerLayer<J> {
    type Service = BreakerService<S, J>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService::new(inner, self.breaker.clone(), self.judge.clone())
    }
}

impl<S, J> BreakerService<S, J> {
    fn new(inner: S, breaker: CircuitBreaker, judge: J) -> Self {
        Self { inner, breaker, judge, refused: None, opening: Opening::default() }
    }
}

impl<S, Q, J> Service<Q> for BreakerService<S, J>
where
    S: Service<Q>,
    J: Judge<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = CallError<S::Error>;
    type Future = BreakerFuture<S::Future, J>;

    #[inline]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.refused = None;
        match ready!(self.opening.poll_ready(&self.breaker, &mut self.inner, context)) {
            Ok(ready) => Poll::Ready(ready.map_err(CallError::Inner)),
            Err(open) => {
                self.refused = Some(open.retry_after);
                Poll::Ready(Ok(()))
            }
        }
    }

    #[inline]
    fn call(&mut self, request: Q) -> Self::Future {
        let asked = self.breaker.try_acquire_owned();
        let state = match (self.refused.take(), asked) {
            (None, Ok(permit)) => {
                let running = Running::new(self.inner.call(request), Guard::outside(permit));
                State::Called { running, judge: self.judge.clone() }
            }
            (_, Err(open)) => State::Refused { retry_after: open.retry_after },
            // The inner service has not been made ready; the probe goes back.
            (Some(retry_after), Ok(_)) => State::Refused { retry_after },
        };
        BreakerFuture { state }
    }
}

impl<S: Clone, J: Clone> Clone for BreakerService<S, J> {
    /// A clone has a readiness of its own.
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.breaker.clone(), self.judge.clone())
    }
}

impl<S: fmt::Debug, J> fmt::Debug for BreakerService<S, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerService")
            .field("inner", &self.inner)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The response of a [`BreakerService`], or the breaker's refusal.
    ///
    /// # Cancel safety
    /// Dropped, it says nothing about the service and gives its probe back. What else is lost is what dropping the inner
    /// service's response loses.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct BreakerFuture<F, J = OnErrors> {
        #[pin]
        state: State<F, J>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, J> {
        Called { #[pin] running: Running<F, OwnedPermit, Guard<OwnedPermit>>, judge: J },
        Refused { retry_after: Duration },
    }
}

impl<F, R, E, J> Future for BreakerFuture<F, J>
where
    F: Future<Output = Result<R, E>>,
    J: Judge<R, E>,
{
    type Output = Result<R, CallError<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Called { mut running, judge } => {
                let ended = ready!(running.as_mut().poll(context));
                running.end(judge.judge(&ended).judgement(ended.is_err()));
                Poll::Ready(ended.map_err(CallError::Inner))
            }
            StateProjection::Refused { retry_after } => {
                Poll::Ready(Err(CallError::Open { retry_after: *retry_after }))
            }
        }
    }
}

impl<F, J> fmt::Debug for BreakerFuture<F, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerFuture")
            .field("is_refused", &matches!(self.state, State::Refused { .. }))
            .finish_non_exhaustive()
    }
}
