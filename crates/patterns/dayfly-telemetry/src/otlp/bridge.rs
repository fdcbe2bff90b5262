//! From the facade `metrics` to the instruments of OpenTelemetry.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use metrics::{CounterFn, GaugeFn, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::buckets::SECONDS;

/// The most series of one kind. The SDK has a bound of its own for each name; this one is for the names.
const MOST_SERIES: usize = 4_096;

/// A recorder whose figures are instruments of a meter.
#[derive(Clone, Debug)]
pub(super) struct Bridge {
    meter: Meter,
    series: Arc<Mutex<Series>>,
}

#[derive(Default)]
struct Series {
    described: HashMap<KeyName, (Option<Unit>, SharedString)>,
    counters: HashMap<Key, Arc<Counter>>,
    gauges: HashMap<Key, Arc<Gauge>>,
    histograms: HashMap<Key, Arc<Histogram>>,
}

struct Counter {
    instrument: opentelemetry::metrics::Counter<u64>,
    labels: Vec<KeyValue>,
    /// What `absolute` has told.
    told: AtomicU64,
}

struct Gauge {
    instrument: opentelemetry::metrics::Gauge<f64>,
    labels: Vec<KeyValue>,
    /// The bits of the level.
    level: AtomicU64,
}

struct Histogram {
    instrument: opentelemetry::metrics::Histogram<f64>,
    labels: Vec<KeyValue>,
}

impl Bridge {
    pub(super) fn new(meter: Meter) -> Self {
        Self { meter, series: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        let mut series = self.lock();
        if series.described.len() < MOST_SERIES || series.described.contains_key(&name) {
            series.described.insert(name, (unit, text));
        }
    }
}

impl Series {
    /// The unit as OpenTelemetry writes it, and the meaning.
    fn description(&self, key: &Key) -> (&'static str, String) {
        match self.described.get(key.name()) {
            Some((unit, text)) => (unit.map_or("", unit_text), text.to_string()),
            None => ("", String::new()),
        }
    }
}

/// A count has no unit there, or `{thing}` of what is counted.
fn unit_text(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "",
        unit => unit.as_canonical_label(),
    }
}

fn labels(key: &Key) -> Vec<KeyValue> {
    key.labels().map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned())).collect()
}

/// The series that there is, or a new one; none beyond the bound.
fn found<K: Clone + Eq + Hash, S>(
    all: &mut HashMap<K, Arc<S>>,
    key: &K,
    make: impl FnOnce() -> S,
) -> Option<Arc<S>> {
    if let Some(series) = all.get(key) {
        return Some(Arc::clone(series));
    }
    if all.len() >= MOST_SERIES {
        return None;
    }
    let series = Arc::new(make());
    all.insert(key.clone(), Arc::clone(&series));
    Some(series)
}

impl Recorder for Bridge {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(name, unit, text);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(name, unit, text);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(name, unit, text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        let mut series = self.lock();
        let (unit, text) = series.description(key);
        let make = || {
            let builder = self.meter.u64_counter(key.name().to_owned());
            let instrument = builder.with_unit(unit).with_description(text).build();
            Counter { instrument, labels: labels(key), told: AtomicU64::new(0) }
        };
        let found = found(&mut series.counters, key, make);
        found.map_or_else(metrics::Counter::noop, metrics::Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        let mut series = self.lock();
        let (unit, text) = series.description(key);
        let make = || {
            let builder = self.meter.f64_gauge(key.name().to_owned());
            let instrument = builder.with_unit(unit).with_description(text).build();
            Gauge { instrument, labels: labels(key), level: AtomicU64::new(0.0_f64.to_bits()) }
        };
        found(&mut series.gauges, key, make).map_or_else(metrics::Gauge::noop, metrics::Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        let mut series = self.lock();
        let (unit, text) = series.description(key);
        let make = || {
            let builder = self.meter.f64_histogram(key.name().to_owned());
            let builder = builder.with_unit(unit).with_description(text);
            let builder = if unit == "s" { builder.with_boundaries(SECONDS.to_vec()) } else { builder };
            Histogram { instrument: builder.build(), labels: labels(key) }
        };
        let found = found(&mut series.histograms, key, make);
        found.map_or_else(metrics::Histogram::noop, metrics::Histogram::from_arc)
    }
}

impl CounterFn for Counter {
    fn increment(&self, more: u64) {
        self.instrument.add(more, &self.labels);
    }

    fn absolute(&self, now: u64) {
        let before = self.told.fetch_max(now, Ordering::AcqRel);
        if now > before {
            self.instrument.add(now - before, &self.labels);
        }
    }
}

impl Gauge {
    fn change(&self, by: f64) {
        let changed = |level| Some((f64::from_bits(level) + by).to_bits());
        // It always changes to something.
        let (Ok(before) | Err(before)) =
            self.level.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed);
        self.instrument.record(f64::from_bits(before) + by, &self.labels);
    }
}

impl GaugeFn for Gauge {
    fn increment(&self, more: f64) {
        self.change(more);
    }

    fn decrement(&self, less: f64) {
        self.change(-less);
    }

    fn set(&self, level: f64) {
        self.level.store(level.to_bits(), Ordering::Release);
        self.instrument.record(level, &self.labels);
    }
}

impl HistogramFn for Histogram {
    fn record(&self, value: f64) {
        // One that is not finite would spoil the sum of all.
        if value.is_finite() {
            self.instrument.record(value, &self.labels);
        }
    }
}

impl std::fmt::Debug for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Series").finish_non_exhaustive()
    }
}
