//! What moves the limit: signals that step it, and windows of samples that are judged. Pure: it takes the time, and has no
//! lock, no clock and no task.
//!
//! ```text
//!              a window: the baseline is due, and more than half of the limit is in use
//!            ┌──────────────────────────────────────────────────────────────┐
//!            │                                                              ▼   ┐ a window: halving has nearly
//!         Steady: the limit is in force                    Probing: half of it  │ halved latency, so there is
//!            ▲                                                              │ ◄─┘ a queue still; it is halved again
//!            └──────────────────────────────────────────────────────────────┘
//!              a window: its latency is the new baseline, or its drops count; or a step
//! ```
//!
//! Every change of the limit begins a generation. A latency speaks for the limit in force only when its sample began
//! under it. A drop speaks against it when it began after the last reduction for drops: those that were on their way then
//! have had their say in it. Other changes do not make a drop stale, or calls that time out slowly were never heard
//! beside others that are quick.

use std::time::Duration;

use tokio::time::Instant;

use crate::gradient::{after_drops, higher, over, rank};
use crate::histogram::Histogram;
use crate::options::AdaptiveLimitOptions;
use crate::sample::Judgement;

#[cfg(test)]
mod model;

/// After so many windows in a row that the floor cannot help, latency is what it is: it is measured anew.
const AT_THE_FLOOR: u32 = 5;

/// Where half of the limit has brought latency down to less than this share of it, the whole of it was a queue.
const HALVING_HELPS: (u64, u64) = (4, 7);

/// One measurement raises the baseline no further than this many times, so that a hiccup does not count as normal.
const STEEPEST_RISE: u64 = 2;

#[derive(Debug)]
pub(crate) struct Control {
    options: AdaptiveLimitOptions,
    limit: usize,
    phase: Phase,
    generation: u64,
    /// The generation that began with the last reduction for drops.
    reduced: u64,
    in_flight: usize,
    window: Window,
    baseline: Option<Baseline>,
    latency: Option<u64>,
    /// Windows in a row that found latency over what is tolerated, at the floor.
    floored: u32,
    windows: u64,
    drops: u64,
    stale: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Steady,
    /// The limit is lowered for a moment, and goes back to what it was; under that, latency was this.
    Probing {
        back_to: usize,
        latency: u64,
    },
}

#[derive(Debug)]
struct Window {
    latencies: Histogram,
    drops: u32,
    /// The most that were in flight at once.
    peak: usize,
    opened_at: Instant,
}

/// The latency without a queue, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Baseline {
    latency: u64,
    measured_at: Instant,
}

/// Under what a sample began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag {
    generation: u64,
    began_at: Instant,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Double,
    Halve,
}

/// What a window came to.
#[derive(Clone, Copy)]
enum Seen {
    Drops { drops: u32, samples: u32 },
    Latency { latency: u64, peak: usize },
}

fn halving_helps(before: u64, latency: u64) -> bool {
    let (share, of) = HALVING_HELPS;
    latency.saturating_mul(of) < before.saturating_mul(share)
}

/// The figures that are told outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) limit: usize,
    pub(crate) is_probing: bool,
    pub(crate) in_flight: usize,
    pub(crate) baseline: Option<Duration>,
    pub(crate) latency: Option<Duration>,
    pub(crate) windows: u64,
    pub(crate) drops: u64,
    pub(crate) stale: u64,
}

