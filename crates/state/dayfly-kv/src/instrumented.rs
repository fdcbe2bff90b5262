//! A store that says how its calls end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use dayfly_signal::{Draft, SignalHandle, SignalSink};

use crate::capabilities::Capabilities;
use crate::ending::{Ending, HasEnding};
use crate::entry::Entry;
use crate::error::{ClearError, DeleteError, GetError, PutError, ScanError, SweepError, WatchError};
use crate::etag::Etag;
use crate::key::{Key, Prefix};
use crate::namespace::Namespace;
use crate::precondition::Precondition;
use crate::put::PutOptions;
use crate::scan::{Page, Scan};
use crate::store::Store;
use crate::watch::{Watch, WatchFrom};

mod called;
#[cfg(feature = "metrics")]
mod figures;

use called::Called;

/// A store that says how its calls end: as signals, as counts, and with the feature `metrics` as metrics.
///
/// | signal | is raised when |
/// |---|---|
/// | `kv.conflict` | a precondition did not hold |
/// | `kv.unknown` | the answer to a write was lost |
/// | `kv.corrupt` | what is there could not be read |
/// | `kv.unavailable` | the store could not do its work; it is retracted when the store answers again |
///
/// Each has the namespace's container and entity as its key, and the call as its payload. So a breaker, a gate or a
/// counter follows a store. What is deferred while `kv.unavailable` is raised makes no calls that would retract it, so let it
/// age out there. The metrics are `dayfly.kv.operations` (a counter) and `dayfly.kv.operation.duration`
/// (seconds), by `operation` and `outcome`.
#[derive(Debug)]
pub struct InstrumentedStore {
    inner: Arc<dyn Store>,
    conflict: SignalHandle,
    unknown: SignalHandle,
    corrupt: SignalHandle,
    unavailable: SignalHandle,
    is_unavailable: AtomicBool,
    counts: [AtomicU64; Ending::ALL.len()],
}

/// How the calls of an [`InstrumentedStore`] have ended so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// They did what they were to do.
    pub done: u64,
    /// A precondition did not hold.
    pub conflicts: u64,
    /// The answer was lost.
    pub unknown: u64,
    /// What is there could not be read.
    pub corrupt: u64,
    /// The store could not do its work.
    pub unavailable: u64,
    /// They were refused: the value is too large, or the store cannot do that.
    pub refused: u64,
    /// Nobody waited for their end.
    pub dropped: u64,
}

impl InstrumentedStore {
    /// A store that does what this one does, and raises signals of how that ends.
    pub fn new(inner: Arc<dyn Store>, signals: &SignalSink) -> Self {
        #[cfg(feature = "metrics")]
        figures::Figures::describe();
        let namespace = inner.namespace();
        let place = format!("{}/{}", namespace.container(), namespace.entity());
        let handle = |name: &str| signals.handle(Draft::named(name).key(&place));
        Self {
            conflict: handle("kv.conflict"),
            unknown: handle("kv.unknown"),
            corrupt: handle("kv.corrupt"),
            unavailable: handle("kv.unavailable"),
            is_unavailable: AtomicBool::new(false),
            counts: [const { AtomicU64::new(0) }; Ending::ALL.len()],
            inner,
        }
    }

    /// How calls have ended so far.
    pub fn stats(&self) -> StoreStats {
        let count = |ending: Ending| self.counts[ending as usize].load(Ordering::Relaxed);
        StoreStats {
            done: count(Ending::Done),
            conflicts: count(Ending::Conflict),
            unknown: count(Ending::Unknown),
            corrupt: count(Ending::Corrupt),
            unavailable: count(Ending::Unavailable),
            refused: count(Ending::Refused),
            dropped: count(Ending::Dropped),
        }
    }

    async fn tell<T, E: HasEnding>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let called = Called::new(self, operation);
        let answer = call.await;
        called.ended(answer.as_ref().err().map_or(Ending::Done, HasEnding::ending));
        answer
    }

    fn ended(&self, operation: &'static str, ending: Ending) {
        self.counts[ending as usize].fetch_add(1, Ordering::Relaxed);
        match ending {
            Ending::Conflict => {
                self.conflict.raise_with(operation);
            }
            Ending::Unknown => {
                self.unknown.raise_with(operation);
            }
            Ending::Corrupt => {
                self.corrupt.raise_with(operation);
            }
            Ending::Unavailable => {
                // Noted after it is raised: what another call takes back too early is taken back by the next one, and
                // nothing stays raised that nobody would take back.
                self.unavailable.raise_with(operation);
                self.is_unavailable.store(true, Ordering::Relaxed);
            }
            Ending::Done | Ending::Refused | Ending::Dropped => {}
        }
        let has_answered = matches!(ending, Ending::Done | Ending::Conflict | Ending::Corrupt);
        if has_answered && self.is_unavailable.load(Ordering::Relaxed) {
            self.is_unavailable.store(false, Ordering::Relaxed);
            self.unavailable.retract();
        }
    }
}

#[async_trait]
impl Store for InstrumentedStore {
    fn namespace(&self) -> &Namespace {
        self.inner.namespace()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        self.tell("get", self.inner.get(key)).await
    }

    async fn contains(&self, key: &Key) -> Result<bool, GetError> {
        self.tell("contains", self.inner.contains(key)).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        self.tell("get_many", self.inner.get_many(keys)).await
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
        self.tell("put", self.inner.put(key, value, options)).await
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        self.tell("delete", self.inner.delete(key, precondition)).await
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        self.tell("scan", self.inner.scan(scan)).await
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        self.tell("watch", self.inner.watch(prefix, from)).await
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        self.tell("sweep", self.inner.sweep()).await
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        self.tell("clear", self.inner.clear()).await
    }
}
