//! The formula of failsafe-go's `AdaptiveLimiter`: a queue is estimated from the recent latency and a moving average of it,
//! beside correlations of what is in flight with throughput and latency.

use std::collections::VecDeque;

use super::{Formula, Nanos, SECOND};

const MIN_SAMPLES: usize = 50;
const WARM_UP: usize = 10;
const SMOOTHED: usize = 5;
const BASELINE_AGE: f64 = 10.0;
const CORRELATED: usize = 50;

pub(crate) struct Failsafe {
    limit: f64,
    min: f64,
    max: f64,
    in_flight: usize,
    peak: usize,
    samples: Vec<Nanos>,
    next_update: Nanos,
    quantiles: VecDeque<f64>,
    recent: Average,
    baseline: Average,
    in_flights: VecDeque<f64>,
    throughputs: VecDeque<f64>,
    latencies: VecDeque<f64>,
}

/// A plain average at first, an exponential one from then on.
#[derive(Default)]
struct Average {
    value: f64,
    count: usize,
}

impl Average {
    fn add(&mut self, sample: f64, age: f64) -> f64 {
        self.count += 1;
        let share = if self.count <= WARM_UP { 1.0 / self.count as f64 } else { 2.0 / (age + 1.0) };
        self.value += (sample - self.value) * share;
        self.value
    }
}

impl Failsafe {
    pub(crate) fn new(initial: u32, min: u32, max: u32) -> Self {
        Self {
            limit: f64::from(initial),
            min: f64::from(min),
            max: f64::from(max),
            in_flight: 0,
            peak: 0,
            samples: Vec::new(),
            next_update: 0,
            quantiles: VecDeque::new(),
            recent: Average::default(),
            baseline: Average::default(),
            in_flights: VecDeque::new(),
            throughputs: VecDeque::new(),
            latencies: VecDeque::new(),
        }
    }

    fn update(&mut self, recent: f64) {
        let baseline = self.baseline.add(recent, BASELINE_AGE);
        let queue = (self.limit * (1.0 - baseline / recent)).ceil();
        let in_flight = self.peak as f64;
        keep(&mut self.in_flights, in_flight, CORRELATED);
        keep(&mut self.throughputs, in_flight / recent, CORRELATED);
        keep(&mut self.latencies, recent, CORRELATED);
        let with_throughput = correlation(&self.in_flights, &self.throughputs);
        let with_latency = correlation(&self.in_flights, &self.latencies);
        let is_full = self.in_flight >= self.limit();
        let step = if self.limit < 100.0 { 1.0 } else { 2.0 };
        let falls = queue > 6.0 * step
            || (is_full && with_throughput < 0.0)
            || (is_full && with_throughput < 0.3 && with_latency > 0.5)
            || (is_full && variation(&self.throughputs) < 0.2 && with_latency > 0.5);
        if falls {
            self.limit -= step;
        } else if queue < 3.0 * step {
            self.limit += step;
        }
        self.limit = self.limit.clamp(self.min, self.max);
    }
}

impl Formula for Failsafe {
    type Call = Nanos;

    fn limit(&self) -> usize {
        self.limit as usize
    }

    fn begin(&mut self, now: Nanos) -> Nanos {
        self.in_flight += 1;
        self.peak = self.peak.max(self.in_flight);
        now
    }

    fn end(&mut self, began: Nanos, timed_out: bool, now: Nanos) {
        if !timed_out {
            self.samples.push(now - began);
        }
        if now > self.next_update && self.samples.len() >= MIN_SAMPLES {
            self.samples.sort_unstable();
            let quantile = self.samples[self.samples.len() * 9 / 10] as f64;
            keep(&mut self.quantiles, quantile, SMOOTHED);
            let mut sorted: Vec<f64> = self.quantiles.iter().copied().collect();
            sorted.sort_by(f64::total_cmp);
            let recent = self.recent.add(sorted[sorted.len() / 2], SMOOTHED as f64);
            self.update(recent);
            let window = (self.samples[0] * 2).clamp(SECOND, 30 * SECOND);
            self.samples.clear();
            self.peak = self.in_flight;
            self.next_update = now + window;
        }
        self.in_flight -= 1;
    }

    fn baseline(&self) -> Option<Nanos> {
        (self.baseline.count > 0).then_some(self.baseline.value as Nanos)
    }
}

fn keep(window: &mut VecDeque<f64>, value: f64, most: usize) {
    if window.len() == most {
        window.pop_front();
    }
    window.push_back(value);
}

fn mean(window: &VecDeque<f64>) -> f64 {
    window.iter().sum::<f64>() / window.len() as f64
}

fn variance(window: &VecDeque<f64>) -> f64 {
    let mean = mean(window);
    window.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / window.len() as f64
}

fn variation(window: &VecDeque<f64>) -> f64 {
    variance(window).sqrt() / mean(window)
}

/// Nothing where there is too little of it or it hardly varies.
fn correlation(one: &VecDeque<f64>, other: &VecDeque<f64>) -> f64 {
    if one.len() < WARM_UP || variation(one) < 0.01 || variation(other) < 0.01 {
        return 0.0;
    }
    let (mean_one, mean_other) = (mean(one), mean(other));
    let together = one.iter().zip(other).map(|(one, other)| (one - mean_one) * (other - mean_other));
    together.sum::<f64>() / one.len() as f64 / (variance(one) * variance(other)).sqrt()
}
