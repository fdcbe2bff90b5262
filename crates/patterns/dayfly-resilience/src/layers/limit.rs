//! A limit in front of a service.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use dayfly_limit::{AcquireError, Limiter, Permit, TryAcquireError};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::hold::{Hold, UntilResponse};
use crate::CallError;

/// Puts a [`Limiter`] in front of a service: all of its services share it.
pub struct LimitLayer<H = UntilResponse> {
    limiter: Limiter,
    hold: PhantomData<fn() -> H>,
}

/// A service with a limit in front of it.
///
/// It is ready when it has a permit and the inner service is ready, too; `call` hands the permit to the response. A
/// clone has no permit and waits for one of its own. A service that is ready and never called keeps its permit until it
/// is dropped: call what you have made ready, or drop it.
///
/// Whoever wants to refuse instead of waiting, puts tower's `LoadShed` in front of it.
pub struct LimitService<S, H = UntilResponse> {
    inner: S,
    limiter: Limiter,
    permit: Option<Permit>,
    /// In line for a permit.
    waiting: Option<Waiting>,
    hold: PhantomData<fn() -> H>,
}

type Waiting = Pin<Box<dyn Future<Output = Result<Permit, AcquireError>> + Send + Sync>>;

impl LimitLayer {
    /// A limit that a call counts in until it has its response.
    #[must_use]
    pub const fn new(limiter: Limiter) -> Self {
        Self { limiter, hold: PhantomData }
    }

    /// A call counts in the limit until the body of its response ends or is dropped.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn hold_until_body_ends(self) -> LimitLayer<super::UntilBodyEnds> {
        LimitLayer { limiter: self.limiter, hold: PhantomData }
    }
}

impl<S, H> Layer<S> for LimitLayer<H> {
    type Service = LimitService<S, H>;

    fn layer(&self, inner: S) -> Self::Service {
        LimitService::new(inner, self.limiter.clone())
    }
}

impl<S, H> LimitService<S, H> {
    const fn new(inner: S, limiter: Limiter) -> Self {
        Self { inner, limiter, permit: None, waiting: None, hold: PhantomData }
    }

    fn poll_permit(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit, ()>> {
        if self.waiting.is_none() {
            match self.limiter.try_acquire() {
                Ok(permit) => return Poll::Ready(Ok(permit)),
                Err(TryAcquireError::Full) => {}
                Err(_) => return Poll::Ready(Err(())),
            }
        }
        let waiting = self.waiting.get_or_insert_with(|| {
            let limiter = self.limiter.clone();
            Box::pin(async move { limiter.acquire().await })
        });
        let ended = ready!(waiting.as_mut().poll(context));
        self.waiting = None;
        Poll::Ready(ended.map_err(|_| ()))
    }
}

impl<S, Q, H> Service<Q> for LimitService<S, H>
where
    S: Service<Q>,
    H: Hold<S::Response>,
{
    type Response = H::Response;
    type Error = CallError<S::Error>;
    type Future = LimitFuture<S::Future, H>;

    #[inline]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.permit.is_none() {
            match ready!(self.poll_permit(context)) {
                Ok(permit) => self.permit = Some(permit),
                // A limiter that is closed stays so.
                Err(()) => return Poll::Ready(Err(CallError::Refused { after: Duration::ZERO })),
            }
        }
        let ready = ready!(self.inner.poll_ready(context));
        if ready.is_err() {
            // It is of no use any more, and whoever keeps it keeps nobody else's place.
            self.permit = None;
        }
        Poll::Ready(ready.map_err(CallError::Inner))
    }

    #[inline]
    fn call(&mut self, request: Q) -> Self::Future {
        let state = match self.permit.take() {
            Some(permit) => State::Called { response: self.inner.call(request), permit: Some(permit) },
            // Whoever calls what is not ready is refused, and nothing is run.
            None => State::Refused,
        };
        LimitFuture { state, hold: PhantomData }
    }
}

impl<S: Clone, H> Clone for LimitService<S, H> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.limiter.clone())
    }
}

impl<H> Clone for LimitLayer<H> {
    fn clone(&self) -> Self {
        Self { limiter: self.limiter.clone(), hold: PhantomData }
    }
}

impl<H> fmt::Debug for LimitLayer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitLayer").field("limiter", &self.limiter).finish()
    }
}

impl<S: fmt::Debug, H> fmt::Debug for LimitService<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitService")
            .field("inner", &self.inner)
            .field("limiter", &self.limiter)
            .field("permit", &self.permit)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The response of a [`LimitService`].
    ///
    /// # Cancel safety
    /// Dropped, it gives its permit back. What else is lost is what dropping the inner service's response loses.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct LimitFuture<F, H = UntilResponse> {
        #[pin]
        state: State<F>,
        hold: PhantomData<fn() -> H>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        // In this order, for what is called is dropped before its permit comes back.
        Called { #[pin] response: F, permit: Option<Permit> },
        Refused,
    }
}

impl<F, R, E, H> Future for LimitFuture<F, H>
where
    F: Future<Output = Result<R, E>>,
    H: Hold<R>,
{
    type Output = Result<H::Response, CallError<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Called { response, permit } => {
                let ended = ready!(response.poll(context));
                let permit = permit.take();
                Poll::Ready(match ended {
                    Ok(response) => Ok(H::hold(response, permit)),
                    Err(error) => Err(CallError::Inner(error)),
                })
            }
            StateProjection::Refused => Poll::Ready(Err(CallError::Refused { after: Duration::ZERO })),
        }
    }
}

impl<F, H> fmt::Debug for LimitFuture<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitFuture")
            .field("is_refused", &matches!(self.state, State::Refused))
            .finish_non_exhaustive()
    }
}
