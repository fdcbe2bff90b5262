//! Changing a value by what it is.

use std::borrow::Borrow;

use bytes::Bytes;
use tokio::time::sleep;

use super::error::{LoadError, SaveError, UpdateError};
use super::settle::{Fate, fate};
use super::{KeyValueStore, Stored};
use crate::error::{Conflict, PutError, Unavailable};
use crate::etag::Etag;
use crate::key::Key;
use crate::key_text::ToKey;
use crate::nonce::Nonce;
use crate::precondition::Precondition;
use crate::put::PutOptions;
use crate::random::random;

impl<K, V> KeyValueStore<K, V> {
    /// Changes a value: `change` gets what is there, if anything is, and gives what is to be there.
    ///
    /// When others change it meanwhile, it is tried again, as often and after such waits as the
    /// [`UpdateOptions`](crate::UpdateOptions) say; `change` is called anew each time. When the answer to a write is
    /// lost, the update finds out by reading whether it was done, and sends the same write again only where at most one
    /// of the two can be done.
    ///
    /// # Errors
    /// When others were faster every time, when the value cannot be read or written, or when it remains unknown whether
    /// it was.
    ///
    /// # Cancel safety
    /// Dropped, the update happened as a whole, may yet happen, or never will. It never happens twice.
    pub async fn update<Q: ToKey + ?Sized>(
        &self,
        key: &Q,
        mut change: impl FnMut(Option<V>) -> V,
    ) -> Result<Stored<V>, UpdateError>
    where
        K: Borrow<Q>,
    {
        loop {
            // It never says `None`, so the first round is the last.
            if let Some(updated) = self.try_update(key, |value| Some(change(value))).await? {
                return Ok(updated);
            }
        }
    }

    /// Changes a value unless `change` says `None` to what is there: that leaves it as it is, and gives `None`.
    ///
    /// This is how something is claimed: of many who ask for it at once, one finds it free.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// # use dayfly_kv::{KeyValueStore, MemoryStore, Namespace};
    /// # let store = Arc::new(MemoryStore::new(Namespace::new("acme", "work", "job")?));
    /// # let jobs = KeyValueStore::<u32, String>::json(store);
    /// let claim = |worker: &str| {
    ///     let worker = worker.to_owned();
    ///     move |owner: Option<String>| owner.is_none().then(|| worker.clone())
    /// };
    /// assert!(jobs.try_update(&17, claim("ann")).await?.is_some());
    /// assert!(jobs.try_update(&17, claim("bob")).await?.is_none());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As for [`update`](Self::update).
    ///
    /// # Cancel safety
    /// As for [`update`](Self::update).
    pub async fn try_update<Q: ToKey + ?Sized>(
        &self,
        key: &Q,
        mut change: impl FnMut(Option<V>) -> Option<V>,
    ) -> Result<Option<Stored<V>>, UpdateError>
    where
        K: Borrow<Q>,
    {
        let key = key.to_key().map_err(LoadError::from)?;
        let mut attempts = 0;
        loop {
            let found = self.store.get(&key).await.map_err(LoadError::from)?;
            let condition = match &found {
                Some(entry) => Precondition::Matches(entry.etag.clone()),
                None => Precondition::Absent,
            };
            let value = found.map(|entry| self.decode(&key, &entry)).transpose()?;
            let Some(value) = change(value.map(|stored| stored.value)) else { return Ok(None) };
            let bytes = self.codec.encode(&value).map_err(|error| UpdateError::Save(error.into()))?;
            match self.swap(&key, bytes, condition, &mut attempts).await? {
                Ok(etag) => return Ok(Some(Stored { value, etag })),
                Err(conflict) if attempts >= self.updates.attempts => {
                    return Err(UpdateError::Conflict { attempts, conflict });
                }
                Err(_) => self.back_off(attempts).await,
            }
        }
    }

    /// Writes if the condition holds, and settles what becomes of it when an answer is lost. Each sending counts as an
    /// attempt. A conflict is one only when no answer was lost before: else it may be our own write that is met.
    async fn swap(
        &self,
        key: &Key,
        bytes: Bytes,
        condition: Precondition,
        attempts: &mut u32,
    ) -> Result<Result<Etag, Conflict>, UpdateError> {
        let nonce = Nonce::unique();
        let mut options = PutOptions::new().precondition(condition.clone()).nonce(nonce);
        options.time_to_live = self.updates.time_to_live;
        let mut lost: Option<Unavailable> = None;
        loop {
            *attempts += 1;
            let why = match (self.store.put(key, bytes.clone(), options.clone()).await, lost) {
                (Ok(etag), _) => return Ok(Ok(etag)),
                (Err(PutError::Conflict(conflict)), None) => return Ok(Err(conflict)),
                (Err(PutError::Unknown(why)), _) | (Err(_), Some(why)) => why,
                (Err(error), None) => return Err(UpdateError::Save(SaveError::from(error))),
            };
            let Ok(found) = self.store.get(key).await else { return Err(UpdateError::Unknown(why)) };
            match fate(nonce, &condition, found.as_ref()) {
                Fate::Applied(etag) => return Ok(Ok(etag)),
                Fate::Pending if *attempts < self.updates.attempts => self.back_off(*attempts).await,
                Fate::Pending | Fate::Unknown => return Err(UpdateError::Unknown(why)),
            }
            lost = Some(why);
        }
    }

    async fn back_off(&self, attempts: u32) {
        let wait = self.updates.backoff().delay(attempts, random());
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }
}
