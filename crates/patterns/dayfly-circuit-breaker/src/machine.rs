//! The states of a breaker, and what leads from one to the other. No clock, no lock, no signal.
//!
//! ```text
//!                  too many failures, or a share of them
//!      Closed ------------------------------------------------> Open
//!        ^                                                      |  ^
//!        | enough probes                    open_for has passed |  | a probe failed
//!        | succeeded                                            v  |
//!        +--------------------------------------------------- HalfOpen
//!
//!      force_open, force_closed: from anywhere to ForcedOpen, ForcedClosed, which only they and reset leave
//! ```
//!
//! Every change begins a new period. What was admitted in an earlier one and ends now says nothing about this one.

use std::time::Duration;

use tokio::time::Instant;

use crate::aside::UNCOUNTED;
use crate::gauge::{Count, Gauge, Went};
use crate::horizon::after;
use crate::options::{BreakerOptions, Window};

/// Whether calls pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// Calls are refused until some time has passed.
    Open,
    /// Some calls pass, to see how they fare.
    HalfOpen,
    /// Calls are refused until somebody says otherwise.
    ForcedOpen,
    /// Calls pass whatever becomes of them, until somebody says otherwise.
    ForcedClosed,
}

impl BreakerState {
    /// Whether calls are refused.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::ForcedOpen)
    }

    /// The name as signals carry it: `closed`, `open`, `half-open`, `forced-open` or `forced-closed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced-open",
            Self::ForcedClosed => "forced-closed",
        }
    }
}

/// What happens to a breaker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// Failures in a row, or a share of calls, have reached their threshold.
    Trip,
    /// The open time may have passed.
    Elapse,
    /// A probe succeeded, or failed.
    Proved(bool),
    ForceOpen,
    ForceClose,
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen { out: u32, passed: u32 },
    ForcedOpen,
    ForcedClosed,
}

/// A breaker but for the failures in a row, which are counted outside of its lock.
#[derive(Debug)]
pub(crate) struct Machine {
    options: BreakerOptions,
    state: State,
    period: u32,
    gauge: Option<Gauge>,
    /// How many successes may be counted beside this.
    granted: u32,
    openings: u64,
}

/// What came of asking for admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted { period: u32, probe: bool },
    Refused { retry_after: Duration },
}

impl Machine {
    pub(crate) fn new(options: BreakerOptions, now: Instant) -> Self {
        let (state, gauge) = (State::Closed, None);
        let mut machine = Self { options, state, period: 0, gauge, granted: 0, openings: 0 };
        machine.begin(now);
        machine
    }

    pub(crate) const fn options(&self) -> &BreakerOptions {
        &self.options
    }

    pub(crate) const fn period(&self) -> u32 {
        self.period
    }

    pub(crate) const fn openings(&self) -> u64 {
        self.openings
    }

