//! A store that is left alone while it fails.

use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use dayfly_circuit_breaker::{CallError, CircuitBreaker, Judgement};

use crate::capabilities::Capabilities;
use crate::ending::{Ending, HasEnding};
use crate::entry::Entry;
use crate::error::{
    ClearError, DeleteError, GetError, PutError, ScanError, SweepError, Unavailable, WatchError,
};
use crate::etag::Etag;
use crate::key::{Key, Prefix};
use crate::namespace::Namespace;
use crate::precondition::Precondition;
use crate::put::PutOptions;
use crate::scan::{Page, Scan};
use crate::store::Store;
use crate::watch::{Watch, WatchFrom};

/// A store behind a circuit breaker: after failures it is left alone for a while, and its calls end at once.
///
/// Only what speaks against the store is a failure: it was unavailable, or an answer was lost. A conflict or a corrupt
/// entry is an answer; what is refused by rule says nothing. A call that the breaker refuses ends as
/// [`Unavailable`], with [`CallError::Open`] as its source, and nothing was done. A breaker may be shared by the stores of
/// one backend.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use dayfly_circuit_breaker::{BreakerOptions, CircuitBreaker};
/// use dayfly_kv::{BreakerStore, Call, Fault, Key, Namespace, ScriptedStore, Store, Unavailable};
/// # let signals = dayfly_signal::SignalSink::default();
///
/// let away = ScriptedStore::in_memory(Namespace::new("acme", "shop", "order")?);
/// away.every(Call::Get, Fault::Fail(Unavailable::new("it is away")));
/// let breaker = CircuitBreaker::new("orders", BreakerOptions::new().failure_threshold(2), &signals);
/// let orders = BreakerStore::new(Arc::new(away.clone()), breaker);
/// for _ in 0..5 {
///     assert!(orders.get(&Key::new("17")?).await.is_err());
/// }
/// assert_eq!(away.count(Call::Get), 2);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct BreakerStore {
    inner: Arc<dyn Store>,
    breaker: CircuitBreaker,
}

impl BreakerStore {
    /// This store, called only while the breaker lets calls through.
    pub fn new(inner: Arc<dyn Store>, breaker: CircuitBreaker) -> Self {
        Self { inner, breaker }
    }

    /// The breaker.
    pub const fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    async fn call<T, E>(&self, call: impl Future<Output = Result<T, E>> + Send) -> Result<T, E>
    where
        T: Send,
        E: HasEnding + From<Unavailable> + Send,
    {
        let judge = |answer: &Result<T, E>| match answer.as_ref().err().map(HasEnding::ending) {
            Some(Ending::Unavailable | Ending::Unknown) => Judgement::Failure,
            Some(Ending::Refused | Ending::Dropped) => Judgement::Ignored,
            Some(Ending::Done | Ending::Conflict | Ending::Corrupt) | None => Judgement::Success,
        };
        match self.breaker.call_judged(call, judge).await {
            Ok(answer) => Ok(answer),
            Err(CallError::Inner(error)) => Err(error),
            Err(CallError::Open { retry_after }) => {
                let open = CallError::<Infallible>::Open { retry_after };
                let what = format!("the store is left alone: the circuit `{}` is open", self.breaker.name());
                Err(Unavailable::because(what, open).into())
            }
        }
    }
}

#[async_trait]
impl Store for BreakerStore {
    fn namespace(&self) -> &Namespace {
        self.inner.namespace()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        self.call(self.inner.get(key)).await
    }

    async fn contains(&self, key: &Key) -> Result<bool, GetError> {
        self.call(self.inner.contains(key)).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        self.call(self.inner.get_many(keys)).await
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
        self.call(self.inner.put(key, value, options)).await
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        self.call(self.inner.delete(key, precondition)).await
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        self.call(self.inner.scan(scan)).await
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        self.call(self.inner.watch(prefix, from)).await
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        self.call(self.inner.sweep()).await
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        self.call(self.inner.clear()).await
    }
}
