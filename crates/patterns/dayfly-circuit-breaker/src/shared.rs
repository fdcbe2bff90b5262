//! What the clones of a breaker share: the machine under its lock, the word beside it, and who tells of changes.

use std::sync::Arc;
use std::time::Duration;

use dayfly_signal::SignalSink;
use tokio::time::Instant;

use crate::announcer::Announcer;
use crate::aside::{Aside, WHENEVER};
use crate::error::Open;
use crate::gauge::{Count, Went};
use crate::machine::{Admission, BreakerState, Event, Machine};
use crate::options::BreakerOptions;
use crate::permit::{Judgement, Pass};
use crate::run::{Admitted, Mode, Run};
use crate::sync::{AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, PoisonError};

pub(crate) struct Shared {
    run: Run,
    /// How many failures in a row open it; a number that is never reached where none do.
    threshold: AtomicU32,
    /// Nanoseconds after which a call is slow.
    slow_after: AtomicU64,
    aside: Aside,
    refused: AtomicU64,
    machine: Mutex<Machine>,
    announcer: Announcer,
    made_at: Instant,
}

impl Shared {
    pub(crate) fn new(
        name: &str,
        key: Option<String>,
        options: BreakerOptions,
        signals: &SignalSink,
    ) -> Self {
        let threshold = AtomicU32::new(threshold(&options));
        let made_at = Instant::now();
        let slow_after = AtomicU64::new(nanos(options.slow_after));
        let mut machine = Machine::new(options, made_at);
        let run = Run::new(machine.period(), mode_of(&machine));
        let until = until(&machine, made_at);
        let aside = Aside::new(machine.period(), machine.grant(), until);
        let announcer = Announcer::new(name, key, signals);
        let (refused, machine) = (AtomicU64::new(0), Mutex::new(machine));
        Self { run, threshold, slow_after, aside, refused, machine, announcer, made_at }
    }

    pub(crate) const fn announcer(&self) -> &Announcer {
        &self.announcer
    }

