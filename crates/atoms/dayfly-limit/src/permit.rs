//! What is granted.

use std::fmt;
use std::sync::Arc;

use crate::held::Held;
use crate::keys::KeyIds;
use crate::shared::Shared;

/// The key of what has no keys.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum NoKey {}

/// Permits of a [`Limiter`](crate::Limiter), given back when it is dropped, also by a panic.
#[must_use = "a permit that is dropped at once permits nothing"]
pub struct Permit {
    shared: Arc<Shared<NoKey>>,
    permits: usize,
}

/// Permits of a [`KeyedLimiter`](crate::KeyedLimiter) for one key, given back when it is dropped, also by a panic.
#[must_use = "a permit that is dropped at once permits nothing"]
pub struct KeyedPermit<K>(Held<K>);

/// The lock of one or several keys of a [`KeyedLock`](crate::KeyedLock), released when it is dropped, also by a panic.
#[must_use = "a guard that is dropped at once guards nothing"]
pub struct KeyGuard<K>(Held<K>);

impl Permit {
    #[inline]
    pub(crate) const fn new(shared: Arc<Shared<NoKey>>, permits: usize) -> Self {
        Self { shared, permits }
    }

    /// How many permits it stands for.
    pub const fn permits(&self) -> usize {
        self.permits
    }

    /// Takes so many permits out of it, so that a part of them can be given back earlier. Nothing when it has fewer.
    pub fn split(&mut self, permits: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(permits)?;
        Some(Self::new(Arc::clone(&self.shared), permits))
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        if self.permits > 0 {
            self.shared.give_back(&KeyIds::None, self.permits);
        }
    }
}

impl<K> KeyedPermit<K> {
    pub(crate) const fn new(held: Held<K>) -> Self {
        Self(held)
    }

    /// How many permits it stands for.
    pub const fn permits(&self) -> usize {
        self.0.permits()
    }
}

impl<K> KeyGuard<K> {
    pub(crate) const fn new(held: Held<K>) -> Self {
        Self(held)
    }

    /// How many keys it locks.
    pub fn keys(&self) -> usize {
        self.0.keys()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("permits", &self.permits()).finish_non_exhaustive()
    }
}

impl<K> fmt::Debug for KeyedPermit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedPermit").field("permits", &self.permits()).finish_non_exhaustive()
    }
}

impl<K> fmt::Debug for KeyGuard<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyGuard").field("keys", &self.keys()).finish_non_exhaustive()
    }
}