impl Control {
    pub(crate) fn new(options: AdaptiveLimitOptions, now: Instant) -> Self {
        Self {
            limit: options.bounds.hold(options.initial),
            options,
            phase: Phase::Steady,
            generation: 0,
            reduced: 0,
            in_flight: 0,
            window: Window { latencies: Histogram::new(), drops: 0, peak: 0, opened_at: now },
            baseline: None,
            latency: None,
            floored: 0,
            windows: 0,
            drops: 0,
            stale: 0,
        }
    }

    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) const fn options(&self) -> &AdaptiveLimitOptions {
        &self.options
    }

    pub(crate) fn figures(&self) -> Figures {
        Figures {
            limit: self.limit,
            is_probing: self.phase != Phase::Steady,
            in_flight: self.in_flight,
            baseline: self.baseline.map(|baseline| Duration::from_nanos(baseline.latency)),
            latency: self.latency.map(Duration::from_nanos),
            windows: self.windows,
            drops: self.drops,
            stale: self.stale,
        }
    }

    /// A sample begins.
    pub(crate) fn begin(&mut self, now: Instant) -> Tag {
        self.in_flight += 1;
        self.window.peak = self.window.peak.max(self.in_flight);
        Tag { generation: self.generation, began_at: now }
    }

    /// A sample ends.
    pub(crate) fn end(&mut self, tag: Tag, judgement: Judgement, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let took = now.saturating_duration_since(tag.began_at);
        let is_unhealthy = self.options.max_latency.is_some_and(|most| took > most);
        match judgement {
            Judgement::Ignored if !is_unhealthy => return,
            Judgement::Success if !is_unhealthy => {
                if tag.generation != self.generation {
                    self.stale += 1;
                    return;
                }
                self.window.latencies.add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
            }
            _ => {
                if tag.generation < self.reduced {
                    self.stale += 1;
                    return;
                }
                self.drops += 1;
                self.window.drops = self.window.drops.saturating_add(1);
            }
        }
        let is_long_enough = now.saturating_duration_since(self.window.opened_at) >= self.options.window;
        if is_long_enough && self.window.samples() >= self.options.min_samples {
            let seen = self.window.close(self.options.quantile);
            self.windows += 1;
            self.judge(seen, now);
            self.window.open(self.in_flight, now);
        }
    }

    /// A signal was raised.
    pub(crate) fn step(&mut self, step: Step) {
        let limit = self.settled();
        self.phase = Phase::Steady;
        let limit = match step {
            Step::Double => limit.saturating_mul(2),
            Step::Halve => limit / 2,
        };
        self.set(limit);
    }

    /// Follows these options from now on.
    pub(crate) fn follow(&mut self, options: AdaptiveLimitOptions) {
        self.options = options;
        if let Phase::Probing { back_to, .. } = &mut self.phase {
            *back_to = self.options.bounds.hold(*back_to);
        }
        self.set(self.limit);
    }

    /// The table of the two phases.
    fn judge(&mut self, seen: Seen, now: Instant) {
        let lower = self.options.bounds.probe(self.limit);
        match (self.phase, seen) {
            (_, Seen::Drops { drops, samples }) => self.give_way(drops, samples),
            (Phase::Probing { latency: before, .. }, Seen::Latency { latency, .. })
                if lower < self.limit && halving_helps(before, latency) =>
            {
                self.probe(lower, latency);
            }
            (Phase::Probing { back_to, .. }, Seen::Latency { latency, .. }) => {
                self.learn(latency, now);
                self.phase = Phase::Steady;
                self.set(back_to);
            }
            (Phase::Steady, Seen::Latency { latency, peak }) if self.is_due(now) && peak > lower => {
                self.probe(lower, latency);
            }
            (Phase::Steady, Seen::Latency { latency, peak }) => self.adjust(latency, peak, now),
        }
        if let Seen::Latency { latency, .. } = seen {
            self.latency = Some(latency);
        }
    }

    fn give_way(&mut self, drops: u32, samples: u32) {
        let settled = self.settled();
        self.phase = Phase::Steady;
        self.set(after_drops(settled, drops, samples, self.options.bounds));
        self.reduced = self.generation;
    }

    /// Lowers the limit for a moment. It will go back to what it is now.
    fn probe(&mut self, lower: usize, latency: u64) {
        self.phase = Phase::Probing { back_to: self.limit, latency };
        self.set(lower);
    }

    fn adjust(&mut self, latency: u64, peak: usize, now: Instant) {
        let is_lower = self.baseline.is_some_and(|known| latency < known.latency);
        // Where it is due here, half of the limit is enough anyway, or there is no lower one: this is what a probe
        // would find.
        if is_lower || self.is_due(now) {
            self.learn(latency, now);
        }
        let Some(Baseline { latency: baseline, .. }) = self.baseline else { return };
        let (limit, options) = (self.limit, &self.options);
        let lower = over(limit, latency, baseline, options);
        self.floored = match lower {
            Some(lower) if lower == options.bounds.min => self.floored.saturating_add(1),
            _ => 0,
        };
        // What is not used says nothing about what more of it would do.
        let is_used = peak >= limit.div_ceil(2);
        let higher = || if is_used { higher(limit, latency, baseline, options) } else { limit };
        let next = lower.unwrap_or_else(higher);
        self.set(next);
    }

    /// This is latency without a queue of ours.
    fn learn(&mut self, latency: u64, now: Instant) {
        let most = self.baseline.map_or(u64::MAX, |known| known.latency.max(1).saturating_mul(STEEPEST_RISE));
        self.baseline = Some(Baseline { latency: latency.min(most), measured_at: now });
    }

    /// Whether the baseline is to be measured: there is none, it is old, or the floor does not help.
    fn is_due(&self, now: Instant) -> bool {
        let is_old =
            |known: Baseline| now.saturating_duration_since(known.measured_at) >= self.options.probe_every;
        self.baseline.is_none_or(is_old) || self.floored >= AT_THE_FLOOR
    }

    /// The limit without the probe that is under way.
    const fn settled(&self) -> usize {
        match self.phase {
            Phase::Steady => self.limit,
            Phase::Probing { back_to, .. } => back_to,
        }
    }

    /// Another limit begins another generation, and latencies of the one before say nothing any more. Drops that were not
    /// judged yet stay, or signals that come often would hide them.
    fn set(&mut self, limit: usize) {
        let before = std::mem::replace(&mut self.limit, self.options.bounds.hold(limit));
        if self.limit != before {
            self.generation += 1;
            self.window.forget_latencies(self.in_flight);
        }
    }
}

impl Window {
    fn samples(&self) -> u32 {
        self.latencies.len().saturating_add(self.drops)
    }

    fn close(&self, quantile: f64) -> Seen {
        let latency = self.latencies.nth(rank(quantile, self.latencies.len()));
        match latency {
            Some(latency) if self.drops == 0 => Seen::Latency { latency, peak: self.peak },
            _ => Seen::Drops { drops: self.drops, samples: self.samples() },
        }
    }

    fn open(&mut self, in_flight: usize, now: Instant) {
        self.forget_latencies(in_flight);
        self.drops = 0;
        self.opened_at = now;
    }

    fn forget_latencies(&mut self, in_flight: usize) {
        self.latencies.clear();
        self.peak = in_flight;
    }
}