    pub(crate) const fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
            State::ForcedOpen => BreakerState::ForcedOpen,
            State::ForcedClosed => BreakerState::ForcedClosed,
        }
    }

    /// The state that a look at this moment would find.
    pub(crate) fn state_at(&self, now: Instant) -> BreakerState {
        match self.state {
            State::Open { until } if now >= until => BreakerState::HalfOpen,
            _ => self.state(),
        }
    }

    /// When it admits probes, while it is open for a time.
    pub(crate) const fn opens_until(&self) -> Option<Instant> {
        match self.state {
            State::Open { until } => Some(until),
            _ => None,
        }
    }

    /// Whether each completion has to be recorded here.
    pub(crate) const fn takes_shares(&self) -> bool {
        self.options.takes_shares()
    }

    pub(crate) fn count(&mut self, now: Instant) -> Count {
        self.gauge.as_mut().map(|gauge| gauge.count(now)).unwrap_or_default()
    }

    /// The one table. Says whether the state has changed.
    pub(crate) fn handle(&mut self, event: Event, now: Instant) -> bool {
        let next = match (self.state, event) {
            (State::Closed, Event::Trip) | (State::HalfOpen { .. }, Event::Proved(false)) => self.open(now),
            (State::Open { until }, Event::Elapse) if now >= until => State::HalfOpen { out: 0, passed: 0 },
            (State::HalfOpen { out, passed }, Event::Proved(true)) => {
                let (out, passed) = (out.saturating_sub(1), passed + 1);
                if passed < self.options.successes {
                    // Still the same period: who is out goes on being a probe.
                    self.state = State::HalfOpen { out, passed };
                    return false;
                }
                State::Closed
            }
            (state, Event::ForceOpen) if state != State::ForcedOpen => State::ForcedOpen,
            (state, Event::ForceClose) if state != State::ForcedClosed => State::ForcedClosed,
            (_, Event::Reset) => State::Closed,
            (_, _) => return false,
        };
        let was = self.state();
        self.state = next;
        self.begin(now);
        self.state() != was
    }

    pub(crate) fn admit(&mut self, now: Instant) -> Admission {
        self.handle(Event::Elapse, now);
        let period = self.period;
        match &mut self.state {
            State::Closed | State::ForcedClosed => Admission::Admitted { period, probe: false },
            State::HalfOpen { out, .. } if *out < self.options.probes => {
                *out += 1;
                Admission::Admitted { period, probe: true }
            }
            State::Open { until } => Admission::Refused { retry_after: *until - now },
            // How long probes take, or somebody's hand, nobody knows.
            State::HalfOpen { .. } | State::ForcedOpen => {
                Admission::Refused { retry_after: self.options.open_for }
            }
        }
    }

    /// How long to wait if a call were refused now. Admits nobody.
    pub(crate) fn refusal(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Open { until } if now < until => Some(until - now),
            State::HalfOpen { out, .. } if out >= self.options.probes => Some(self.options.open_for),
            State::ForcedOpen => Some(self.options.open_for),
            _ => None,
        }
    }

    /// A probe of this period was given back without a word.
    pub(crate) fn give_back(&mut self, period: u32) {
        if let State::HalfOpen { out, .. } = &mut self.state
            && period == self.period
        {
            *out = out.saturating_sub(1);
        }
    }

    /// A probe of this period has ended. Says whether the state has changed.
    pub(crate) fn prove(&mut self, period: u32, succeeded: bool, now: Instant) -> bool {
        period == self.period && self.handle(Event::Proved(succeeded), now)
    }

    /// Failures in a row have reached the threshold in this period. Says whether the state has changed.
    pub(crate) fn trip(&mut self, period: u32, now: Instant) -> bool {
        period == self.period && self.handle(Event::Trip, now)
    }

    /// Takes a completion of this period into the window. Says whether the state has changed.
    pub(crate) fn record(&mut self, went: Went, now: impl Fn() -> Instant) -> bool {
        let Some(gauge) = &mut self.gauge else { return false };
        let count = gauge.add(went, &now);
        self.is_too_much(count) && self.handle(Event::Trip, now())
    }

    /// How many successes may be counted beside this from now on, before it is told of one.
    pub(crate) fn grant(&mut self) -> u32 {
        self.granted = self.gauge.as_ref().map_or(UNCOUNTED, |gauge| {
            let sum = gauge.sum();
            match self.enough().saturating_sub(sum.calls) {
                // The success that makes the calls enough opens it if too many of them were bad. Any other makes the share of
                // bad ones no greater.
                missing @ 1.. if !sum.is_sound() => gauge.spares().min(missing - 1),
                // Calls that have left the window since, or other options, have made it too much: the next call tells.
                _ if self.is_too_much(sum) => 0,
                _ => gauge.spares(),
            }
        });
        self.granted
    }

    /// Until when they may be counted, where that matters.
    pub(crate) fn grants_until(&self) -> Option<Instant> {
        self.gauge.as_ref().and_then(Gauge::spares_until)
    }

    /// Of the successes that were granted, so many are left. The others are taken in.
    pub(crate) fn take_in(&mut self, left: u32) {
        let calls = std::mem::take(&mut self.granted).saturating_sub(left);
        if let Some(gauge) = &mut self.gauge {
            gauge.add_successes(calls);
        }
    }

    /// How many calls have to be known before a share means anything.
    fn enough(&self) -> u32 {
        match self.options.window {
            Window::Calls(size) => self.options.minimum_calls.min(size),
            Window::Time(_) => self.options.minimum_calls,
        }
    }

    fn is_too_much(&self, count: Count) -> bool {
        if count.is_sound() {
            return false;
        }
        let Count { calls, failed, slow } = count;
        let reaches = |part: u32, share: Option<f64>| {
            share.is_some_and(|share| part > 0 && f64::from(part) >= share * f64::from(calls))
        };
        calls >= self.enough()
            && (reaches(failed, self.options.failure_rate) || reaches(slow, self.options.slow_rate))
    }

    /// Follows these options from now on. What has been counted is kept where the window is the same.
    pub(crate) fn follow(&mut self, options: BreakerOptions, now: Instant) {
        let keeps = options.window == self.options.window && options.takes_shares() == self.takes_shares();
        self.options = options;
        if !keeps {
            self.start_gauge(now);
        }
    }

    fn open(&mut self, now: Instant) -> State {
        self.openings += 1;
        State::Open { until: after(now, self.options.open_for) }
    }

    /// A new period, in which nothing has happened yet.
    fn begin(&mut self, now: Instant) {
        self.period = self.period.wrapping_add(1);
        self.granted = 0;
        self.start_gauge(now);
    }

    fn start_gauge(&mut self, now: Instant) {
        let counts = self.options.takes_shares() && self.state == State::Closed;
        self.gauge = counts.then(|| Gauge::new(self.options.window, now));
    }
}
