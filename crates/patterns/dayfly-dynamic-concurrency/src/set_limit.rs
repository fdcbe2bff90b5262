//! What can be given another limit while it works.

use std::fmt::{self, Display};
use std::hash::Hash;
use std::sync::Arc;

use dayfly::{Coordinator, KeyedCoordinator, PriorityCoordinator, ResultCoordinator, WeakHandle};
use dayfly_limit::{KeyedLimiter, Limiter};

/// What can be given another limit while it works: limiters, coordinators, and through [`SetWith`] whatever has a setter.
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

/// What is moved by a closure: a pool of someone else's, a fixed pool of threads, several limits at once.
///
/// ```
/// use dayfly::SignalSink;
/// use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions, SetWith};
/// use dayfly_limit::Limiter;
///
/// // Writes may have a quarter of what reads have.
/// let (reads, writes) = (Limiter::default(), Limiter::default());
/// let both = {
///     let (reads, writes) = (reads.clone(), writes.clone());
///     SetWith(move |limit: usize| {
///         reads.set_limit(limit).unwrap();
///         writes.set_limit(limit.div_ceil(4)).unwrap();
///     })
/// };
/// let limit = AdaptiveLimit::new(both, AdaptiveLimitOptions::new().initial(40), &SignalSink::default());
/// assert_eq!((reads.limit(), writes.limit()), (40, 10));
/// # drop(limit);
/// ```
#[derive(Clone, Copy)]
pub struct SetWith<F>(pub F);

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

impl<F: Fn(usize) + Send + Sync> SetLimit for SetWith<F> {
    fn set_limit(&self, limit: usize) {
        (self.0)(limit);
    }
}

impl<F> fmt::Debug for SetWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SetWith").finish_non_exhaustive()
    }
}
