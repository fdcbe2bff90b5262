//! loom's side of `sync.rs`, with stand-ins for what comes from other crates.
//!
//! loom takes a `SeqCst` access for an acquiring or releasing one, which would find wake-ups lost that are not. The
//! atomics here put a fence behind every such write, which loom does honour: as a compiler does for most processors.

use std::fmt;
use std::pin::Pin;
pub(crate) use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

pub(crate) use loom::sync::atomic::{Ordering, fence};
pub(crate) use loom::sync::{Mutex, MutexGuard};

macro_rules! atomic {
    ($name:ident, $value:ty, [$($change:ident),*]) => {
        /// An atomic of loom's, with the fences that `SeqCst` stands for.
        #[derive(Default)]
        pub(crate) struct $name(loom::sync::atomic::$name);

        impl $name {
            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.0.load(if order == Ordering::SeqCst { Ordering::Acquire } else { order })
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                fenced(order, || self.0.store(value, weak_store(order)));
            }

            $(pub(crate) fn $change(&self, value: $value, order: Ordering) -> $value {
                fenced(order, || self.0.$change(value, weak_change(order)))
            })*
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

atomic!(AtomicBool, bool, [swap]);
atomic!(AtomicU32, u32, [swap, fetch_or]);
atomic!(AtomicU64, u64, [swap, fetch_or, fetch_add, fetch_max]);
atomic!(AtomicUsize, usize, [swap]);

impl AtomicBool {
    pub(crate) fn new(value: bool) -> Self {
        Self(loom::sync::atomic::AtomicBool::new(value))
    }
}

impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        Self(loom::sync::atomic::AtomicU64::new(value))
    }
}

impl AtomicUsize {
    pub(crate) fn new(value: usize) -> Self {
        Self(loom::sync::atomic::AtomicUsize::new(value))
    }
}

macro_rules! weak_exchange {
    ($name:ident, $value:ty) => {
        impl $name {
            /// As `compare_exchange`: loom's does not fail without a reason either, and a retry would be the same step again.
            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.0.compare_exchange_weak(current, new, success, failure)
            }
        }
    };
}

weak_exchange!(AtomicU64, u64);
weak_exchange!(AtomicUsize, usize);

fn fenced<R>(order: Ordering, write: impl FnOnce() -> R) -> R {
    let result = write();
    if order == Ordering::SeqCst {
        fence(Ordering::SeqCst);
    }
    result
}

fn weak_store(order: Ordering) -> Ordering {
    if order == Ordering::SeqCst { Ordering::Release } else { order }
}

fn weak_change(order: Ordering) -> Ordering {
    if order == Ordering::SeqCst { Ordering::AcqRel } else { order }
}

/// A waker that is registered by one and woken by others; whoever wakes takes it out.
#[derive(Default)]
pub(crate) struct AtomicWaker(Mutex<Option<Waker>>);

impl AtomicWaker {
    pub(crate) fn register(&self, waker: &Waker) {
        *locked(&self.0) = Some(waker.clone());
    }

    pub(crate) fn wake(&self) {
        let waker = locked(&self.0).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Tokio's `Notify`, as far as it is used here: `notify_waiters` wakes those whose future existed before it.
#[derive(Default)]
pub(crate) struct Notify(Mutex<Waiters>);

#[derive(Default)]
struct Waiters {
    /// How often all were told.
    told: usize,
    wakers: Vec<Waker>,
}

/// A wait that began when it was made.
pub(crate) struct Notified<'a> {
    notify: &'a Notify,
    told: usize,
}

impl Notify {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn notified(&self) -> Notified<'_> {
        Notified { notify: self, told: locked(&self.0).told }
    }

    pub(crate) fn notify_waiters(&self) {
        let mut waiters = locked(&self.0);
        waiters.told += 1;
        let wakers = std::mem::take(&mut waiters.wakers);
        drop(waiters);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notify")
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut waiters = locked(&self.notify.0);
        if waiters.told != self.told {
            return Poll::Ready(());
        }
        waiters.wakers.push(context.waker().clone());
        Poll::Pending
    }
}

/// Locks, whatever has panicked under the lock.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
