//! The recorder that writes a page, and tells the one after it the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use super::families::{Buckets, Families, Kind, Value, change, lock};

pub(super) struct Writer {
    families: Arc<Mutex<Families>>,
    next: Option<Box<dyn Recorder + Send + Sync>>,
    known: Mutex<Known>,
}

/// The handles that were given out, so that telling a figure costs a look-up. They are no more than there are series.
#[derive(Default)]
struct Known {
    counters: HashMap<Key, Counter>,
    gauges: HashMap<Key, Gauge>,
    histograms: HashMap<Key, Histogram>,
}

/// A series on the page, and its like in the recorder after it.
struct Both<V, N> {
    own: V,
    next: N,
}

impl Writer {
    pub(super) fn new(families: Arc<Mutex<Families>>, next: Option<Box<dyn Recorder + Send + Sync>>) -> Self {
        Self { families, next, known: Mutex::default() }
    }

    /// The recorder after it may be anything, so it is asked under none of these locks.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn families(&self) -> MutexGuard<'_, Families> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.families().describe(name, unit, text);
    }

    fn next<N>(&self, register: impl FnOnce(&dyn Recorder) -> N, none: impl FnOnce() -> N) -> N {
        self.next.as_deref().map_or_else(none, |next| register(next))
    }
}

impl Recorder for Writer {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        if let Some(next) = &self.next {
            next.describe_counter(name.clone(), unit, text.clone());
        }
        self.describe(name, unit, text);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        if let Some(next) = &self.next {
            next.describe_gauge(name.clone(), unit, text.clone());
        }
        self.describe(name, unit, text);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        if let Some(next) = &self.next {
            next.describe_histogram(name.clone(), unit, text.clone());
        }
        self.describe(name, unit, text);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        if let Some(counter) = self.known().counters.get(key) {
            return counter.clone();
        }
        let next = self.next(|next| next.register_counter(key, metadata), Counter::noop);
        let Some(Value::Counter(own)) = self.families().series(key, Kind::Counter) else { return next };
        let counter = Counter::from_arc(Arc::new(Both { own, next }));
        self.known().counters.entry(key.clone()).or_insert(counter).clone()
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        if let Some(gauge) = self.known().gauges.get(key) {
            return gauge.clone();
        }
        let next = self.next(|next| next.register_gauge(key, metadata), Gauge::noop);
        let Some(Value::Gauge(own)) = self.families().series(key, Kind::Gauge) else { return next };
        let gauge = Gauge::from_arc(Arc::new(Both { own, next }));
        self.known().gauges.entry(key.clone()).or_insert(gauge).clone()
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        if let Some(histogram) = self.known().histograms.get(key) {
            return histogram.clone();
        }
        let next = self.next(|next| next.register_histogram(key, metadata), Histogram::noop);
        let Some(Value::Histogram(own)) = self.families().series(key, Kind::Histogram) else { return next };
        let histogram = Histogram::from_arc(Arc::new(Both { own, next }));
        self.known().histograms.entry(key.clone()).or_insert(histogram).clone()
    }
}

impl CounterFn for Both<Arc<AtomicU64>, Counter> {
    fn increment(&self, more: u64) {
        self.own.fetch_add(more, Ordering::Relaxed);
        self.next.increment(more);
    }

    fn absolute(&self, now: u64) {
        self.own.fetch_max(now, Ordering::Relaxed);
        self.next.absolute(now);
    }
}

impl GaugeFn for Both<Arc<AtomicU64>, Gauge> {
    fn increment(&self, more: f64) {
        change(&self.own, more);
        self.next.increment(more);
    }

    fn decrement(&self, less: f64) {
        change(&self.own, -less);
        self.next.decrement(less);
    }

    fn set(&self, level: f64) {
        self.own.store(level.to_bits(), Ordering::Relaxed);
        self.next.set(level);
    }
}

impl HistogramFn for Both<Arc<Mutex<Buckets>>, Histogram> {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    fn record_many(&self, value: f64, times: usize) {
        lock(&self.own).record(value, times);
        self.next.record_many(value, times);
    }
}
