//! A retry around a service.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dayfly::{Fixed, Reconfigure, SignalSink};
#[cfg(feature = "metrics")]
use dayfly_circuit_breaker::Judgement;
use dayfly_retry::{Attempts, NextAttempt, Retry, RetryBudget, RetryOptions, Verdict};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_layer::Layer;
use tower_service::Service;

use super::judge::{Judge, OnErrors};
use super::repeat::{Cloned, Repeat};
#[cfg(feature = "metrics")]
use crate::policies::note_last;

/// Tries the requests of a service again. All of its services follow the same options, which can change, and share a budget
/// where there is one.
///
/// The timeouts of the options do not hold here: put a [`TimeoutLayer`](crate::TimeoutLayer) into it for one attempt, and
/// around it for all.
#[derive(Clone, Debug)]
pub struct RetryLayer<J = OnErrors, P = Cloned> {
    retry: Retry<Verdict>,
    judge: J,
    repeat: P,
}

/// A service whose requests are tried again. What is given up ends as its last attempt did.
///
/// The inner service is made ready before each attempt; when it fails to get ready, that is the end.
#[derive(Clone, Debug)]
pub struct RetryService<S, J = OnErrors, P = Cloned> {
    inner: S,
    policy: RetryLayer<J, P>,
}

impl RetryLayer {
    /// Every error is worth another attempt, and requests are cloned.
    #[must_use]
    pub fn new(options: RetryOptions) -> Self {
        Self::judged(options, OnErrors)
    }
}

impl<J> RetryLayer<J> {
    /// The judge says what a result is worth: a closure that takes it and returns a [`Verdict`], for example. A response may
    /// be worth another attempt, too.
    #[must_use]
    pub fn judged(options: RetryOptions, judge: J) -> Self {
        Self { retry: Retry::new(options, |verdict: &Verdict| *verdict), judge, repeat: Cloned }
    }
}

impl<J, P> RetryLayer<J, P> {
    /// The same, with another way to copy a request: a closure that returns `None` for what must be sent only once.
    #[must_use]
    pub fn repeat_with<R>(self, repeat: R) -> RetryLayer<J, R> {
        RetryLayer { retry: self.retry, judge: self.judge, repeat }
    }

    /// The same within a budget, which others may share.
    #[must_use]
    pub fn budget(mut self, budget: &RetryBudget) -> Self {
        self.retry = self.retry.budget(budget);
        self
    }

    /// The same with a name, under which it raises `retry.attempt.<name>` and `retry.exhausted.<name>`.
    #[must_use]
    pub fn named(mut self, name: &str, signals: &SignalSink) -> Self {
        self.retry = self.retry.named(name, signals);
        self
    }
}

impl<J: Send + Sync, P: Send + Sync> Reconfigure<RetryOptions> for RetryLayer<J, P> {
    fn check(&self, options: &RetryOptions) -> Result<(), Fixed> {
        self.retry.check(options)
    }

    fn reconfigure(&self, options: &RetryOptions) -> Result<(), Fixed> {
        self.retry.reconfigure(options)
    }
}

impl<S, J: Clone, P: Clone> Layer<S> for RetryLayer<J, P> {
    type Service = RetryService<S, J, P>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService { inner, policy: self.clone() }
    }
}

impl<S, Q, J, P> Service<Q> for RetryService<S, J, P>
where
    S: Service<Q> + Clone,
    J: Judge<S::Response, S::Error> + Clone,
    P: Repeat<Q> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RetryFuture<S, Q, J, P>;

    #[inline]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Q) -> Self::Future {
        // What was made ready goes into the future; the clone that stays here is made ready anew.
        let clone = self.inner.clone();
        let mut service = mem::replace(&mut self.inner, clone);
        let policy = self.policy.clone();
        let attempts = policy.retry.begin();
        let copy = policy.repeat.repeat(&request);
        let state = State::Called { response: service.call(request) };
        RetryFuture { policy, service, attempts, next: None, request: copy, state }
    }
}

pin_project! {
    /// The response of a [`RetryService`], after as many attempts as it takes.
    ///
    /// # Cancel safety
    /// Dropped, it drops the attempt that is under way; no other follows. A retry that was taken out of the budget and has
    /// not begun goes back. What else is lost is what dropping the inner service's response loses.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct RetryFuture<S: Service<Q>, Q, J = OnErrors, P = Cloned> {
        policy: RetryLayer<J, P>,
        service: S,
        attempts: Attempts,
        // The attempt that is waited for.
        next: Option<NextAttempt>,
        request: Option<Q>,
        #[pin]
        state: State<S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Called { #[pin] response: F },
        Paused { #[pin] sleep: Sleep },
        Readying,
    }
}

impl<S, Q, J, P> Future for RetryFuture<S, Q, J, P>
where
    S: Service<Q>,
    J: Judge<S::Response, S::Error>,
    P: Repeat<Q>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Called { response } => {
                    let ended = ready!(response.poll(context));
                    let class = this.policy.judge.judge(&ended);
                    let verdict = class.verdict();
                    if verdict == Verdict::Stop || this.request.is_none() {
                        #[cfg(feature = "metrics")]
                        note_last(
                            &this.policy.retry,
                            this.attempts,
                            class.judgement(ended.is_err()) == Judgement::Success,
                        );
                        return Poll::Ready(ended);
                    }
                    let Ok(next) = this.policy.retry.after(this.attempts, &verdict, None) else {
                        return Poll::Ready(ended);
                    };
                    // Also what the response holds is let go before the wait.
                    drop(ended);
                    this.state.set(State::Paused { sleep: sleep(next.delay()) });
                    *this.next = Some(next);
                }
                StateProjection::Paused { sleep } => {
                    ready!(sleep.poll(context));
                    this.state.set(State::Readying);
                }
                StateProjection::Readying => {
                    if let Err(error) = ready!(this.service.poll_ready(context)) {
                        return Poll::Ready(Err(error));
                    }
                    if let Some(next) = this.next.take() {
                        next.begin(this.attempts);
                    }
                    // Without a request there is no retry, so one is here.
                    let Some(request) = this.request.take() else { return Poll::Pending };
                    *this.request = this.policy.repeat.repeat(&request);
                    this.state.set(State::Called { response: this.service.call(request) });
                }
            }
        }
    }
}

impl<S: Service<Q>, Q, J, P> fmt::Debug for RetryFuture<S, Q, J, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryFuture").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
