//! A breaker that keeps its own state.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use dayfly::{Fixed, Reconfigure};
use dayfly_signal::SignalSink;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::call::Running;
use crate::error::{CallError, Open};
use crate::machine::{BreakerState, Event};
use crate::options::BreakerOptions;
use crate::permit::{Judgement, OwnedPermit, Pass, Permit};
use crate::shared::Shared;

/// A circuit breaker that keeps its own state. Clones are the same breaker.
///
/// While it is closed and counts failures in a row, a call costs a load before it and one after it. Where shares of a window
/// are taken, a success costs two more loads once the window holds nothing else, and otherwise an atomic change; those of a
/// time cost a reading of the clock too. A failure takes a lock.
///
/// While it is open, the signal `circuit.open.<name>` is held, so that coordinators can defer on it; a timer lets it go
/// when [`open_for`](BreakerOptions::open_for) has passed, and so probes come by themselves. Each change raises
/// `circuit.changed.<name>` with the new state as its payload.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::time::Duration;
/// use dayfly::SignalSink;
/// use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CallError, CircuitBreaker};
///
/// const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(3).open_for(Duration::from_secs(30));
///
/// let signals = SignalSink::default();
/// let bank = CircuitBreaker::new("bank", CARE, &signals);
/// for _ in 0..3 {
///     assert_eq!(bank.call(async { Err::<(), _>("no route") }).await, Err(CallError::Inner("no route")));
/// }
/// // Nothing is run any more.
/// let refused = bank.call(async { Ok::<_, &str>(()) }).await.unwrap_err();
/// assert!(matches!(refused, CallError::Open { retry_after } if retry_after <= Duration::from_secs(30)));
/// assert_eq!(bank.state(), BreakerState::Open);
/// assert!(signals.is_raised("circuit.open.bank"));
/// # }
/// ```
#[derive(Clone)]
pub struct CircuitBreaker {
    shared: Arc<Shared>,
}

/// What a breaker has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStats {
    /// Whether calls pass.
    pub state: BreakerState,
    /// Calls that have failed in a row, while it is closed.
    pub failures_in_a_row: u32,
    /// Calls within the window, where shares are taken.
    pub calls: u32,
    /// Those of them that failed.
    pub failed: u32,
    /// Those of them that were slow.
    pub slow: u32,
    /// How often it has opened by itself.
    pub openings: u64,
    /// Calls that were refused.
    pub refused: u64,
}

impl CircuitBreaker {
    /// A closed breaker. Every error counts as a failure in [`call`](Self::call).
    ///
    /// Its timer runs on the runtime that it opens in, or else on the one that it is made in; without either, what has to
    /// happen in time happens when somebody calls.
    #[must_use]
    pub fn new(name: &str, options: BreakerOptions, signals: &SignalSink) -> Self {
        Self::with_key(name, None, options, signals)
    }

    pub(crate) fn with_key(
        name: &str,
        key: Option<String>,
        options: BreakerOptions,
        signals: &SignalSink,
    ) -> Self {
        Self { shared: Arc::new(Shared::new(name, key, options, signals)) }
    }

    /// Makes a call, unless the breaker is open. An error counts as a failure, and so does a panic of `work`; one of
    /// something else in the same task does not.
    ///
    /// # Errors
    /// When the breaker refuses, and then `work` was not polled; or when the call itself fails.
    ///
    /// # Cancel safety
    /// Dropped, it says nothing about the service, and a probe is given back.
    pub async fn call<V, E>(&self, work: impl Future<Output = Result<V, E>>) -> Result<V, CallError<E>> {
        let judge = |outcome: &Result<V, E>| match outcome {
            Ok(_) => Judgement::Success,
            Err(_) => Judgement::Failure,
        };
        self.call_judged(work, judge).await
    }

