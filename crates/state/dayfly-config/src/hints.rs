//! How a watcher's thread tells the follower that something may have changed. Hints merge, so none are queued.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(crate) struct Hints {
    heard: Notify,
    lost: AtomicBool,
}

impl Hints {
    /// Something may have changed.
    pub(crate) fn give(&self) {
        self.heard.notify_one();
    }

    /// A watch may be at an end, or events are missing.
    pub(crate) fn give_lost(&self) {
        self.lost.store(true, Ordering::Release);
        self.give();
    }

    /// Whether watches have to be made anew.
    pub(crate) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }

    /// Waits for a hint; one that came before counts.
    pub(crate) async fn heard(&self) {
        self.heard.notified().await;
    }
}
