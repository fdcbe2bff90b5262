//! Callbacks about operations. They run in the worker's call, never under a lock, and cannot hurt it.

use std::fmt;
use std::sync::Arc;

use crate::contain::contain;
use crate::sync::{AtomicBool, Mutex, Ordering, PoisonError};
use crate::{OperationSnapshot, SignalSink};

type Observer<K> = Arc<dyn Fn(&OperationSnapshot<K>) + Send + Sync>;

/// Those who want to hear of one kind of event.
pub(crate) struct Observers<K> {
    all: Mutex<Vec<Observer<K>>>,
    /// Lets the engine skip what nobody wants to hear.
    any: AtomicBool,
}

impl<K> Observers<K> {
    pub(crate) fn add(&self, observer: Observer<K>) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(observer);
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Tells every observer. A panic is contained, and a `sink.callback.panicked` event tells of it.
    pub(crate) fn tell(&self, snapshot: &OperationSnapshot<K>, signals: &SignalSink) {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for observer in all {
            if contain(|| observer(snapshot)).is_none() {
                signals.raise("sink.callback.panicked:observer");
            }
        }
    }
}

impl<K> Default for Observers<K> {
    fn default() -> Self {
        Self { all: Mutex::new(Vec::new()), any: AtomicBool::new(false) }
    }
}

impl<K> fmt::Debug for Observers<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").finish_non_exhaustive()
    }
}
