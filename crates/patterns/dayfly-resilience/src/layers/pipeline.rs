//! All policies around a service.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll, ready};

use tower_layer::Layer;
use tower_service::Service;

use super::hold::{Hold, UntilResponse};
use super::judge::Judge;
use super::opening::Opening;
use super::repeat::{Cloned, Repeat};
use super::requests::{Reply, Requests};
use crate::pipeline::Classify;
use crate::policies::{Ended, Policies, Work};
use crate::{CallError, Class, Pipeline};

/// Puts a [`Pipeline`] around a service: all of its services share it, and so do calls that are made through the pipeline
/// itself. What the pipeline does not know, it is told here: what a response is worth, how a request is copied for another
/// attempt, and how long a response holds its place in the limit. A layer has no fallback: that is a matter of the caller's.
pub struct PipelineLayer<J, P = Cloned, H = UntilResponse> {
    policies: Arc<Policies>,
    judge: J,
    repeat: P,
    hold: PhantomData<fn() -> H>,
}

/// What a pipeline says of errors; every response is fine.
pub struct ByPipeline<E>(Arc<Classify<E>>);

/// A service with a pipeline around it.
///
/// The breaker is asked before the inner service is: while it is open, the service is ready at once, and the call comes to
/// what the pipeline makes of it. What was made ready serves the first attempt; every other has a clone of its own, which is
/// made ready within its time.
pub struct PipelineService<S, J, P = Cloned, H = UntilResponse> {
    inner: S,
    is_ready: bool,
    opening: Opening,
    layer: PipelineLayer<J, P, H>,
}

impl<E> PipelineLayer<ByPipeline<E>> {
    /// What the pipeline's classifier says of errors holds; every response is fine.
    #[must_use]
    pub fn new(pipeline: &Pipeline<E>) -> Self {
        Self::judged(pipeline, ByPipeline(Arc::clone(&pipeline.classify)))
    }
}

impl<J> PipelineLayer<J> {
    /// The judge says what a result is worth, be it a response or an error, and the pipeline's classifier is not asked.
    #[must_use]
    pub fn judged<E>(pipeline: &Pipeline<E>, judge: J) -> Self {
        let policies = Arc::clone(&pipeline.policies);
        Self { policies, judge, repeat: Cloned, hold: PhantomData }
    }
}

impl<J, P, H> PipelineLayer<J, P, H> {
    /// The same, with another way to copy a request: a closure that returns `None` for what must be sent only once.
    #[must_use]
    pub fn repeat_with<R>(self, repeat: R) -> PipelineLayer<J, R, H> {
        PipelineLayer { policies: self.policies, judge: self.judge, repeat, hold: PhantomData }
    }

    /// A call counts in the limit until the body of its response ends or is dropped.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn hold_until_body_ends(self) -> PipelineLayer<J, P, super::UntilBodyEnds> {
        PipelineLayer { policies: self.policies, judge: self.judge, repeat: self.repeat, hold: PhantomData }
    }
}

impl<S, J: Clone, P: Clone, H> Layer<S> for PipelineLayer<J, P, H> {
    type Service = PipelineService<S, J, P, H>;

    fn layer(&self, inner: S) -> Self::Service {
        PipelineService { inner, is_ready: false, opening: Opening::default(), layer: self.clone() }
    }
}

impl<S, Q, J, P, H> Service<Q> for PipelineService<S, J, P, H>
where
    S: Service<Q, Future: Send> + Clone + Send + 'static,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    Q: Send + 'static,
    J: Judge<S::Response, S::Error> + Clone + Send + Sync + 'static,
    P: Repeat<Q> + Clone + Send + 'static,
    H: Hold<S::Response> + 'static,
{
    type Response = H::Response;
    type Error = CallError<S::Error>;
    type Future = PipelineFuture<H::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let policies = &*self.layer.policies;
        if !policies.live.switches().breaker() {
            return self.inner.poll_ready(context).map(|ready| {
                self.is_ready = ready.is_ok();
                ready.map_err(CallError::Inner)
            });
        }
        self.is_ready = false;
        match ready!(self.opening.poll_ready(&policies.breaker, &mut self.inner, context)) {
            Ok(ready) => {
                self.is_ready = ready.is_ok();
                Poll::Ready(ready.map_err(CallError::Inner))
            }
            Err(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Q) -> Self::Future {
        let clone = self.inner.clone();
        let service = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        let may_retry = layer.policies.live.switches().retry();
        let mut requests = Requests {
            spare: may_retry.then(|| self.inner.clone()),
            first: Some((service, mem::take(&mut self.is_ready))),
            request: Some(request),
            repeat: layer.repeat,
        };
        let (policies, judge) = (layer.policies, layer.judge);
        PipelineFuture(Box::pin(async move {
            let can_begin = AtomicBool::new(true);
            let mut work = Work {
                attempt: |_| requests.begin(&can_begin),
                judge: &|reply: &Reply<_, _>| (reply.class(&judge), reply.result.is_err()),
                can_begin: &can_begin,
            };
            match policies.run(&mut work).await {
                Ok(Ended { output, permit, .. }) => match output.result {
                    Ok(response) => Ok(H::hold(response, permit)),
                    Err(error) => Err(CallError::Inner(error)),
                },
                Err(cut) => Err(cut.into()),
            }
        }))
    }
}

impl<R, E> Judge<R, E> for ByPipeline<E> {
    fn judge(&self, result: &Result<R, E>) -> Class {
        match result {
            Ok(_) => Class::FINE,
            Err(error) => (self.0)(error),
        }
    }
}

/// The response of a [`PipelineService`].
///
/// # Cancel safety
/// As for [`Pipeline::call`](crate::Pipeline::call). What else is lost is what dropping the inner service's response loses.
#[must_use = "futures do nothing unless they are polled"]
pub struct PipelineFuture<R, E>(Pin<Box<dyn Future<Output = Result<R, CallError<E>>> + Send>>);

impl<R, E> Future for PipelineFuture<R, E> {
    type Output = Result<R, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<R, E> fmt::Debug for PipelineFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineFuture").finish_non_exhaustive()
    }
}

impl<E> Clone for ByPipeline<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E> fmt::Debug for ByPipeline<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByPipeline").finish_non_exhaustive()
    }
}

impl<J: Clone, P: Clone, H> Clone for PipelineLayer<J, P, H> {
    fn clone(&self) -> Self {
        Self {
            policies: Arc::clone(&self.policies),
            judge: self.judge.clone(),
            repeat: self.repeat.clone(),
            hold: PhantomData,
        }
    }
}

impl<S: Clone, J: Clone, P: Clone, H> Clone for PipelineService<S, J, P, H> {
    /// A clone has a readiness of its own.
    fn clone(&self) -> Self {
        let (inner, layer) = (self.inner.clone(), self.layer.clone());
        Self { inner, is_ready: false, opening: Opening::default(), layer }
    }
}

impl<J, P, H> fmt::Debug for PipelineLayer<J, P, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineLayer").field("breaker", &self.policies.breaker).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, J, P, H> fmt::Debug for PipelineService<S, J, P, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}
