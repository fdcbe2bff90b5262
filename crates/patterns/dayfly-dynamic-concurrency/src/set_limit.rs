//! What can be given another limit while it works.

use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;

use dayfly::{Coordinator, KeyedCoordinator, PriorityCoordinator, ResultCoordinator, WeakHandle};
use dayfly_limit::{KeyedLimiter, Limiter};

/// What can be given another limit while it works: limiters, coordinators, or anything of your own.
///
/// A coordinator whose body holds its [`AdaptiveLimit`](crate::AdaptiveLimit) is best given as a
/// [`WeakHandle`]: otherwise each keeps the other, and it never closes by itself.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use dayfly_dynamic_concurrency::SetLimit;
///
/// struct Pool(AtomicUsize);
///
/// impl SetLimit for Pool {
///     fn set_limit(&self, limit: usize) {
///         self.0.store(limit, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait SetLimit: Send + Sync {
    /// Takes this limit, which is at least 1, from now on.
    ///
    /// It is called without a lock and never twice at once. The limit that it is told last is the one that holds. A panic
    /// is contained and counted.
    fn set_limit(&self, limit: usize);
}

impl SetLimit for Limiter {
    fn set_limit(&self, limit: usize) {
        // Only zero is refused, and that is nothing that could come.
        let _ = Self::set_limit(self, limit.max(1));
    }
}

/// The limit of all keys together.
impl<K: Send + Sync> SetLimit for KeyedLimiter<K>
where
    Self: Send + Sync,
{
    fn set_limit(&self, limit: usize) {
        // Only zero is refused, and that is nothing that could come.
        let _ = Self::set_limit(self, limit.max(1));
    }
}

impl<T: Send + 'static> SetLimit for Coordinator<T> {
    fn set_limit(&self, limit: usize) {
        self.set_max_concurrency(limit.max(1));
    }
}

impl<K, T> SetLimit for KeyedCoordinator<K, T>
where
    K: Eq + Hash + Clone + Display + Send + Sync + 'static,
    T: Send + 'static,
{
    fn set_limit(&self, limit: usize) {
        self.set_max_concurrency(limit.max(1));
    }
}

impl<T, V, E> SetLimit for ResultCoordinator<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    fn set_limit(&self, limit: usize) {
        self.set_max_concurrency(limit.max(1));
    }
}

impl<T: Send + 'static> SetLimit for PriorityCoordinator<T> {
    fn set_limit(&self, limit: usize) {
        self.set_max_concurrency(limit.max(1));
    }
}

/// Once nobody keeps it open any more, nothing is set.
impl<C: SetLimit> SetLimit for WeakHandle<C> {
    fn set_limit(&self, limit: usize) {
        if let Some(open) = self.upgrade() {
            open.set_limit(limit);
        }
    }
}

impl<L: SetLimit + ?Sized> SetLimit for Arc<L> {
    fn set_limit(&self, limit: usize) {
        (**self).set_limit(limit);
    }
}

/// For whatever has no type of its own: a closure in a box.
impl SetLimit for Box<dyn Fn(usize) + Send + Sync> {
    fn set_limit(&self, limit: usize) {
        self(limit);
    }
}
