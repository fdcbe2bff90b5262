//! The policies around a call, one inside of the other.
//!
//! ```text
//! total timeout { fallback { retry { breaker { place in the limit { attempt timeout { attempt } } } } } }
//! ```
//!
//! The fallback is the pipeline's, which knows what values look like; all the rest is here. No policy is written anew: the
//! retry, the breaker and the limit are those of their crates.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dayfly_circuit_breaker::{self as breaker, CircuitBreaker, Judgement};
use dayfly_limit::{AcquireError, Limiter, LimiterOptions, Permit, Request};
#[cfg(feature = "metrics")]
use dayfly_retry::Attempts;
use dayfly_retry::{Retry, RetryBudget, Verdict};
use dayfly_signal::SignalSink;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::deadline::{Deadline, Limited};
use crate::following::Following;
use crate::live::{Live, Switches};
use crate::running::{Guard, Running};
use crate::{CallError, Class, PipelineOptions, Scope};

/// What is to be done, attempt by attempt.
///
/// A struct and no trait, and its judge behind a `dyn`: the compiler forgets lifetimes in the types of futures, and could not
/// see any more that those of an associated type are the same, so that no call of a `Pipeline<&'static str>` were `Send`.
pub(crate) struct Work<'a, F, O> {
    pub(crate) attempt: F,
    pub(crate) judge: &'a (dyn Fn(&O) -> (Class, IsError) + Sync),
    /// Whether there is something to begin with.
    pub(crate) can_begin: &'a AtomicBool,
}

impl<F, O> Work<'_, F, O> {
    fn judged(&self, output: O, permit: Option<Permit>) -> Ended<O> {
        let (class, is_error) = (self.judge)(&output);
        let (verdict, judgement) = (class.verdict(), class.judgement(is_error));
        Ended { output, permit, verdict, judgement }
    }
}

/// Whether what an attempt came to is an error.
pub(crate) type IsError = bool;

/// An attempt that has ended by itself.
pub(crate) struct Ended<O> {
    pub(crate) output: O,
    /// Its place in the limit, where there is one.
    pub(crate) permit: Option<Permit>,
    verdict: Verdict,
    judgement: Judgement,
}

/// An attempt that was not made, or was cut short.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    Open { retry_after: Duration },
    Attempt { after: Duration },
    Total { after: Duration, has_begun: bool },
    Refused { after: Duration },
}

#[derive(Debug)]
pub(crate) struct Policies {
    pub(crate) live: Live,
    pub(crate) retry: Retry<Verdict>,
    /// The same one within the budget.
    frugal: Retry<Verdict>,
    pub(crate) budget: RetryBudget,
    pub(crate) breaker: CircuitBreaker,
    pub(crate) limiter: Limiter,
    pub(crate) following: Following,
}

impl Policies {
    pub(crate) fn new(name: &str, options: PipelineOptions, signals: &SignalSink) -> Self {
        let retry = Retry::new(options.retry(), |verdict: &Verdict| *verdict).named(name, signals);
        let budget = RetryBudget::new(options.budget.unwrap_or_default());
        let breaker = options.breaker.clone().unwrap_or_default();
        Self {
            live: Live::new(&options),
            frugal: retry.clone().budget(&budget),
            retry,
            budget,
            breaker: CircuitBreaker::new(name, breaker, signals),
            limiter: Limiter::new(limit(&options)),
            following: Following::new(options),
        }
    }

    /// Makes attempts until one of them is not worth another.
    #[inline]
    pub(crate) async fn run<F, Fut, O>(&self, work: &mut Work<'_, F, O>) -> Result<Ended<O>, Cut>
    where
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = O>,
    {
        let switches = self.live.switches();
        if switches.is_bare() {
            let output = (work.attempt)(1).await;
            return Ok(work.judged(output, None));
        }
        let retry = if switches.budget() { &self.frugal } else { &self.retry };
        let mut total = Deadline::new(self.live.total_timeout.get(), Scope::Total);
        let mut attempts = retry.begin();
        loop {
            let switches = self.live.switches();
            let ended = self.once(switches, &mut total, work, attempts.number()).await;
            let verdict = match &ended {
                Ok(ended) => ended.verdict,
                Err(cut) => cut.verdict(),
            };
            if verdict == Verdict::Stop || !switches.retry() || !work.can_begin.load(Ordering::Relaxed) {
                #[cfg(feature = "metrics")]
                if switches.retry() {
                    let succeeded = ended.as_ref().is_ok_and(|ended| ended.judgement == Judgement::Success);
                    note_last(retry, &mut attempts, succeeded);
                }
                return ended;
            }
            let Ok(next) = retry.after(&mut attempts, &verdict, total.left()) else { return ended };
            // What has failed holds nothing while the next one is waited for.
            drop(ended);
            pause(next.delay()).await;
            next.begin(&mut attempts);
        }
    }

    /// One attempt, if the breaker has nothing against it.
    #[inline]
    async fn once<F, Fut, O>(
        &self,
        switches: Switches,
        total: &mut Deadline,
        work: &mut Work<'_, F, O>,
        number: u32,
    ) -> Result<Ended<O>, Cut>
    where
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = O>,
    {
        let mut guard = Guard::new(if switches.breaker() { Some(self.pass()?) } else { None });
        let ended = self.attempt(switches, total, work, number, &mut guard).await;
        guard.end(match &ended {
            Ok(ended) => ended.judgement,
            Err(cut) => cut.judgement(),
        });
        ended
    }

    #[inline]
    fn pass(&self) -> Result<breaker::Permit<'_>, Cut> {
        self.breaker.try_acquire().map_err(|open| Cut::Open { retry_after: open.retry_after })
    }

