//! A runtime with two workers, whose tasks are shuttle's.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use crate::task::JoinHandle;

thread_local! {
    /// How many tasks were started through a handle and have not ended, and who waits for that.
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static WAITING: Cell<Option<Waker>> = const { Cell::new(None) };
}

/// How many workers the runtime says that it has.
const WORKERS: usize = 2;

/// The one runtime that there is.
#[derive(Clone, Debug)]
pub struct Handle(());

/// The kind of a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// One thread runs everything.
    CurrentThread,
    /// As many threads as there are workers.
    MultiThread,
}

/// Tells runtimes apart: there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(());

/// Figures of the runtime.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeMetrics(());

/// There is no runtime, which cannot happen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryCurrentError(());

/// Being inside of the runtime, where everybody is.
#[derive(Debug)]
pub struct EnterGuard(());

impl Handle {
    /// The runtime, which there always is.
    ///
    /// # Errors
    /// Never; Tokio's has them.
    pub const fn try_current() -> Result<Self, TryCurrentError> {
        Ok(Self(()))
    }

    /// Enters it.
    pub const fn enter(&self) -> EnterGuard {
        EnterGuard(())
    }

    /// The runtime.
    pub const fn current() -> Self {
        Self(())
    }

    /// The runtime's id.
    pub const fn id(&self) -> Id {
        Id(())
    }

    /// Starts a task.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let live = Live::new();
        shuttle_tokio::task::spawn(async move {
            let _live = live;
            future.await
        })
    }

    /// Always the kind with several threads.
    pub const fn runtime_flavor(&self) -> RuntimeFlavor {
        RuntimeFlavor::MultiThread
    }

    /// The runtime's figures.
    pub const fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics(())
    }
}

impl RuntimeMetrics {
    /// How many threads run tasks.
    pub const fn num_workers(&self) -> usize {
        WORKERS
    }
}

/// Forgets tasks of an earlier schedule. Every schedule begins with this.
pub(crate) fn reset() {
    LIVE.set(0);
    WAITING.take();
}

/// Waits until every task that was started through a handle has ended: shuttle would otherwise drop those that nobody
/// waits for wherever they stand, also in the middle of a critical section.
pub async fn settled() {
    poll_fn(|context| {
        if LIVE.get() == 0 {
            return Poll::Ready(());
        }
        WAITING.set(Some(context.waker().clone()));
        Poll::Pending
    })
    .await;
}

/// A task that has not ended.
struct Live(());

impl Live {
    fn new() -> Self {
        LIVE.set(LIVE.get() + 1);
        Self(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        LIVE.set(LIVE.get().saturating_sub(1));
        if LIVE.get() == 0
            && let Some(waker) = WAITING.take()
        {
            waker.wake();
        }
    }
}
