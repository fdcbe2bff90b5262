//! The formula of Netflix's `Gradient2Limit`: it takes latencies, and does not ask whether a call was dropped.

use super::{Formula, Nanos};

const SMOOTHING: f64 = 0.2;
const ROOM_FOR_A_QUEUE: f64 = 4.0;
const LONG_WINDOW: f64 = 600.0;
const WARM_UP: u32 = 10;
const MIN_SAMPLES: u32 = 10;

pub(crate) struct Gradient2 {
    limit: f64,
    min: f64,
    max: f64,
    /// How long samples are collected for one update (`WindowedLimit`); none where each is one.
    window: Option<Nanos>,
    in_flight: u32,
    peak: u32,
    sum: f64,
    samples: u32,
    opened_at: Nanos,
    long: f64,
    updates: u32,
}

impl Gradient2 {
    pub(crate) fn new(initial: u32, min: u32, max: u32, window: Option<Nanos>) -> Self {
        Self {
            limit: f64::from(initial),
            min: f64::from(min),
            max: f64::from(max),
            window,
            in_flight: 0,
            peak: 0,
            sum: 0.0,
            samples: 0,
            opened_at: 0,
            long: 0.0,
            updates: 0,
        }
    }

    fn update(&mut self, short: f64) {
        self.updates += 1;
        // The long average begins as a plain one, and is an exponential one from then on.
        let share =
            if self.updates <= WARM_UP { 1.0 / f64::from(self.updates) } else { 2.0 / (LONG_WINDOW + 1.0) };
        self.long += (short - self.long) * share;
        let long = self.long;
        if long / short > 2.0 {
            self.long *= 0.9;
        }
        if f64::from(self.peak) < self.limit / 2.0 {
            return;
        }
        let gradient = (long / short).clamp(0.5, 1.0);
        let next = self.limit * gradient + ROOM_FOR_A_QUEUE;
        self.limit = (self.limit * (1.0 - SMOOTHING) + next * SMOOTHING).clamp(self.min, self.max);
    }
}

impl Formula for Gradient2 {
    type Call = Nanos;

    fn limit(&self) -> usize {
        self.limit as usize
    }

    fn begin(&mut self, now: Nanos) -> Nanos {
        self.in_flight += 1;
        self.peak = self.peak.max(self.in_flight);
        now
    }

    fn end(&mut self, began: Nanos, _timed_out: bool, now: Nanos) {
        self.sum += (now - began) as f64;
        self.samples += 1;
        let is_over = |window| now - self.opened_at >= window && self.samples >= MIN_SAMPLES;
        if self.window.is_none_or(is_over) {
            self.update(self.sum / f64::from(self.samples));
            (self.sum, self.samples, self.peak, self.opened_at) = (0.0, 0, self.in_flight, now);
        }
        self.in_flight -= 1;
    }

    fn baseline(&self) -> Option<Nanos> {
        (self.updates > 0).then_some(self.long as Nanos)
    }
}
