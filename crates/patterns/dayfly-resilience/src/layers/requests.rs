//! The attempts of a pipeline around a service.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use dayfly_circuit_breaker::Judgement;
use dayfly_retry::Verdict;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::judge::Judge;
use super::repeat::Repeat;
use crate::Class;

/// Attempts that a service makes.
pub(super) struct Requests<S, Q, P> {
    /// What further attempts are made with, where there may be some.
    pub(super) spare: Option<S>,
    /// What the first attempt is made with, and whether it is ready.
    pub(super) first: Option<(S, bool)>,
    pub(super) request: Option<Q>,
    pub(super) repeat: P,
}

/// What an attempt came to.
pub(super) struct Reply<R, E> {
    pub(super) result: Result<R, E>,
    /// A service that fails to get ready is of no use any more.
    is_broken: bool,
}

impl<R, E> Reply<R, E> {
    pub(super) fn class(&self, judge: &impl Judge<R, E>) -> Class {
        if self.is_broken {
            return Class::new(Verdict::Stop, Judgement::Failure);
        }
        judge.judge(&self.result)
    }
}

impl<S: Service<Q> + Clone, Q, P: Repeat<Q>> Requests<S, Q, P> {
    /// The next attempt; `can_begin` says afterwards whether there can be another.
    pub(super) fn begin(&mut self, can_begin: &AtomicBool) -> Attempt<S, Q> {
        let (service, is_ready) = match self.first.take() {
            Some((service, is_ready)) => (Some(service), is_ready),
            None => (self.spare.clone(), false),
        };
        let request = self.request.take();
        if self.spare.is_some() {
            self.request = request.as_ref().and_then(|request| self.repeat.repeat(request));
        }
        can_begin.store(self.request.is_some(), Ordering::Relaxed);
        Attempt { service, request, is_ready, response: None }
    }
}

pin_project! {
    /// One attempt: the service is made ready, unless it is, and called.
    pub(super) struct Attempt<S: Service<Q>, Q> {
        service: Option<S>,
        request: Option<Q>,
        is_ready: bool,
        #[pin]
        response: Option<S::Future>,
    }
}

impl<S: Service<Q>, Q> Future for Attempt<S, Q> {
    type Output = Reply<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if let Some(response) = this.response.as_mut().as_pin_mut() {
                return response.poll(context).map(|result| Reply { result, is_broken: false });
            }
            // Both are there: see [`Requests::begin`].
            let Some(service) = this.service else { return Poll::Pending };
            if !*this.is_ready {
                if let Err(error) = ready!(service.poll_ready(context)) {
                    return Poll::Ready(Reply { result: Err(error), is_broken: true });
                }
                *this.is_ready = true;
            }
            let Some(request) = this.request.take() else { return Poll::Pending };
            this.response.set(Some(service.call(request)));
        }
    }
}
