//! Permits per key, and in all.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use dayfly::{Fixed, Reconfigure};
use tokio::time::Instant;

use crate::admission::{Admission, Rules};
use crate::error::{KeyedAcquireError, SetLimitError, TryKeyedAcquireError};
use crate::held::Held;
use crate::options::KeyedLimiterOptions;
use crate::permit::KeyedPermit;
use crate::request::Request;
use crate::shared::Shared;
use crate::stats::{KeyUsage, KeyedLimiterStats};
use crate::wait;

/// At most so many at once of one key, and at most so many in all.
///
/// Clones are handles of the same limiter. It belongs to no runtime; once somebody waits it uses the timer of theirs.
///
/// **Order.** Within a key, requests are served in the order in which they were first polled, and across keys as well,
/// save that whoever waits for its key holds up no other key: it takes part in the order across keys from the moment on
/// at which it is the first of its key and the key has room, at the place that it has had from the start. A higher
/// [`Priority`](crate::Priority) goes first (see [`age_after`](KeyedLimiterOptions::age_after)), and a request that does
/// not fit yet is not overtaken by a smaller one behind it, neither within its key nor, once its key has room, across
/// keys. What is said of futures that nobody polls in [`Limiter`](crate::Limiter) holds here too.
///
/// **Memory.** A key is kept while it is held or waited for, and leaves with the last of those. There are at most
/// [`max_keys`](KeyedLimiterOptions::max_keys).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions};
///
/// const CALLS: KeyedLimiterOptions = KeyedLimiterOptions::new().limit(100).limit_per_key(2);
/// let calls = KeyedLimiter::new(CALLS);
/// let first = calls.acquire("bank").await.unwrap();
/// let second = calls.acquire("bank").await.unwrap();
/// assert!(calls.try_acquire("bank").is_err());
/// assert!(calls.try_acquire("post").is_ok());
/// drop((first, second));
/// assert_eq!(calls.stats().keys, 0);
/// # }
/// ```
pub struct KeyedLimiter<K>(Arc<Shared<K>>);

impl<K: Hash + Eq + Send + 'static> KeyedLimiter<K> {
    /// A limiter with these options.
    #[must_use]
    pub fn new(options: KeyedLimiterOptions) -> Self {
        Self(Shared::new(options.into_rules()))
    }

    /// Waits for a permit of the key.
    ///
    /// # Errors
    /// When the limiter is or gets closed, or the key is new and there are too many.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    pub async fn acquire(&self, key: K) -> Result<KeyedPermit<K>, KeyedAcquireError> {
        self.acquire_with(key, Request::new()).await
    }

    /// Waits for so many permits of the key at once.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire), and when one of both limits is or gets lower than this.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    pub async fn acquire_many(&self, key: K, permits: usize) -> Result<KeyedPermit<K>, KeyedAcquireError> {
        self.acquire_with(key, Request::new().permits(permits)).await
    }

    /// Waits for a permit of the key until the deadline. A permit that is free is granted also when it has passed.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire), and when the deadline passes.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    pub async fn acquire_by(&self, key: K, deadline: Instant) -> Result<KeyedPermit<K>, KeyedAcquireError> {
        self.acquire_with(key, Request::new().deadline(deadline)).await
    }

    /// Waits for a permit of the key no longer than this, from the first poll on. A permit that is free is granted also
    /// when the timeout is zero; a timeout that the clock cannot reach is none.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire), and when the time is over.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    pub async fn acquire_within(
        &self,
        key: K,
        timeout: Duration,
    ) -> Result<KeyedPermit<K>, KeyedAcquireError> {
        self.acquire_with(key, Request::new().timeout(timeout)).await
    }

    /// Waits for what the request asks for.
    ///
    /// # Errors
    /// As for [`acquire_many`](Self::acquire_many), and when the request's time is over.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    pub async fn acquire_with(&self, key: K, request: Request) -> Result<KeyedPermit<K>, KeyedAcquireError> {
        let named = self.0.named(key);
        let keys = wait::wait(&self.0, named, request).await?;
        Ok(KeyedPermit::new(Held::new(Arc::clone(&self.0), keys, request.permits)))
    }

    /// A permit of the key, if one is free and nobody waits for it.
    ///
    /// # Errors
    /// When none is, the key is new and there are too many, or the limiter is closed.
    pub fn try_acquire(&self, key: K) -> Result<KeyedPermit<K>, TryKeyedAcquireError> {
        self.try_acquire_with(key, Request::new())
    }

    /// So many permits of the key, if they are free and nobody waits for them.
    ///
    /// # Errors
    /// As for [`try_acquire`](Self::try_acquire), and when one of both limits is lower than this.
    pub fn try_acquire_many(&self, key: K, permits: usize) -> Result<KeyedPermit<K>, TryKeyedAcquireError> {
        self.try_acquire_with(key, Request::new().permits(permits))
    }

    /// What the request asks for, if it would be served before all who wait. How long it could wait does not matter.
    ///
    /// # Errors
    /// As for [`try_acquire_many`](Self::try_acquire_many).
    pub fn try_acquire_with(&self, key: K, request: Request) -> Result<KeyedPermit<K>, TryKeyedAcquireError> {
        let named = self.0.named(key);
        let keys = wait::try_ask(&self.0, named, request.permits, request.priority)?;
        Ok(KeyedPermit::new(Held::new(Arc::clone(&self.0), keys, request.permits)))
    }

    /// How much of a key is in use, and how many wait for it. Nothing of a key that nobody holds or waits for.
    pub fn key_usage(&self, key: &K) -> Option<KeyUsage> {
        self.0.usage(key).map(|(in_use, waiting)| KeyUsage { in_use, waiting })
    }
}