    /// The same, with another opinion of what is a failure: an error that is the caller's own mistake is
    /// [ignored](Judgement::Ignored), and a value may be a failure.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call).
    pub async fn call_judged<V, E>(
        &self,
        work: impl Future<Output = Result<V, E>>,
        judge: impl FnOnce(&Result<V, E>) -> Judgement,
    ) -> Result<V, CallError<E>> {
        let mut running = Running::new(self.try_acquire()?);
        let outcome = {
            let mut work = pin!(work);
            poll_fn(|context| running.poll(work.as_mut(), context)).await
        };
        running.end(judge(&outcome));
        outcome.map_err(CallError::Inner)
    }

    /// The right to make a call, for who makes it in another way.
    ///
    /// # Errors
    /// When the breaker refuses.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, Open> {
        Ok(Permit::new(self, self.shared.admit()?))
    }

    /// The same, for a call that outlives the borrow.
    ///
    /// # Errors
    /// When the breaker refuses.
    #[inline]
    pub fn try_acquire_owned(&self) -> Result<OwnedPermit, Open> {
        let pass = self.shared.admit()?;
        Ok(OwnedPermit::new(self.clone(), pass))
    }

    /// Whether a call would be admitted now: for who has something to get ready before it is made. Nothing is reserved, so
    /// the call itself has to ask again; and nothing is counted.
    ///
    /// # Errors
    /// When it would be refused.
    #[inline]
    pub fn check(&self) -> Result<(), Open> {
        self.shared.check()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.shared.announcer().name()
    }

    /// Whether calls pass now.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.shared.change(|machine, now| {
            machine.handle(Event::Elapse, now);
            machine.state()
        })
    }

    /// What it has seen.
    #[must_use]
    pub fn stats(&self) -> BreakerStats {
        let (state, count, openings) = self.shared.known();
        BreakerStats {
            state,
            failures_in_a_row: self.shared.failures(),
            calls: count.calls,
            failed: count.failed,
            slow: count.slow,
            openings,
            refused: self.shared.refused(),
        }
    }

    /// The state as it changes. It shows the newest; what changes twice between two looks is seen once.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<BreakerState> {
        self.shared.announcer().watch()
    }

    /// The options that it follows.
    #[must_use]
    pub fn options(&self) -> BreakerOptions {
        self.shared.options()
    }

    /// Refuses all calls until [`force_closed`](Self::force_closed) or [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.shared.change(|machine, now| machine.handle(Event::ForceOpen, now));
    }

    /// Lets all calls pass and counts none, until [`force_open`](Self::force_open) or [`reset`](Self::reset).
    pub fn force_closed(&self) {
        self.shared.change(|machine, now| machine.handle(Event::ForceClose, now));
    }

    /// Closes it, and forgets what calls came to.
    pub fn reset(&self) {
        self.shared.change(|machine, now| machine.handle(Event::Reset, now));
    }

    #[inline]
    pub(crate) fn complete(&self, pass: Pass, judgement: Judgement) {
        self.shared.complete(pass, judgement);
    }

    pub(crate) fn follow(&self, options: &BreakerOptions) {
        self.shared.follow(options);
    }

    /// The state as it was last, whatever time has passed.
    pub(crate) fn peek(&self) -> BreakerState {
        self.shared.peek()
    }

    /// The state as it is at this moment, although nobody may have been told; without one, as it was last.
    pub(crate) fn peek_at(&self, now: Option<Instant>) -> BreakerState {
        now.map_or_else(|| self.peek(), |now| self.shared.peek_at(now))
    }

    /// Whether nobody else has it.
    pub(crate) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }
}

/// Every option can be followed at once. A time that it is open for already stays as it is; a window that changes begins
/// anew.
impl Reconfigure<BreakerOptions> for CircuitBreaker {
    fn check(&self, _: &BreakerOptions) -> Result<(), Fixed> {
        Ok(())
    }

    fn reconfigure(&self, options: &BreakerOptions) -> Result<(), Fixed> {
        self.follow(options);
        Ok(())
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.name())
            .field("state", &self.peek())
            .finish_non_exhaustive()
    }
}
