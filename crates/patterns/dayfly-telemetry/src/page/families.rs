//! What stands on the page: families of one name, and in them one series for each set of labels.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use metrics::{Key, KeyName, SharedString, Unit};

use super::text;
use crate::buckets::{NUMBERS, SECONDS};

/// The most series, over all families.
const MOST_SERIES: usize = 4_096;

#[derive(Default)]
pub(super) struct Families {
    described: HashMap<KeyName, (Option<Unit>, SharedString)>,
    by_name: BTreeMap<String, Family>,
    series: usize,
}

/// All series of one name. They are of one kind.
pub(super) struct Family {
    pub(super) help: SharedString,
    pub(super) kind: Kind,
    /// By their labels as they are written.
    pub(super) series: BTreeMap<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Clone)]
pub(super) enum Value {
    Counter(Arc<AtomicU64>),
    /// The bits of the level.
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Mutex<Buckets>>),
}

/// A distribution.
pub(super) struct Buckets {
    pub(super) bounds: &'static [f64],
    /// How many values are within each bound and not within the one before it.
    pub(super) within: Vec<u64>,
    pub(super) count: u64,
    pub(super) sum: f64,
}

impl Families {
    pub(super) fn describe(&mut self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        if self.described.len() < MOST_SERIES || self.described.contains_key(&name) {
            self.described.insert(name, (unit, help));
        }
    }

    /// The series of this key, which is new where there is none; nothing beyond the bound, and nothing where the name is that
    /// of another kind.
    pub(super) fn series(&mut self, key: &Key, kind: Kind) -> Option<Value> {
        let described = self.described.get(key.name());
        let unit = described.and_then(|(unit, _)| *unit);
        let name = text::name(key.name(), kind, unit);
        let labels = text::labels(key, kind);
        if let Some(family) = self.by_name.get(&name) {
            if family.kind != kind {
                return None;
            }
            if let Some(value) = family.series.get(&labels) {
                return Some(value.clone());
            }
        }
        if self.series >= MOST_SERIES {
            return None;
        }
        self.series += 1;
        let help = || described.map(|(_, help)| help.clone()).unwrap_or_default();
        let family = self.by_name.entry(name);
        let family = family.or_insert_with(|| Family { help: help(), kind, series: BTreeMap::new() });
        let value = Value::new(kind, unit);
        family.series.insert(labels, value.clone());
        Some(value)
    }

    pub(super) fn text(&self) -> String {
        let mut page = String::new();
        for (name, family) in &self.by_name {
            text::write(&mut page, name, family);
        }
        page
    }
}

impl Value {
    fn new(kind: Kind, unit: Option<Unit>) -> Self {
        match kind {
            Kind::Counter => Self::Counter(Arc::default()),
            Kind::Gauge => Self::Gauge(Arc::new(AtomicU64::new(0.0_f64.to_bits()))),
            Kind::Histogram => {
                let bounds: &[f64] = if unit == Some(Unit::Seconds) { &SECONDS } else { &NUMBERS };
                Self::Histogram(Arc::new(Mutex::new(Buckets::new(bounds))))
            }
        }
    }
}

impl Buckets {
    fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, within: vec![0; bounds.len()], count: 0, sum: 0.0 }
    }

    /// One that is not finite would spoil the sum of all.
    pub(super) fn record(&mut self, value: f64, times: usize) {
        let times = times as u64;
        if value.is_finite() && times > 0 {
            if let Some(at) = self.bounds.iter().position(|bound| value <= *bound) {
                self.within[at] += times;
            }
            self.count += times;
            self.sum += value * float(times);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum of floats has no more precision")]
const fn float(number: u64) -> f64 {
    number as f64
}

/// Nothing that panics runs under this lock.
pub(super) fn lock(buckets: &Mutex<Buckets>) -> MutexGuard<'_, Buckets> {
    buckets.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A level changes by this much.
pub(super) fn change(level: &AtomicU64, by: f64) {
    let changed = |level| Some((f64::from_bits(level) + by).to_bits());
    // It always changes to something.
    let (Ok(_) | Err(_)) = level.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed);
}
