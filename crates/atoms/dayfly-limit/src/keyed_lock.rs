//! A lock per key, for one key or for several at once.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use crate::admission::{Admission, Rules};
use crate::error::TryLockError;
use crate::held::Held;
use crate::keys::{KeyIds, Named};
use crate::options::CLAIM_WITHIN;
use crate::permit::KeyGuard;
use crate::request::{Priority, Request};
use crate::shared::Shared;
use crate::wait;

/// One holder per key; others proceed.
///
/// Clones are handles of the same lock. It belongs to no runtime; once somebody waits it uses the timer of theirs. It
/// protects no data of its own, only what the key stands for.
///
/// **Order.** The lock of a key goes to those who wait for it in the order in which they were first polled. Whoever wants
/// several keys takes its place in the line of each at one moment, and gets all of them at one moment, when it is the
/// first in all and all are free. Nobody holds one key while it waits for another in the same request, and all lines
/// have the same order: so requests cannot deadlock each other, in whatever order they name their keys. What is said of
/// futures that nobody polls in [`Limiter`](crate::Limiter) holds here too, with the default of 10 ms.
///
/// **Memory.** A key is kept while it is held or waited for, and leaves with the last of those.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_limit::KeyedLock;
///
/// let accounts = KeyedLock::new();
/// let transfer = accounts.lock_many(["alice", "bob", "alice"]).await;
/// assert!(accounts.try_lock("bob").is_err());
/// let other = accounts.lock("carol").await;
/// drop((transfer, other));
/// assert!(accounts.is_empty());
/// # }
/// ```
pub struct KeyedLock<K>(Arc<Shared<K>>);

const RULES: Rules = Rules {
    limit: usize::MAX,
    allow_zero: false,
    limit_per_key: 1,
    max_keys: usize::MAX,
    age_after: None,
    claim_within: CLAIM_WITHIN,
};

impl<K: Hash + Eq + Send + 'static> KeyedLock<K> {
    /// A lock that nobody holds any key of.
    #[must_use]
    pub fn new() -> Self {
        Self(Shared::new(RULES))
    }

    /// Waits for the lock of a key.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    pub async fn lock(&self, key: K) -> KeyGuard<K> {
        let named = self.0.named(key);
        self.granted(named).await
    }

    /// Waits for the locks of several keys, which it gets all at one moment. A key that is named twice is one lock; for
    /// no keys there is nothing to wait for.
    ///
    /// Do not wait for more keys while holding some: two who do so for each other's keys wait for ever. Name all of them
    /// at once.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in all lines, and what was kept for it goes to the next.
    pub async fn lock_many(&self, keys: impl IntoIterator<Item = K>) -> KeyGuard<K> {
        let named = self.0.named_several(keys);
        self.granted(named).await
    }

    /// The lock of a key, if nobody holds it or waits for it.
    ///
    /// # Errors
    /// When somebody does.
    pub fn try_lock(&self, key: K) -> Result<KeyGuard<K>, TryLockError> {
        let keys = wait::try_ask(&self.0, self.0.named(key), 1, Priority::Normal);
        keys.map(|keys| self.guard(keys)).map_err(|_| TryLockError::Locked)
    }

    /// The locks of several keys, if nobody holds or waits for any of them.
    ///
    /// # Errors
    /// When somebody does; then none is taken.
    pub fn try_lock_many(&self, keys: impl IntoIterator<Item = K>) -> Result<KeyGuard<K>, TryLockError> {
        let keys = wait::try_ask(&self.0, self.0.named_several(keys), 1, Priority::Normal);
        keys.map(|keys| self.guard(keys)).map_err(|_| TryLockError::Locked)
    }

    /// Whether somebody holds the key.
    pub fn is_locked(&self, key: &K) -> bool {
        self.0.usage(key).is_some_and(|(in_use, _)| in_use > 0)
    }

    /// How many wait for the key.
    pub fn waiting(&self, key: &K) -> usize {
        self.0.usage(key).map_or(0, |(_, waiting)| waiting)
    }

    async fn granted(&self, named: Named<K>) -> KeyGuard<K> {
        match wait::wait(&self.0, named, Request::new()).await {
            Ok(keys) => self.guard(keys),
            // A lock is never closed, and has room for one holder and for any number of keys.
            Err(_) => std::future::pending().await,
        }
    }

    fn guard(&self, keys: KeyIds) -> KeyGuard<K> {
        KeyGuard::new(Held::new(Arc::clone(&self.0), keys, 1))
    }
}

impl<K> KeyedLock<K> {
    /// How many keys are held or waited for.
    pub fn len(&self) -> usize {
        self.0.read(|admission| admission.keys().len())
    }

    /// Whether no key is held or waited for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many guards there are.
    pub fn holders(&self) -> usize {
        self.0.read(Admission::in_use)
    }
}

impl<K: Hash + Eq + Send + 'static> Default for KeyedLock<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Clone for KeyedLock<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> fmt::Debug for KeyedLock<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedLock").field("len", &self.len()).field("holders", &self.holders()).finish()
    }
}