    /// One attempt, when there is a place for it.
    #[inline]
    async fn attempt<F, Fut, O>(
        &self,
        switches: Switches,
        total: &mut Deadline,
        work: &mut Work<'_, F, O>,
        number: u32,
        guard: &mut Guard<breaker::Permit<'_>>,
    ) -> Result<Ended<O>, Cut>
    where
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = O>,
    {
        let permit =
            if switches.limit() { Some(Running::new(self.place(total), &mut *guard).await?) } else { None };
        // A place may come at the very end. What is not begun any more is nobody's failure.
        if total.is_over() {
            return Err(Cut::Total { after: total.timeout(), has_begun: false });
        }
        let own = self.live.attempt_timeout.get();
        let limited = Limited::new((work.attempt)(number), &mut *total, own);
        match Running::new(limited, guard).await {
            Ok(output) => Ok(work.judged(output, permit)),
            Err(Scope::Attempt) => Err(Cut::Attempt { after: own.unwrap_or(Duration::MAX) }),
            Err(Scope::Total) => Err(Cut::Total { after: total.timeout(), has_begun: true }),
        }
    }

    async fn place(&self, total: &mut Deadline) -> Result<Permit, Cut> {
        let most = self.live.max_wait.get();
        let request = most.map_or(Request::new(), |most| Request::new().timeout(most));
        match Limited::new(self.limiter.acquire_with(request), &mut *total, None).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(AcquireError::TimedOut)) => Err(Cut::Refused { after: most.unwrap_or(Duration::MAX) }),
            // Nobody else has this limiter, and so nobody closes it.
            Ok(Err(_)) => Err(Cut::Refused { after: Duration::ZERO }),
            Err(_) => Err(Cut::Total { after: total.timeout(), has_begun: false }),
        }
    }
}

/// Counts the attempt after which nobody asks for another.
#[cfg(feature = "metrics")]
pub(crate) fn note_last(retry: &Retry<Verdict>, attempts: &mut Attempts, succeeded: bool) {
    if succeeded {
        retry.succeeded_at(attempts);
    } else {
        // There is none after this verdict.
        drop(retry.after(attempts, &Verdict::Stop, None));
    }
}

/// What the limiter follows. Where there is no limit, nobody asks it, and whoever still waits gets a place.
pub(crate) fn limit(options: &PipelineOptions) -> LimiterOptions {
    LimiterOptions::new().limit(options.max_concurrency.unwrap_or(usize::MAX))
}

/// Lets this much time pass, and the others have their turn in any case.
async fn pause(delay: Duration) {
    if delay.is_zero() {
        yield_now().await;
    } else {
        sleep(delay).await;
    }
}

impl Cut {
    /// What is refused by the breaker comes back when the breaker says. The total timeout is the end; and how long to wait
    /// for a place has been said already.
    const fn verdict(self) -> Verdict {
        match self {
            Self::Open { retry_after } => Verdict::RetryAfter(retry_after),
            Self::Attempt { .. } => Verdict::Retry,
            Self::Total { .. } | Self::Refused { .. } => Verdict::Stop,
        }
    }

    /// An attempt that was under way and took too long speaks against the service, whichever timeout it was: one that only
    /// hangs would never open a breaker otherwise. What has not begun says nothing.
    const fn judgement(self) -> Judgement {
        match self {
            Self::Attempt { .. } | Self::Total { has_begun: true, .. } => Judgement::Failure,
            _ => Judgement::Ignored,
        }
    }
}

impl<E> From<Cut> for CallError<E> {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Open { retry_after } => Self::Open { retry_after },
            Cut::Attempt { after } => Self::TimedOut { after, scope: Scope::Attempt },
            Cut::Total { after, .. } => Self::TimedOut { after, scope: Scope::Total },
            Cut::Refused { after } => Self::Refused { after },
        }
    }
}
