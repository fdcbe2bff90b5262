//! What a scenario sees of its bodies and items. Nothing here is shuttle's, so looking adds no place to switch tasks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dayfly::DrainReport;

/// Counts how many are inside, at most and now, and starts while it is asked to.
#[derive(Clone, Debug, Default)]
pub struct Bodies(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    inside: AtomicUsize,
    most: AtomicUsize,
    started: AtomicUsize,
    /// Starts that found more inside than this are counted, unless it is zero.
    bound: AtomicUsize,
    above: AtomicUsize,
}

/// Being inside, until it is dropped.
#[derive(Debug)]
pub struct Inside(Arc<Counts>);

impl Bodies {
    /// A body begins.
    pub fn enter(&self) -> Inside {
        let counts = &*self.0;
        counts.started.fetch_add(1, Ordering::SeqCst);
        let inside = counts.inside.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most.fetch_max(inside, Ordering::SeqCst);
        let bound = counts.bound.load(Ordering::SeqCst);
        if bound > 0 && inside > bound {
            counts.above.fetch_add(1, Ordering::SeqCst);
        }
        Inside(Arc::clone(&self.0))
    }

    /// How many were inside at once, at most.
    pub fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }

    /// How many are inside.
    pub fn now(&self) -> usize {
        self.0.inside.load(Ordering::SeqCst)
    }

    /// How many have begun.
    pub fn started(&self) -> usize {
        self.0.started.load(Ordering::SeqCst)
    }

    /// From now on, starts beyond so many at once are counted; 0 for none.
    pub fn set_bound(&self, inside: usize) {
        self.0.bound.store(inside, Ordering::SeqCst);
    }

    /// How many starts were beyond the bound.
    pub fn above(&self) -> usize {
        self.0.above.load(Ordering::SeqCst)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Counts what happened to each of many things.
#[derive(Clone, Debug)]
pub struct Counted<K>(Arc<Mutex<BTreeMap<K, usize>>>);

impl<K> Default for Counted<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Ord> Counted<K> {
    /// It happened to this.
    pub fn note(&self, what: K) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    /// Whether it happened to this.
    pub fn has(&self, what: &K) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(what)
    }

    /// How often it happened to each.
    pub fn all(&self) -> Vec<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }
}

/// An item that tells when it is dropped.
#[derive(Debug)]
pub struct Item {
    /// Which one.
    pub number: u32,
    dropped: Counted<u32>,
}

impl Item {
    /// An item whose end is counted in `dropped`.
    pub fn new(number: u32, dropped: &Counted<u32>) -> Self {
        Self { number, dropped: dropped.clone() }
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.dropped.note(self.number);
    }
}

/// Every accepted operation ended in exactly one way. Returns how many.
pub fn balanced(report: DrainReport) -> u64 {
    let DrainReport { accepted, completed, failed, cancelled, skipped, panicked, .. } = report;
    assert_eq!(accepted, completed + failed + cancelled + skipped + panicked, "{report:?}");
    assert_eq!(panicked, 0, "a body must not panic here: {report:?}");
    accepted
}
