//! What threads meet through. It stands in one place so that `models/` can put its own in: the same modules are built
//! against loom there, and the whole engine against shuttle.

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
    sync::{Mutex, MutexGuard, PoisonError},
    thread_local,
};
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
    sync::{Mutex, MutexGuard, PoisonError},
    thread_local,
};

pub(crate) use std::sync::TryLockError;

pub(crate) use futures_util::task::AtomicWaker;
pub(crate) use tokio::sync::Notify;
