//! A store that fails as it is told, for tests.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::sleep;

use crate::capabilities::Capabilities;
use crate::entry::Entry;
use crate::error::{
    ClearError, DeleteError, GetError, PutError, ScanError, SweepError, Unavailable, WatchError,
};
use crate::etag::Etag;
use crate::key::{Key, Prefix};
use crate::memory::MemoryStore;
use crate::namespace::Namespace;
use crate::precondition::Precondition;
use crate::put::PutOptions;
use crate::scan::{Page, Scan};
use crate::store::Store;
use crate::watch::{Watch, WatchFrom};

mod script;

pub use script::{Call, Fault};

use script::Script;

/// A store that fails as it is told: for tests of what you do when a store fails.
///
/// A call that has no fault in the script goes to the store beneath. A clone is another handle to the same script.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use dayfly_kv::{Call, Fault, KeyValueStore, Namespace, ScriptedStore};
///
/// let store = ScriptedStore::in_memory(Namespace::new("acme", "web", "visits")?);
/// let visits = KeyValueStore::<String, u64>::json(Arc::new(store.clone()));
///
/// // The write is done, but nobody is told. The update finds out and does not do it twice.
/// store.nth(Call::Put, 1, Fault::LoseAnswer);
/// visits.update("home", |visits| visits.unwrap_or(0) + 1).await?;
/// assert_eq!(visits.get_required("home").await?.value, 1);
/// assert_eq!(store.count(Call::Put), 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ScriptedStore {
    inner: Arc<dyn Store>,
    script: Arc<Mutex<Script>>,
    late: Arc<Mutex<Vec<Late>>>,
}

/// How many writes can be held back at once.
const MOST_LATE: usize = 1_024;

/// A write that lands late.
#[derive(Debug)]
struct Late {
    /// The number of the call after which it lands.
    after: u64,
    key: Key,
    write: Write,
}

#[derive(Debug)]
enum Write {
    Put(Bytes, PutOptions),
    Delete(Precondition),
}

/// What a call is to do.
enum Turn {
    Go,
    GoAndLoseAnswer,
    GoAndAnswerAfter(Duration),
    Fail(Unavailable),
    LoseRequest,
    Land { after: u64 },
}

impl ScriptedStore {
    /// A store that fails as it is told, and else does what this one does.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, script: Arc::default(), late: Arc::default() }
    }

    /// One over an empty store in memory.
    pub fn in_memory(namespace: Namespace) -> Self {
        Self::new(Arc::new(MemoryStore::new(namespace)))
    }

    /// Sets what happens to the `nth` of these calls from now on, the next one being the first. It happens once.
    pub fn nth(&self, call: Call, nth: u64, fault: Fault) {
        locked(&self.script).nth(call, nth, fault);
    }

    /// Sets what happens to each of these calls from now on, unless something else is set for one of them.
    pub fn every(&self, call: Call, fault: Fault) {
        locked(&self.script).every(call, fault);
    }

    /// Takes back every fault that has not happened. What is to land late still does.
    pub fn heal(&self) {
        locked(&self.script).heal();
    }

    /// How many of these calls there were.
    pub fn count(&self, call: Call) -> u64 {
        locked(&self.script).count(call)
    }

    /// The last calls, at most 1,024 of them, each with its key if it has one.
    pub fn calls(&self) -> Vec<(Call, Option<Key>)> {
        locked(&self.script).calls()
    }

    async fn turn(&self, call: Call, key: Option<&Key>) -> Turn {
        let (fault, number) = locked(&self.script).called(call, key);
        let turn = match fault {
            None => Turn::Go,
            Some(Fault::Fail(why)) => Turn::Fail(why),
            Some(Fault::LoseAnswer) => Turn::GoAndLoseAnswer,
            Some(Fault::DelayAnswer(time)) => Turn::GoAndAnswerAfter(time),
            Some(Fault::LoseRequest) => Turn::LoseRequest,
            Some(Fault::LandAfter(calls)) => Turn::Land { after: number.saturating_add(calls) },
            Some(Fault::Delay(time)) => {
                sleep(time).await;
                Turn::Go
            }
            Some(Fault::Hang) => pending().await,
        };
        self.land(number).await;
        turn
    }

    /// Does the writes that were to land by now: after this call was made, and before it is done.
    async fn land(&self, number: u64) {
        loop {
            let due = {
                let mut late = locked(&self.late);
                let due = late.iter().position(|write| write.after < number);
                due.map(|due| late.remove(due))
            };
            let Some(Late { key, write, .. }) = due else { return };
            // Nobody is there to be told how it went.
            match write {
                Write::Put(value, options) => drop(self.inner.put(&key, value, options).await),
                Write::Delete(precondition) => drop(self.inner.delete(&key, precondition).await),
            }
        }
    }

    fn hold_back(&self, write: Late) {
        let mut late = locked(&self.late);
        // What there is no room for never lands, as may happen to a write whose answer was lost.
        if late.len() < MOST_LATE {
            late.push(write);
        }
    }

    /// A call that changes nothing, as the script has it.
    async fn read<T: Send, E: From<Unavailable> + Send>(
        &self,
        call: Call,
        key: Option<&Key>,
        read: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        match self.turn(call, key).await {
            Turn::Go => read.await,
            Turn::Fail(why) => Err(why.into()),
            Turn::GoAndLoseAnswer => read.await.and(Err(lost().into())),
            Turn::GoAndAnswerAfter(time) => answered_after(time, read).await,
            Turn::LoseRequest | Turn::Land { .. } => Err(lost().into()),
        }
    }
}

