//! A timeout around a service.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::deadline::{Deadline, Limited};
use crate::{CallError, Timeout};

/// Puts a [`Timeout`] around a service: all of its services follow it.
#[derive(Clone, Debug)]
pub struct TimeoutLayer {
    timeout: Timeout,
}

/// A service whose responses have to come in time. The wait until it is ready is no part of that.
#[derive(Clone, Debug)]
pub struct TimeoutService<S> {
    inner: S,
    timeout: Timeout,
}

impl TimeoutLayer {
    /// Puts this timeout around services.
    #[must_use]
    pub const fn new(timeout: Timeout) -> Self {
        Self { timeout }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = TimeoutService<S>;

    fn layer(&self, inner: S) -> TimeoutService<S> {
        TimeoutService { inner, timeout: self.timeout.clone() }
    }
}

impl<S: Service<Q>, Q> Service<Q> for TimeoutService<S> {
    type Response = S::Response;
    type Error = CallError<S::Error>;
    type Future = TimeoutFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(CallError::Inner)
    }

    #[inline]
    fn call(&mut self, request: Q) -> Self::Future {
        let deadline = self.timeout.deadline();
        TimeoutFuture { limited: Limited::new(self.inner.call(request), deadline, None) }
    }
}

pin_project! {
    /// The response of a [`TimeoutService`], if it comes in time.
    ///
    /// # Cancel safety
    /// What is lost is what dropping the inner service's response loses.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct TimeoutFuture<F> {
        #[pin]
        limited: Limited<Deadline, F>,
    }
}

impl<F, R, E> Future for TimeoutFuture<F>
where
    F: Future<Output = Result<R, E>>,
{
    type Output = Result<R, CallError<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        match ready!(this.limited.as_mut().poll(context)) {
            Ok(ended) => Poll::Ready(ended.map_err(CallError::Inner)),
            Err(scope) => {
                let after = this.limited.deadline().timeout();
                Poll::Ready(Err(CallError::TimedOut { after, scope }))
            }
        }
    }
}

impl<F> fmt::Debug for TimeoutFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeoutFuture").field("deadline", self.limited.deadline()).finish_non_exhaustive()
    }
}
