//! What an operation and the engine have in common. A slot's pass and its shared part are used by one operation after
//! the other, so a body gets an owned [`Operation`](crate::Operation) that costs no allocation and no counting.
//!
//! Each use has a generation of its own. Whoever ends a body names the generation, so one that comes too late does not
//! touch the next user.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use dayfly_signal::{Draft, SignalId, SignalSource};
use tokio::time::Instant;

use crate::desk;
use crate::recent::Recent;
use crate::sync::{AtomicBool, AtomicU64, Notify, Ordering, fence};

/// What an operation owns.
pub(crate) struct Pass<K> {
    pub(crate) badge: Badge,
    pub(crate) key: K,
    pub(crate) key_text: fn(&K) -> Option<String>,
}

/// The part of a pass that does not depend on the type of the key.
pub(crate) struct Badge {
    pub(crate) attempt: u32,
    pub(crate) generation: u64,
    pub(crate) source: SignalSource,
    pub(crate) shared: Arc<Shared>,
}

/// A pass whose type of key is forgotten.
pub(crate) trait AnyPass: Any + Send + Sync {
    fn badge(&self) -> &Badge;
    fn key_text(&self) -> Option<String>;
}

/// What the body's operation and the engine both see.
#[derive(Default)]
pub(crate) struct Shared {
    /// The newest generations that were cancelled, are to be dropped, and have ended.
    cancelled: AtomicU64,
    killed: AtomicU64,
    finished: AtomicU64,
    /// Whether the operation of an earlier generation may still be somewhere.
    is_spoiled: AtomicBool,
    told: Notify,
    /// Leads to the slot that polls the body.
    slot: OnceLock<Waker>,
    pub(crate) recent: Recent,
}

impl<K: Send + Sync + 'static> AnyPass for Pass<K> {
    fn badge(&self) -> &Badge {
        &self.badge
    }

    fn key_text(&self) -> Option<String> {
        (self.key_text)(&self.key)
    }
}

impl Badge {
    pub(crate) fn raise(&self, draft: Draft<'_>) -> SignalId {
        let now = desk::reading().unwrap_or_else(Instant::now);
        let signal = self.source.raise_event_at(draft, now);
        let id = signal.id();
        self.shared.recent.note(signal);
        id
    }
}

impl Shared {
    /// Lets the body see that it is cancelled. Wakes foreign code: never under a lock.
    pub(crate) fn cancel(&self, generation: u64) {
        self.cancelled.fetch_max(generation, Ordering::AcqRel);
        self.told.notify_waiters();
    }

    /// Has the body dropped at its next suspension, or not begun at all. Wakes nobody, so it may stand under a lock.
    pub(crate) fn doom(&self, generation: u64) {
        self.killed.fetch_max(generation, Ordering::AcqRel);
    }

    /// Cancels the body and has it dropped at its next suspension.
    pub(crate) fn kill(&self, generation: u64) {
        self.doom(generation);
        self.cancel(generation);
        // Either the worker sees the mark, or this sees the worker's waker.
        fence(Ordering::SeqCst);
        if let Some(slot) = self.slot.get() {
            slot.wake_by_ref();
        }
    }

    pub(crate) fn is_killed(&self, generation: u64) -> bool {
        self.killed.load(Ordering::Acquire) >= generation
    }

    pub(crate) fn is_cancelled(&self, generation: u64) -> bool {
        self.cancelled.load(Ordering::Acquire) >= generation
    }

    pub(crate) async fn cancelled(&self, generation: u64) {
        loop {
            // Made before the look: from here on no cancellation is missed. A late one may mean an earlier user.
            let told = self.told.notified();
            if self.is_cancelled(generation) {
                return;
            }
            told.await;
        }
    }

    pub(crate) fn is_finished(&self, generation: u64) -> bool {
        self.finished.load(Ordering::Acquire) >= generation
    }

    pub(crate) fn finish(&self, generation: u64) {
        self.finished.store(generation, Ordering::Release);
    }

    /// Nobody else may use this after the one that uses it now.
    pub(crate) fn spoil(&self) {
        self.is_spoiled.store(true, Ordering::Release);
    }

    pub(crate) fn is_spoiled(&self) -> bool {
        self.is_spoiled.load(Ordering::Acquire)
    }

    /// The waker of the slot that uses this from now on.
    pub(crate) fn belongs_to(&self, slot: &Waker) {
        // One that is there already is the same one.
        drop(self.slot.set(slot.clone()));
        fence(Ordering::SeqCst);
    }
}
