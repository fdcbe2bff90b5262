//! A store that is asked again.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use dayfly_circuit_breaker::CallError;
use dayfly_retry::{Retry, RetryBudget, RetryError, RetryOptions, Verdict};

use crate::capabilities::Capabilities;
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

/// A store whose calls are made again when it was unavailable.
///
/// - Only [`Unavailable`] is worth another attempt: then nothing was changed. A write whose answer was lost, or that was cut
///   short by a timeout, may be done, and is [`Unknown`](PutError::Unknown): to send it again might do it twice, or undo what
///   others have done since. [`KeyValueStore::update`](crate::KeyValueStore::update) settles that.
/// - A conflict is an answer and no failure.
/// - Where a breaker beneath says when it lets calls through again, that is waited for, within the cap of the backoff.
/// - `sweep` and `clear` are made once: what an attempt had removed before it failed, a second one would not count.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use dayfly_kv::{Call, Fault, Key, Namespace, RetryStore, ScriptedStore, Store, Unavailable};
/// use dayfly_retry::RetryOptions;
///
/// let flaky = ScriptedStore::in_memory(Namespace::new("acme", "shop", "order")?);
/// flaky.nth(Call::Get, 1, Fault::Fail(Unavailable::new("it is away")));
/// let orders = RetryStore::new(Arc::new(flaky.clone()), RetryOptions::new().attempts(3));
/// assert_eq!(orders.get(&Key::new("17")?).await?, None);
/// assert_eq!(flaky.count(Call::Get), 2);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RetryStore {
    inner: Arc<dyn Store>,
    gets: Retry<GetError>,
    puts: Retry<PutError>,
    deletes: Retry<DeleteError>,
    scans: Retry<ScanError>,
    watches: Retry<WatchError>,
}

impl RetryStore {
    /// This store, asked again as these options say. A time limit of theirs cuts a write short, too, which is then unknown.
    pub fn new(inner: Arc<dyn Store>, options: RetryOptions) -> Self {
        let puts = Retry::new(options.clone(), verdict::<PutError>).classify_timeouts(|_| Verdict::Stop);
        let deletes =
            Retry::new(options.clone(), verdict::<DeleteError>).classify_timeouts(|_| Verdict::Stop);
        Self {
            inner,
            gets: Retry::new(options.clone(), verdict::<GetError>),
            puts,
            deletes,
            scans: Retry::new(options.clone(), verdict::<ScanError>),
            watches: Retry::new(options, verdict::<WatchError>),
        }
    }

    /// The same within a budget, which others may share.
    #[must_use]
    pub fn budget(self, budget: &RetryBudget) -> Self {
        Self {
            inner: self.inner,
            gets: self.gets.budget(budget),
            puts: self.puts.budget(budget),
            deletes: self.deletes.budget(budget),
            scans: self.scans.budget(budget),
            watches: self.watches.budget(budget),
        }
    }
}

/// An error of a call, as far as another attempt is concerned.
trait Failed: From<Unavailable> {
    /// Why nothing was done; `None` when another attempt is of no use, or of harm.
    fn unavailable(&self) -> Option<&Unavailable>;

    /// What a call ends with that was cut short.
    fn cut_short(why: Unavailable) -> Self {
        why.into()
    }
}

fn verdict<E: Failed>(error: &E) -> Verdict {
    let Some(why) = error.unavailable() else { return Verdict::Stop };
    match why.source().and_then(|source| source.downcast_ref::<CallError<Infallible>>()) {
        Some(CallError::Open { retry_after }) => Verdict::RetryAfter(*retry_after),
        _ => Verdict::Retry,
    }
}

fn ended<T, E: Failed>(result: Result<T, RetryError<E>>) -> Result<T, E> {
    result.map_err(|given_up| {
        if given_up.timed_out {
            return E::cut_short(Unavailable::new("the store took too long"));
        }
        // An attempt that was not cut short has ended with an error.
        given_up.into_error().unwrap_or_else(|| Unavailable::new("the store was not asked").into())
    })
}

macro_rules! failed {
    ($($error:ident $($cut_short:ident)?),*) => {$(
        impl Failed for $error {
            fn unavailable(&self) -> Option<&Unavailable> {
                if let Self::Unavailable(why) = self { Some(why) } else { None }
            }

            $(fn cut_short(why: Unavailable) -> Self {
                Self::$cut_short(why)
            })?
        }
    )*};
}

failed!(GetError, PutError Unknown, DeleteError Unknown, ScanError, WatchError);

#[async_trait]
impl Store for RetryStore {
    fn namespace(&self) -> &Namespace {
        self.inner.namespace()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        ended(self.gets.call(|_| self.inner.get(key)).await)
    }

    async fn contains(&self, key: &Key) -> Result<bool, GetError> {
        ended(self.gets.call(|_| self.inner.contains(key)).await)
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        ended(self.gets.call(|_| self.inner.get_many(keys)).await)
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
        ended(self.puts.call(|_| self.inner.put(key, value.clone(), options.clone())).await)
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        ended(self.deletes.call(|_| self.inner.delete(key, precondition.clone())).await)
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        ended(self.scans.call(|_| self.inner.scan(scan)).await)
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        ended(self.watches.call(|_| self.inner.watch(prefix, from.clone())).await)
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        self.inner.sweep().await
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        self.inner.clear().await
    }
}
