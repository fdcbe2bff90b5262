//! The formula of Envoy's gradient controller as it was before its pull request 11579: while it measures the latency
//! without a queue, it takes whatever answer comes, also of calls that began before.

use super::{Formula, MILLISECOND, Nanos, SECOND};

const UPDATE_EVERY: Nanos = 100 * MILLISECOND;
const MEASURE_EVERY: Nanos = 10 * SECOND;
const SAMPLES_OF_A_MEASUREMENT: usize = 50;

pub(crate) struct Envoy {
    limit: usize,
    /// The limit while it measures, and its floor.
    min: usize,
    max: usize,
    /// How much of the measured latency is allowed on top of it.
    buffer: f64,
    samples: Vec<Nanos>,
    next_update: Nanos,
    next_measurement: Nanos,
    measured: f64,
    /// The limit from before the measurement, while there is one.
    deferred: Option<usize>,
}

impl Envoy {
    pub(crate) fn new(min: usize, max: usize, buffer: f64) -> Self {
        Self {
            limit: min,
            min,
            max,
            buffer,
            samples: Vec::new(),
            next_update: 0,
            next_measurement: 0,
            measured: 0.0,
            deferred: Some(min),
        }
    }

    fn median(&mut self) -> f64 {
        self.samples.sort_unstable();
        let median = self.samples[self.samples.len() / 2] as f64;
        self.samples.clear();
        median
    }
}

impl Formula for Envoy {
    type Call = Nanos;

    fn limit(&self) -> usize {
        self.limit
    }

    fn begin(&mut self, now: Nanos) -> Nanos {
        now
    }

    fn end(&mut self, began: Nanos, _timed_out: bool, now: Nanos) {
        if self.deferred.is_none() && now >= self.next_measurement {
            self.deferred = Some(self.limit);
            self.limit = self.min;
            self.samples.clear();
        }
        self.samples.push(now - began);
        if let Some(before) = self.deferred {
            if self.samples.len() >= SAMPLES_OF_A_MEASUREMENT {
                self.measured = self.median();
                self.limit = before;
                self.deferred = None;
                (self.next_update, self.next_measurement) = (now + UPDATE_EVERY, now + MEASURE_EVERY);
            }
        } else if now >= self.next_update {
            let gradient = (self.measured * (1.0 + self.buffer) / self.median()).clamp(0.5, 2.0);
            let limit = self.limit as f64 * gradient;
            self.limit = ((limit + limit.sqrt()) as usize).clamp(self.min, self.max);
            self.next_update = now + UPDATE_EVERY;
        }
    }

    fn baseline(&self) -> Option<Nanos> {
        (self.measured > 0.0).then_some(self.measured as Nanos)
    }
}
