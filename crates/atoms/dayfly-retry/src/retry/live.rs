//! Options that can change while calls are under way.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::RetryOptions;
use crate::backoff::seed_of;

/// What all clones of a retrier follow.
#[derive(Debug)]
pub(super) struct Live {
    /// Whether a call needs the options before it has failed. A call that succeeds at once reads this and no more.
    is_timed: AtomicBool,
    options: RwLock<Arc<RetryOptions>>,
    /// What jitter is drawn from when the options do not say.
    chance: u64,
    /// How many calls have failed at least once.
    failed: AtomicU64,
}

impl Live {
    pub(super) fn new(options: RetryOptions) -> Self {
        Self {
            is_timed: AtomicBool::new(options.is_timed()),
            options: RwLock::new(Arc::new(options)),
            chance: RandomState::new().hash_one(0_u8),
            failed: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(super) fn is_timed(&self) -> bool {
        self.is_timed.load(Ordering::Relaxed)
    }

    /// Nothing that can panic runs under the lock, so a poisoned one still guards sound options.
    pub(super) fn options(&self) -> Arc<RetryOptions> {
        Arc::clone(&self.options.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn follow(&self, options: RetryOptions) {
        let is_timed = options.is_timed();
        let options = Arc::new(options);
        let before = {
            let mut current = self.options.write().unwrap_or_else(PoisonError::into_inner);
            // Under the lock, so that of two who change the options at once the same one is the last in both places.
            self.is_timed.store(is_timed, Ordering::Relaxed);
            std::mem::replace(&mut *current, options)
        };
        drop(before);
    }

    /// What jitter is drawn from.
    pub(super) fn seed(&self, options: &RetryOptions) -> u64 {
        options.seed.unwrap_or(self.chance)
    }

    /// The seed of a call that fails for the first time.
    pub(super) fn seed_of_call(&self, options: &RetryOptions) -> u64 {
        seed_of(self.seed(options), self.failed.fetch_add(1, Ordering::Relaxed))
    }
}
