//! A handle that does not keep its coordinator open.

use std::fmt;
use std::sync::Arc;

/// Leads back to a coordinator as long as somebody keeps it open: for a body that hands work into its own coordinator,
/// which with a handle of its own would never close.
///
/// Such a body must use `try_enqueue`: waiting for a place while holding one deadlocks on a full queue.
pub struct WeakHandle<C> {
    upgrade: Arc<dyn Fn() -> Option<C> + Send + Sync>,
}

impl<C> WeakHandle<C> {
    /// Leads to what `upgrade` yields, which must not be kept open by it.
    #[must_use]
    pub fn new(upgrade: impl Fn() -> Option<C> + Send + Sync + 'static) -> Self {
        Self { upgrade: Arc::new(upgrade) }
    }

    /// The coordinator, if any handle is left. It stays open at least as long as the result lives.
    #[must_use]
    pub fn upgrade(&self) -> Option<C> {
        (self.upgrade)()
    }
}

impl<C> Clone for WeakHandle<C> {
    fn clone(&self) -> Self {
        Self { upgrade: Arc::clone(&self.upgrade) }
    }
}

impl<C> fmt::Debug for WeakHandle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakHandle").finish_non_exhaustive()
    }
}
