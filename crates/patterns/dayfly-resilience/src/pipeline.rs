//! All policies around a call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use dayfly::{Fixed, Reconfigure};
use dayfly_circuit_breaker::{BreakerStats, CircuitBreaker};
use dayfly_limit::LimiterStats;
use dayfly_retry::Verdict;
use dayfly_signal::SignalSink;

use crate::policies::{Ended, Policies, Work};
use crate::{CallError, Class, Fallback, PipelineOptions, Scope};

/// All policies around a call, in the order in which it meets them: total timeout, fallback, retry, breaker, limit, attempt
/// timeout. What options switch off costs nothing.
///
/// It is cheap to clone, and clones are the same pipeline: make one for each thing that is called, and share it. `E` is the
/// error of its calls.
///
/// | what happens | another attempt | the breaker counts | the caller sees, when that was the last |
/// |---|---|---|---|
/// | the attempt fails | if its [`Class`] says so | what its class says | [`CallError::Inner`] |
/// | the attempt takes too long | yes | a failure | [`CallError::TimedOut`], [`Scope::Attempt`] |
/// | the breaker refuses, nothing is run | yes, when the breaker says, within the cap | | [`CallError::Open`] |
/// | there is no place within [`max_wait`](PipelineOptions::max_wait) | no | nothing | [`CallError::Refused`] |
/// | the total timeout passes while an attempt runs | no | a failure | [`CallError::TimedOut`], [`Scope::Total`] |
/// | it passes while the call waits for a place | no | nothing | the same |
/// | the caller drops the call | no | nothing | |
/// | the attempt panics | no | a failure | the panic |
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use std::time::Duration;
/// use dayfly::SignalSink;
/// use dayfly_resilience::{CallError, Pipeline, PipelineOptions};
///
/// let bank = Pipeline::new("bank", PipelineOptions::production(), &SignalSink::default());
/// let paid = bank.call(|attempt| async move {
///     if attempt < 3 { Err("busy") } else { Ok("paid") }
/// });
/// assert_eq!(paid.await, Ok("paid"));
/// # }
/// ```
pub struct Pipeline<E> {
    pub(crate) policies: Arc<Policies>,
    pub(crate) classify: Arc<Classify<E>>,
}

/// A closure can make as many attempts as it likes.
static ALWAYS: AtomicBool = AtomicBool::new(true);

pub(crate) type Classify<E> = dyn Fn(&E) -> Class + Send + Sync;

/// What a pipeline has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineStats {
    /// The breaker: its state, what it has counted and refused.
    pub breaker: BreakerStats,
    /// The limit: what is under way in it, and what waits. Without one the limit is `usize::MAX`, and nothing is counted.
    pub limiter: LimiterStats,
}

impl<E> Pipeline<E> {
    /// A pipeline that takes every error for a failure of the service, and worth another attempt.
    ///
    /// Its breaker holds the signal `circuit.open.<name>` while it is open, and its retries raise `retry.attempt.<name>` and
    /// `retry.exhausted.<name>`.
    #[must_use]
    pub fn new(name: &str, options: PipelineOptions, signals: &SignalSink) -> Self {
        Self::classified(name, options, signals, |_: &E| Verdict::Retry)
    }

    /// A pipeline whose `classify` says what an error is worth: a [`Class`], or a [`Verdict`], a
    /// [`Judgement`](dayfly_circuit_breaker::Judgement) or a `bool`, from which the rest of a class follows.
    ///
    /// It runs once for each error, in the call that failed and under no lock. One that panics costs that call, and counts as
    /// a failure of it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use dayfly::SignalSink;
    /// use dayfly_resilience::{Pipeline, PipelineOptions};
    /// use dayfly_retry::Verdict;
    ///
    /// enum PayError { Busy(Duration), Unreachable, Declined }
    ///
    /// let classify = |error: &PayError| match error {
    ///     PayError::Busy(wait) => Verdict::RetryAfter(*wait),
    ///     PayError::Unreachable => Verdict::Retry,
    ///     PayError::Declined => Verdict::Stop, // says nothing against the bank
    /// };
    /// let bank = Pipeline::classified("bank", PipelineOptions::production(), &SignalSink::default(), classify);
    /// # drop(bank);
    /// ```
    #[must_use]
    pub fn classified<C: Into<Class>>(
        name: &str,
        options: PipelineOptions,
        signals: &SignalSink,
        classify: impl Fn(&E) -> C + Send + Sync + 'static,
    ) -> Self {
        Self {
            policies: Arc::new(Policies::new(name, options, signals)),
            classify: Arc::new(move |error: &E| classify(error).into()),
        }
    }