async fn answered_after<T: Send>(time: Duration, call: impl Future<Output = T> + Send) -> T {
    let answer = call.await;
    sleep(time).await;
    answer
}

fn lost() -> Unavailable {
    Unavailable::new("the answer was lost")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for ScriptedStore {
    fn namespace(&self) -> &Namespace {
        self.inner.namespace()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        self.read(Call::Get, Some(key), self.inner.get(key)).await
    }

    async fn contains(&self, key: &Key) -> Result<bool, GetError> {
        self.read(Call::Contains, Some(key), self.inner.contains(key)).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        self.read(Call::GetMany, None, self.inner.get_many(keys)).await
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
        match self.turn(Call::Put, Some(key)).await {
            Turn::Go => self.inner.put(key, value, options).await,
            Turn::GoAndAnswerAfter(time) => answered_after(time, self.inner.put(key, value, options)).await,
            Turn::Fail(why) => Err(why.into()),
            Turn::GoAndLoseAnswer => {
                drop(self.inner.put(key, value, options).await);
                Err(PutError::Unknown(lost()))
            }
            Turn::LoseRequest => Err(PutError::Unknown(lost())),
            Turn::Land { after } => {
                self.hold_back(Late { after, key: key.clone(), write: Write::Put(value, options) });
                Err(PutError::Unknown(lost()))
            }
        }
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        match self.turn(Call::Delete, Some(key)).await {
            Turn::Go => self.inner.delete(key, precondition).await,
            Turn::GoAndAnswerAfter(time) => answered_after(time, self.inner.delete(key, precondition)).await,
            Turn::Fail(why) => Err(why.into()),
            Turn::GoAndLoseAnswer => {
                drop(self.inner.delete(key, precondition).await);
                Err(DeleteError::Unknown(lost()))
            }
            Turn::LoseRequest => Err(DeleteError::Unknown(lost())),
            Turn::Land { after } => {
                self.hold_back(Late { after, key: key.clone(), write: Write::Delete(precondition) });
                Err(DeleteError::Unknown(lost()))
            }
        }
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        self.read(Call::Scan, None, self.inner.scan(scan)).await
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        self.read(Call::Watch, None, self.inner.watch(prefix, from)).await
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        self.read(Call::Sweep, None, self.inner.sweep()).await
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        self.read(Call::Clear, None, self.inner.clear()).await
    }
}