impl<K> KeyedLimiter<K> {
    /// Changes how many permits of all keys may be in use, as [`Limiter::set_limit`](crate::Limiter::set_limit) does.
    ///
    /// # Errors
    /// When it is zero.
    pub fn set_limit(&self, limit: usize) -> Result<(), SetLimitError> {
        self.set(limit, |rules| rules.limit = limit)
    }

    /// Changes how many permits of one key may be in use. It holds for all keys.
    ///
    /// # Errors
    /// When it is zero.
    pub fn set_limit_per_key(&self, limit: usize) -> Result<(), SetLimitError> {
        self.set(limit, |rules| rules.limit_per_key = limit)
    }

    fn set(&self, limit: usize, set: impl FnOnce(&mut Rules)) -> Result<(), SetLimitError> {
        if limit == 0 {
            return Err(SetLimitError::Zero);
        }
        self.0.change(|admission| {
            let mut rules = admission.rules().clone();
            set(&mut rules);
            admission.follow(rules);
        });
        Ok(())
    }

    /// Grants nothing any more. Everybody who waits is refused; permits that are in use stay so until they are dropped.
    /// Closing twice is closing once.
    pub fn close(&self) {
        self.0.change(Admission::close);
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.read(Admission::is_closed)
    }

    /// Its figures at this moment.
    pub fn stats(&self) -> KeyedLimiterStats {
        self.0.read(|admission| KeyedLimiterStats {
            limit: admission.rules().limit,
            limit_per_key: admission.rules().limit_per_key,
            in_use: admission.in_use(),
            waiting: admission.waiting(),
            keys: admission.keys().len(),
        })
    }
}

impl<K: Hash + Eq + Send + 'static> Default for KeyedLimiter<K> {
    fn default() -> Self {
        Self::new(KeyedLimiterOptions::new())
    }
}

impl<K: Send> Reconfigure<KeyedLimiterOptions> for KeyedLimiter<K> {
    fn check(&self, _options: &KeyedLimiterOptions) -> Result<(), Fixed> {
        Ok(())
    }

    fn reconfigure(&self, options: &KeyedLimiterOptions) -> Result<(), Fixed> {
        self.0.change(|admission| admission.follow(options.clone().into_rules()));
        Ok(())
    }
}

impl<K> Clone for KeyedLimiter<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> fmt::Debug for KeyedLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KeyedLimiterStats { limit, limit_per_key, in_use, waiting, keys } = self.stats();
        let mut debug = f.debug_struct("KeyedLimiter");
        debug.field("limit", &limit).field("limit_per_key", &limit_per_key).field("in_use", &in_use);
        debug.field("waiting", &waiting).field("keys", &keys).field("is_closed", &self.is_closed()).finish()
    }
}