    /// Makes a call. `attempt` is told which attempt it is: 1 for the first; one that the breaker refused has had its number,
    /// though nothing was run.
    ///
    /// A call that never has to wait reads no clock, sets no timer and allocates nothing, with all policies on (the breaker's
    /// shares of time and of slow calls apart).
    ///
    /// # Errors
    /// What the last attempt came to: see the table above.
    ///
    /// # Panics
    /// When `attempt` or the classifier does; and when there is something to wait for outside of a Tokio runtime with time.
    ///
    /// # Cancel safety
    /// Dropping the future drops the attempt that is under way, or ends the wait; no attempt follows. Its place in the limit,
    /// its probe and a retry that has not begun go back. The breaker learns nothing from it.
    pub async fn call<T, F, Fut>(&self, attempt: F) -> Result<T, CallError<E>>
    where
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let classify = &*self.classify;
        let judge = |output: &Result<T, E>| match output {
            Ok(_) => (Class::FINE, false),
            Err(error) => (classify(error), true),
        };
        let mut work = Work { attempt, judge: &judge, can_begin: &ALWAYS };
        match self.policies.run(&mut work).await {
            Ok(Ended { output, permit, .. }) => {
                drop(permit);
                output.map_err(CallError::Inner)
            }
            Err(cut) => Err(cut.into()),
        }
    }

    /// The same, with something to give instead when the call fails in the end. The total timeout stands around the
    /// fallback: when it passes, the caller is told so. To give something even then, put the fallback around the call:
    /// [`fallback.call(pipeline.call(..))`](Fallback::call).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use dayfly::SignalSink;
    /// use dayfly_resilience::{Fallback, Pipeline, PipelineOptions};
    ///
    /// let rates = Pipeline::<&str>::new("rates", PipelineOptions::new(), &SignalSink::default());
    /// let yesterdays = Fallback::value(1.17);
    /// let rate = rates.call_with(&yesterdays, |_| async { Err("down") }).await;
    /// assert_eq!(rate, Ok(1.17));
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`call`](Self::call), where the fallback lets errors pass or is
    /// [switched off](PipelineOptions::without_fallback).
    ///
    /// # Panics
    /// As for [`call`](Self::call), and when the fallback does.
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call).
    pub async fn call_with<T, F, Fut>(
        &self,
        fallback: &Fallback<T, CallError<E>>,
        attempt: F,
    ) -> Result<T, CallError<E>>
    where
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        match self.call(attempt).await {
            Err(error)
                if self.policies.live.switches().fallback()
                    && !matches!(error, CallError::TimedOut { scope: Scope::Total, .. }) =>
            {
                fallback.settle(Err(error))
            }
            ended => ended,
        }
    }

    /// The options that it follows.
    pub fn options(&self) -> PipelineOptions {
        self.policies.following.options()
    }

    /// Its breaker: to look at, to wait for and to steer by hand. Its options are the pipeline's to change. While it is
    /// switched off nobody asks it.
    #[must_use]
    pub fn breaker(&self) -> &CircuitBreaker {
        &self.policies.breaker
    }

    /// What it has seen.
    #[must_use]
    pub fn stats(&self) -> PipelineStats {
        self.policies.stats()
    }
}

impl Policies {
    pub(crate) fn stats(&self) -> PipelineStats {
        PipelineStats { breaker: self.breaker.stats(), limiter: self.limiter.stats() }
    }
}

/// Every option can be followed. A call that is under way follows with its next attempt; how long it may take in all,
/// and whether it is within the budget, has been settled when it began. A change of the breaker's options leaves it in
/// its state; switched off, it lets go of its signal, and switched on again, it begins anew. Attempts that began while
/// there was no limit are not counted in it.
impl<E> Reconfigure<PipelineOptions> for Pipeline<E> {
    fn check(&self, _options: &PipelineOptions) -> Result<(), Fixed> {
        Ok(())
    }

    fn reconfigure(&self, options: &PipelineOptions) -> Result<(), Fixed> {
        self.policies.follow(options);
        Ok(())
    }
}

impl<E> Clone for Pipeline<E> {
    fn clone(&self) -> Self {
        Self { policies: Arc::clone(&self.policies), classify: Arc::clone(&self.classify) }
    }
}

impl<E> fmt::Debug for Pipeline<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("name", &self.breaker().name())
            .field("options", &self.options())
            .finish_non_exhaustive()
    }
}
