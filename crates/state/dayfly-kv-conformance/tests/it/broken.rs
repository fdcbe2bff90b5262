//! Backends that break the contract are found, each by the cases that it breaks, every time.

use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use dayfly_kv::{
    Backend, Bytes, Capabilities, ClearError, Conflict, DeleteError, Entry, Etag, GetError, Key, ManualClock,
    MemoryBackend, MemoryOptions, Namespace, OpenError, Page, Precondition, Prefix, PutError, PutOptions,
    Scan, ScanError, Store, SweepError, Watch, WatchError, WatchFrom, async_trait,
};
use dayfly_kv_conformance::{Report, Subject, examine};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It checks the precondition, and then writes.
    CheckThenAct,
    /// It forgets the time to live of a swap.
    LostTimeToLive,
    /// Its etags are hashes of the content.
    ReusedEtag,
    /// It lists from the first key to the last, whatever it was asked for.
    ForwardOnly,
}

struct Broken {
    inner: Arc<dyn Store>,
    fault: Fault,
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.fault)
    }
}

#[derive(Debug)]
struct BrokenBackend(MemoryBackend, Fault);

#[async_trait]
impl Backend for BrokenBackend {
    async fn open(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, OpenError> {
        Ok(Arc::new(Broken { inner: self.0.open(namespace).await?, fault: self.1 }))
    }
}

fn hash_of(value: &Bytes) -> Etag {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    Etag::new(format!("{:x}", hasher.finish()))
}

impl Broken {
    fn shown(&self, entry: Entry) -> Entry {
        let etag = match self.fault {
            Fault::ReusedEtag => hash_of(&entry.value),
            _ => entry.etag,
        };
        Entry::new(entry.value, etag).nonce(entry.nonce).deadline(entry.deadline)
    }

    /// The precondition in terms of the store beneath.
    async fn meant(&self, key: &Key, precondition: Precondition) -> Result<Precondition, Conflict> {
        let Precondition::Matches(hash) = precondition else { return Ok(precondition) };
        let Some(found) = self.inner.get(key).await.unwrap() else { return Err(Conflict { current: None }) };
        let current = hash_of(&found.value);
        if current == hash {
            Ok(Precondition::Matches(found.etag))
        } else {
            Err(Conflict { current: Some(current) })
        }
    }

    async fn conflict(&self, key: &Key) -> Conflict {
        Conflict { current: self.inner.get(key).await.unwrap().map(|entry| hash_of(&entry.value)) }
    }
}

#[async_trait]
impl Store for Broken {
    fn namespace(&self) -> &Namespace {
        self.inner.namespace()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        Ok(self.inner.get(key).await?.map(|entry| self.shown(entry)))
    }

    async fn put(&self, key: &Key, value: Bytes, mut options: PutOptions) -> Result<Etag, PutError> {
        match self.fault {
            Fault::CheckThenAct => {
                let found = self.inner.get(key).await.unwrap();
                options.precondition.check(found.as_ref().map(|entry| &entry.etag))?;
                tokio::task::yield_now().await;
                self.inner.put(key, value, options.precondition(Precondition::Any)).await
            }
            Fault::LostTimeToLive => {
                if matches!(options.precondition, Precondition::Matches(_)) {
                    options = options.without_time_to_live();
                }
                self.inner.put(key, value, options).await
            }
            Fault::ReusedEtag => {
                options.precondition = self.meant(key, options.precondition).await?;
                match self.inner.put(key, value.clone(), options).await {
                    Err(PutError::Conflict(_)) => Err(self.conflict(key).await.into()),
                    put => put.map(|_| hash_of(&value)),
                }
            }
            Fault::ForwardOnly => self.inner.put(key, value, options).await,
        }
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        let Fault::ReusedEtag = self.fault else { return self.inner.delete(key, precondition).await };
        let precondition = self.meant(key, precondition).await?;
        match self.inner.delete(key, precondition).await {
            Err(DeleteError::Conflict(_)) => Err(self.conflict(key).await.into()),
            deleted => deleted,
        }
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        let mut scan = scan.clone();
        scan.reverse &= !matches!(self.fault, Fault::ForwardOnly);
        self.inner.scan(&scan).await
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        self.inner.watch(prefix, from).await
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        self.inner.sweep().await
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        self.inner.clear().await
    }
}

async fn examined(fault: Fault) -> Report {
    examine(|| async {
        let clock = ManualClock::new();
        let memory = MemoryBackend::with(MemoryOptions::new(), Arc::new(clock.clone()));
        Subject::new(Arc::new(BrokenBackend(memory, fault))).clock(clock)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_checks_and_then_acts_breaks_the_cases_of_contention_and_no_other() {
    for round in 0..5 {
        let report = examined(Fault::CheckThenAct).await;
        let broken = report.broken();
        for case in [
            "one_of_many_who_put_absent_wins",
            "one_of_many_who_swap_the_same_etag_wins",
            "a_counter_that_many_update_counts_each",
        ] {
            assert!(broken.contains(&case), "round {round}: `{case}` was passed");
        }
        let others: Vec<_> =
            broken.iter().filter(|case| !case.contains("many") && !case.contains("histories")).collect();
        assert!(others.is_empty(), "round {round}: {others:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_loses_the_time_to_live_of_a_swap_breaks_the_cases_of_replaced_deadlines() {
    for round in 0..5 {
        let broken = examined(Fault::LostTimeToLive).await.broken();
        // An update is a swap, so one that gives a time to live loses it, too.
        let right = [
            "every_write_replaces_the_deadline_and_no_read_moves_it",
            "an_update_of_what_has_expired_begins_anew",
        ];
        assert_eq!(broken, right, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_whose_etags_are_hashes_of_the_content_breaks_the_case_of_unique_etags() {
    for round in 0..5 {
        let broken = examined(Fault::ReusedEtag).await.broken();
        assert!(broken.contains(&"no_etag_is_ever_given_twice"), "round {round}: {broken:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_lists_forwards_only_breaks_the_cases_of_listing_in_reverse() {
    for round in 0..5 {
        let broken = examined(Fault::ForwardOnly).await.broken();
        let reverse = [
            "in_reverse_the_same_entries_are_listed_from_the_last_to_the_first",
            "in_reverse_entries_that_stay_are_listed_whatever_comes_and_goes",
        ];
        assert_eq!(broken, reverse, "round {round}");
    }
}