    /// How many calls have failed in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.run.failures()
    }

    /// How many calls were refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// The state as it was last, whatever time has passed.
    pub(crate) fn peek(&self) -> BreakerState {
        self.lock().state()
    }

    /// The state as it is at this moment. It may not have been told yet that its time has passed.
    pub(crate) fn peek_at(&self, now: Instant) -> BreakerState {
        self.lock().state_at(now)
    }

    pub(crate) fn options(&self) -> BreakerOptions {
        self.lock().options().clone()
    }

    #[inline]
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Pass, Open> {
        let call = self.run.admit();
        if call.just_passes() { Ok(Pass { call, began: 0 }) } else { self.admit_otherwise(call) }
    }

    fn admit_otherwise(self: &Arc<Self>, call: Admitted) -> Result<Pass, Open> {
        if call.mode() != Mode::Asking {
            let began = if call.mode() == Mode::Timing { self.age(Instant::now()) } else { 0 };
            return Ok(Pass { call, began });
        }
        let (admission, mode, began) = self.change(|machine, now| {
            let admission = machine.admit(now);
            // It may have closed meanwhile; then the call counts like any other.
            (admission, mode_of(machine), self.age(now))
        });
        match admission {
            Admission::Admitted { period, probe } => {
                Ok(Pass { call: Admitted::new(period, mode, probe), began })
            }
            Admission::Refused { retry_after } => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                #[cfg(feature = "metrics")]
                self.announcer.figures().called(crate::figures::Call::Refused);
                Err(Open { retry_after })
            }
        }
    }

    /// Whether a call would be admitted now. Nothing is taken, nothing is counted.
    pub(crate) fn check(&self) -> Result<(), Open> {
        if self.run.admit().mode() != Mode::Asking {
            return Ok(());
        }
        let now = Instant::now();
        match self.lock().refusal(now) {
            None => Ok(()),
            Some(retry_after) => Err(Open { retry_after }),
        }
    }

    #[inline]
    pub(crate) fn complete(self: &Arc<Self>, pass: Pass, judgement: Judgement) {
        #[cfg(feature = "metrics")]
        self.announcer.figures().called(judgement.into());
        if judgement == Judgement::Success && pass.call.just_passes() {
            self.run.succeed(pass.call);
            if !pass.call.only_counts() {
                self.succeed(pass.call);
            }
        } else {
            self.complete_otherwise(pass, judgement);
        }
    }

    /// A call that was not timed has succeeded, and the window has to know.
    fn succeed(self: &Arc<Self>, call: Admitted) {
        let until = self.aside.until();
        if until != WHENEVER {
            self.succeed_in_time(call, until);
        } else if !self.aside.count(call) {
            self.tell(call, Went::default(), None);
        }
    }

    fn succeed_in_time(self: &Arc<Self>, call: Admitted, until: u64) {
        let ended = Instant::now();
        if self.age(ended) >= until || !self.aside.count(call) {
            self.tell(call, Went::default(), Some(ended));
        }
    }

    fn complete_otherwise(self: &Arc<Self>, pass: Pass, judgement: Judgement) {
        let Pass { call, began } = pass;
        let failed = match judgement {
            Judgement::Success => false,
            Judgement::Failure => true,
            Judgement::Ignored => {
                if call.is_probe() {
                    self.lock().give_back(call.period());
                }
                return;
            }
        };
        if call.mode() == Mode::Asking {
            if call.is_probe() {
                self.prove(call, failed, began);
            }
            return;
        }
        if !failed {
            self.run.succeed(call);
        } else if self.run.fail(call) >= self.threshold.load(Ordering::Relaxed) {
            self.change(|machine, now| machine.trip(call.period(), now));
        }
        if call.mode() != Mode::Counting {
            self.record(call, failed, began);
        }
    }

    fn prove(self: &Arc<Self>, call: Admitted, failed: bool, began: u64) {
        self.change(|machine, now| {
            let slow =
                machine.options().slow_rate.is_some() && self.took(began, now) > machine.options().slow_after;
            machine.prove(call.period(), !failed && !slow, now)
        });
    }

    fn record(self: &Arc<Self>, call: Admitted, failed: bool, began: u64) {
        if call.mode() != Mode::Timing {
            return self.tell(call, Went { failed, slow: false }, None);
        }
        let ended = Instant::now();
        let age = self.age(ended);
        let slow = age.saturating_sub(began) > self.slow_after.load(Ordering::Relaxed);
        if failed || slow || age >= self.aside.until() || !self.aside.count(call) {
            self.tell(call, Went { failed, slow }, Some(ended));
        }
    }

    /// Tells the window of a call.
    #[cold]
    fn tell(self: &Arc<Self>, call: Admitted, went: Went, ended: Option<Instant>) {
        let mut machine = self.lock();
        if machine.period() != call.period() {
            return;
        }
        self.take_in(&mut machine);
        let has_changed = machine.record(went, || ended.unwrap_or_else(Instant::now));
        if has_changed {
            self.publish(&mut machine);
        } else {
            self.grant(&mut machine);
        }
        drop(machine);
        if has_changed {
            self.announcer.announce(self);
        }
    }

    /// The state, what the window holds, and how often it has opened.
    pub(crate) fn known(self: &Arc<Self>) -> (BreakerState, Count, u64) {
        self.change(|machine, now| {
            machine.handle(Event::Elapse, now);
            self.take_in(machine);
            let known = (machine.state(), machine.count(now), machine.openings());
            self.grant(machine);
            known
        })
    }

    /// To be called under the machine's lock, and then the other, or nothing is counted beside it any more.
    fn take_in(&self, machine: &mut Machine) {
        let left = self.aside.take(machine.period());
        machine.take_in(left);
    }

    fn grant(&self, machine: &mut Machine) {
        let until = until(machine, self.made_at);
        self.aside.grant(machine.period(), machine.grant(), until);
    }

    /// Nanoseconds since it was made.
    fn age(&self, now: Instant) -> u64 {
        nanos(now - self.made_at)
    }

    fn took(&self, began: u64, now: Instant) -> Duration {
        Duration::from_nanos(self.age(now).saturating_sub(began))
    }

    /// Changes the machine, and lets everybody know if that began a new period.
    pub(crate) fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut Machine, Instant) -> R) -> R {
        let now = Instant::now();
        let mut machine = self.lock();
        let before = machine.period();
        let answer = change(&mut machine, now);
        let has_changed = machine.period() != before;
        if has_changed {
            self.publish(&mut machine);
        }
        drop(machine);
        if has_changed {
            self.announcer.announce(self);
        }
        answer
    }

    /// To be called under the machine's lock, so that what is told comes in the order in which it happened.
    fn publish(&self, machine: &mut Machine) {
        // Whoever is admitted in this period finds what is granted in it.
        self.grant(machine);
        self.run.begin(machine.period(), mode_of(machine));
        self.announcer.note(machine.state(), machine.opens_until());
    }

    /// The open time has passed, says the timer.
    pub(crate) fn elapse(self: &Arc<Self>) {
        self.change(|machine, now| machine.handle(Event::Elapse, now));
    }

    /// Follows these options from now on. Nothing foreign is called.
    pub(crate) fn follow(&self, options: &BreakerOptions) {
        let now = Instant::now();
        let mut machine = self.lock();
        self.take_in(&mut machine);
        machine.follow(options.clone(), now);
        self.threshold.store(threshold(options), Ordering::Relaxed);
        self.slow_after.store(nanos(options.slow_after), Ordering::Relaxed);
        self.grant(&mut machine);
        self.run.set_mode(mode_of(&machine));
    }

    /// Nothing that panics runs under this lock, so a poisoned one still guards a sound state.
    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Five centuries at most.
fn nanos(time: Duration) -> u64 {
    const LONGEST: u64 = 500 * 365 * 24 * 3_600;
    time.as_secs().min(LONGEST) * 1_000_000_000 + u64::from(time.subsec_nanos())
}

/// At what age of the breaker a success is no longer counted beside the machine.
fn until(machine: &Machine, made_at: Instant) -> u64 {
    machine.grants_until().map_or(WHENEVER, |until| nanos(until - made_at))
}

fn threshold(options: &BreakerOptions) -> u32 {
    options.failure_threshold.unwrap_or(u32::MAX)
}

/// How calls are admitted in a machine's state.
fn mode_of(machine: &Machine) -> Mode {
    match machine.state() {
        BreakerState::Closed if machine.options().slow_rate.is_some() => Mode::Timing,
        BreakerState::Closed if machine.takes_shares() => Mode::Recording,
        BreakerState::Closed => Mode::Counting,
        _ => Mode::Asking,
    }
}
