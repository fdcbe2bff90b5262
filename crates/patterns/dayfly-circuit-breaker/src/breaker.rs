//! A breaker that keeps its own state.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dayfly::{Fixed, Reconfigure};
use dayfly_signal::SignalSink;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::announcer::Announcer;
use crate::error::{CallError, Open};
use crate::gauge::Went;
use crate::machine::{Admission, BreakerState, Event, Machine};
use crate::options::BreakerOptions;
use crate::permit::{Judgement, OwnedPermit, Pass, Permit};
use crate::run::{Mode, Run};

/// A circuit breaker that keeps its own state. Clones are the same breaker.
///
/// While it is closed and counts failures in a row, a call costs a load before it and one after it; shares of a window
/// cost a lock after it.
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

pub(crate) struct Shared {
    run: Run,
    /// How many failures in a row open it; a number that is never reached where none do.
    threshold: AtomicU32,
    refused: AtomicU64,
    machine: Mutex<Machine>,
    announcer: Announcer,
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
    /// Its timer runs on the runtime that it opens in; without one, what has to happen in time happens when somebody calls.
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
        let threshold = AtomicU32::new(options.failure_threshold.unwrap_or(u32::MAX));
        let machine = Machine::new(options, Instant::now());
        let run = Run::new(machine.period(), mode(&machine));
        let announcer = Announcer::new(name, key, signals);
        let machine = Mutex::new(machine);
        Self { shared: Arc::new(Shared { run, threshold, refused: AtomicU64::new(0), machine, announcer }) }
    }

    /// Makes a call, unless the breaker is open. An error counts as a failure, a panic too.
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
        let permit = self.try_acquire()?;
        let outcome = work.await;
        permit.record(judge(&outcome));
        outcome.map_err(CallError::Inner)
    }

    /// The right to make a call, for who makes it in another way.
    ///
    /// # Errors
    /// When the breaker refuses.
    pub fn try_acquire(&self) -> Result<Permit<'_>, Open> {
        Ok(Permit::new(self, self.shared.admit()?))
    }

    /// The same, for a call that outlives the borrow.
    ///
    /// # Errors
    /// When the breaker refuses.
    pub fn try_acquire_owned(&self) -> Result<OwnedPermit, Open> {
        let pass = self.shared.admit()?;
        Ok(OwnedPermit::new(self.clone(), pass))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.shared.announcer.name()
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
        let (state, count, openings) = self.shared.change(|machine, now| {
            machine.handle(Event::Elapse, now);
            (machine.state(), machine.count(now), machine.openings())
        });
        BreakerStats {
            state,
            failures_in_a_row: self.shared.run.failures(),
            calls: count.calls,
            failed: count.failed,
            slow: count.slow,
            openings,
            refused: self.shared.refused.load(Ordering::Relaxed),
        }
    }

    /// The state as it changes. It shows the newest; what changes twice between two looks is seen once.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<BreakerState> {
        self.shared.announcer.watch()
    }

    /// The options that it follows.
    #[must_use]
    pub fn options(&self) -> BreakerOptions {
        self.shared.lock().options().clone()
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

    pub(crate) fn complete(&self, pass: Pass, judgement: Judgement) {
        self.shared.complete(pass, judgement);
    }

    /// The state as it was last, whatever time has passed.
    pub(crate) fn peek(&self) -> BreakerState {
        self.shared.lock().state()
    }

    /// Whether nobody else has it.
    pub(crate) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }
}

impl Shared {
    fn admit(self: &Arc<Self>) -> Result<Pass, Open> {
        let (period, mode) = self.run.admit();
        if mode != Mode::Asking {
            let began = (mode == Mode::Timing).then(Instant::now);
            return Ok(Pass { period, probe: false, mode, began });
        }
        self.ask()
    }

    #[cold]
    fn ask(self: &Arc<Self>) -> Result<Pass, Open> {
        let (admission, times) = self.change(|machine, now| {
            let times = machine.options().slow_rate.is_some();
            (machine.admit(now), times.then_some(now))
        });
        match admission {
            Admission::Admitted { period, probe } => {
                Ok(Pass { period, probe, mode: Mode::Asking, began: times })
            }
            Admission::Refused { retry_after } => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Err(Open { retry_after })
            }
        }
    }

    fn complete(self: &Arc<Self>, pass: Pass, judgement: Judgement) {
        let Pass { period, probe, mode, began } = pass;
        let failed = match judgement {
            Judgement::Success => false,
            Judgement::Failure => true,
            Judgement::Ignored => {
                if probe {
                    self.lock().give_back(period);
                }
                return;
            }
        };
        if mode == Mode::Asking {
            if probe {
                self.change(|machine, now| {
                    let slow = began.is_some_and(|began| now - began > machine.options().slow_after);
                    machine.prove(period, !failed && !slow, now)
                });
            }
            return;
        }
        if !failed {
            self.run.succeed(period);
        } else if self.run.fail(period) >= self.threshold.load(Ordering::Relaxed) {
            self.change(|machine, now| machine.trip(period, now));
        }
        if mode != Mode::Counting {
            self.record(period, failed, began);
        }
    }

    fn record(self: &Arc<Self>, period: u32, failed: bool, began: Option<Instant>) {
        let ended = began.map(|_| Instant::now());
        let mut machine = self.lock();
        let took = began.zip(ended).map(|(began, ended)| ended - began);
        let slow = took.is_some_and(|took| took > machine.options().slow_after);
        let has_changed =
            machine.record(period, Went { failed, slow }, || ended.unwrap_or_else(Instant::now));
        if has_changed {
            self.publish(&machine);
        }
        drop(machine);
        if has_changed {
            self.announcer.announce(self);
        }
    }

    /// Changes the machine, and lets everybody know if that began a new period.
    fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut Machine, Instant) -> R) -> R {
        let now = Instant::now();
        let mut machine = self.lock();
        let before = machine.period();
        let answer = change(&mut machine, now);
        let has_changed = machine.period() != before;
        if has_changed {
            self.publish(&machine);
        }
        drop(machine);
        if has_changed {
            self.announcer.announce(self);
        }
        answer
    }

    /// To be called under the machine's lock, so that what is told comes in the order in which it happened.
    fn publish(&self, machine: &Machine) {
        self.run.begin(machine.period(), mode(machine));
        self.announcer.note(machine.state(), machine.opens_until());
    }

    /// The open time has passed, says the timer.
    pub(crate) fn elapse(self: &Arc<Self>) {
        self.change(|machine, now| machine.handle(Event::Elapse, now));
    }

    /// Nothing that panics runs under this lock, so a poisoned one still guards a sound state.
    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How calls are admitted in a machine's state.
fn mode(machine: &Machine) -> Mode {
    match machine.state() {
        BreakerState::Closed if machine.options().slow_rate.is_some() => Mode::Timing,
        BreakerState::Closed if machine.takes_shares() => Mode::Recording,
        BreakerState::Closed => Mode::Counting,
        _ => Mode::Asking,
    }
}

/// Every option can be followed at once. A time that it is open for already stays as it is; a window that changes begins
/// anew.
impl Reconfigure<BreakerOptions> for CircuitBreaker {
    fn check(&self, _: &BreakerOptions) -> Result<(), Fixed> {
        Ok(())
    }

    fn reconfigure(&self, options: &BreakerOptions) -> Result<(), Fixed> {
        let shared = &self.shared;
        let mut machine = shared.lock();
        machine.follow(options.clone(), Instant::now());
        shared.threshold.store(options.failure_threshold.unwrap_or(u32::MAX), Ordering::Relaxed);
        shared.run.set_mode(mode(&machine));
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
