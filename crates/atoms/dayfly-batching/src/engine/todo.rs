//! What a change of the desk asks for of whoever holds no lock any more. Workers keep theirs, so that its lists grow once.

use std::task::Waker;

use crate::DrainReport;
use dayfly::contain::{clear, contain};

/// What is left to do when the lock is free.
pub(super) struct Todo<T, K> {
    /// Whom to wake; the first worker has a place of its own, so that nothing is allocated for it.
    pub(super) worker: Option<Waker>,
    pub(super) wakers: Vec<Waker>,
    /// A waker that is not needed any more: it may be the last of its task, which may own anything.
    pub(super) spent: Option<Waker>,
    pub(super) starts: usize,
    pub(super) tells_keeper: bool,
    pub(super) has_progressed: bool,
    pub(super) ended: Option<DrainReport>,
    pub(super) dropped: Vec<T>,
    /// Keys that are not needed any more; there is one at most, unless everything is given up.
    pub(super) key: Option<K>,
    pub(super) keys: Vec<K>,
}

impl<T, K> Todo<T, K> {
    pub(super) const fn new() -> Self {
        Self {
            worker: None,
            wakers: Vec::new(),
            spent: None,
            starts: 0,
            tells_keeper: false,
            has_progressed: false,
            ended: None,
            dropped: Vec::new(),
            key: None,
            keys: Vec::new(),
        }
    }

    /// Drops what is foreign, each whatever the others do. Most of the time there is nothing.
    pub(super) fn drop_foreign(&mut self) {
        if self.spent.is_some() {
            contain(|| self.spent = None);
        }
        if self.key.is_some() {
            contain(|| self.key = None);
            clear(&mut self.keys);
        }
        clear(&mut self.dropped);
    }

    pub(super) fn drop_key(&mut self, key: Option<K>) {
        match &self.key {
            Some(_) => self.keys.extend(key),
            None => self.key = key,
        }
    }

    pub(super) fn wake(&mut self, waker: Waker) {
        match &self.worker {
            Some(_) => self.wakers.push(waker),
            None => self.worker = Some(waker),
        }
    }
}
