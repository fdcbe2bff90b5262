//! Waiting for a first valid value.

use std::fmt;
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::opening::Opening;
use crate::problem::Rejection;
use crate::shared::{Shared, lock};
use crate::watched::Watched;

/// Sources that are followed and need not be valid yet. When it is dropped before they are, following ends.
pub struct Pending<T> {
    found: watch::Receiver<Option<Arc<Shared<T>>>>,
    last_rejection: Arc<Mutex<Option<Arc<Rejection>>>>,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Pending<T> {
    pub(crate) fn start(opening: Opening<T>) -> Self {
        let (sender, found) = watch::channel(None);
        let last_rejection = Arc::default();
        // The task ends by itself, with what it finds or with this.
        drop(Handle::current().spawn(opening.follow_when_valid(sender, Arc::clone(&last_rejection))));
        Self { found, last_rejection }
    }
}

impl<T> Pending<T> {
    /// Waits until the sources are valid for the first time.
    ///
    /// # Cancel safety
    /// Nothing is lost: it may be asked again, and by several at once.
    pub async fn first_valid(&self) -> Watched<T> {
        let mut found = self.found.clone();
        loop {
            let shared = found.borrow_and_update().clone();
            if let Some(shared) = shared {
                return Watched::of(shared);
            }
            if found.changed().await.is_err() {
                // The runtime ends: nobody will ever find anything.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Why there is no valid value yet, or why there was none.
    pub fn last_rejection(&self) -> Option<Arc<Rejection>> {
        lock(&self.last_rejection).clone()
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("is_valid", &self.found.borrow().is_some()).finish_non_exhaustive()
    }
}
