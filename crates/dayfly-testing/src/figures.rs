//! A recorder of the facade `metrics` that writes down what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// Figures as they were told, by name and labels: `calls{breaker=bank,outcome=failed}`. Clones write down into the same.
///
/// ```
/// let figures = dayfly_testing::Figures::new();
/// figures.of(|| metrics::counter!("visits", "from" => "home").increment(2));
/// assert_eq!(figures.all(), [("visits{from=home}".to_owned(), 2.0)]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Figures(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    values: BTreeMap<String, f64>,
    /// Of distributions, what all their values come to.
    sums: BTreeMap<String, f64>,
    units: BTreeMap<String, Unit>,
}

/// One of them.
struct Series {
    all: Figures,
    name: String,
}

impl Figures {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `told`, and writes down what its thread tells meanwhile.
    pub fn of<R>(&self, told: impl FnOnce() -> R) -> R {
        metrics::with_local_recorder(self, told)
    }

    /// All of them, in order: the sum of a counter, the level of a gauge, and how many values a distribution has.
    #[must_use]
    pub fn all(&self) -> Vec<(String, f64)> {
        self.lock().values.iter().map(|(name, value)| (name.clone(), *value)).collect()
    }

    /// One of them; zero where nothing was told of it.
    #[must_use]
    pub fn value(&self, name: &str) -> f64 {
        self.lock().values.get(name).copied().unwrap_or_default()
    }

    /// The same as a whole number.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        let value = self.value(name);
        value.to_string().parse().unwrap_or_else(|_| panic!("{name} is no count: {value}"))
    }

    /// What the values of a distribution come to; zero where it has none.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        self.lock().sums.get(name).copied().unwrap_or_default()
    }

    /// The unit that was told of the figures of this name.
    #[must_use]
    pub fn unit(&self, name: &str) -> Option<Unit> {
        self.lock().units.get(name).copied()
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>) {
        if let Some(unit) = unit {
            self.lock().units.insert(name.as_str().to_owned(), unit);
        }
    }

    fn series(&self, key: &Key) -> Arc<Series> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Series { all: self.clone(), name: format!("{}{{{}}}", key.name(), labels.join(",")) })
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut all = self.all.lock();
        let value = all.values.entry(self.name.clone()).or_default();
        *value = change(*value);
    }
}

#[expect(clippy::cast_precision_loss, reason = "no test counts beyond 2^53")]
impl CounterFn for Series {
    fn increment(&self, more: u64) {
        self.change(|value| value + more as f64);
    }

    fn absolute(&self, now: u64) {
        self.change(|value| value.max(now as f64));
    }
}

impl GaugeFn for Series {
    fn increment(&self, more: f64) {
        self.change(|value| value + more);
    }

    fn decrement(&self, less: f64) {
        self.change(|value| value - less);
    }

    fn set(&self, level: f64) {
        self.change(|_| level);
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.change(|values| values + 1.0);
        *self.all.lock().sums.entry(self.name.clone()).or_default() += value;
    }
}

impl Recorder for Figures {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.series(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.series(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.series(key))
    }
}
