//! The timer for those who were called and do not come. It runs only while somebody was called, somebody else waits,
//! and no timer runs already; so at most one is started per `claim_within`, however often permits change hands.
//!
//! Who was called may never be polled again, and so may everybody behind it: no future can be trusted with the timer.
//! Tokio's timer therefore wakes this instead of a task.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};

use tokio::runtime::Handle;
use tokio::task::coop::{Unconstrained, unconstrained};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::sync::{Mutex, MutexGuard, PoisonError};
use dayfly::contain::contain;

/// Something in which those who were called and do not come are passed over.
pub(crate) trait Lapses: Send + Sync {
    /// The timer has ended, because it was time or because its runtime shuts down.
    fn lapse(&self, is_time: bool);
}

/// The timer of one table of waiters.
pub(crate) struct Watch {
    timer: Mutex<Option<Timer>>,
    line: Weak<dyn Lapses>,
}

struct Timer {
    deadline: Instant,
    sleep: Pin<Box<Unconstrained<Sleep>>>,
}

impl Watch {
    pub(crate) fn new(line: Weak<dyn Lapses>) -> Arc<Self> {
        Arc::new(Self { timer: Mutex::new(None), line })
    }

    /// Starts the timer. It cannot when the runtime has none or has shut down: Tokio panics then.
    pub(crate) fn begin(self: &Arc<Self>, runtime: &Handle, deadline: Instant) -> bool {
        let waker = Waker::from(Arc::clone(self));
        let mut has_begun = false;
        contain(|| {
            let is_over = {
                let _inside = runtime.enter();
                // Without a budget: a task that has used up its own would be told to come again, and is not there.
                let mut sleep = Box::pin(unconstrained(sleep_until(deadline)));
                // Held while it is polled, so that a timer that ends meanwhile is found by who it wakes.
                let mut timer = self.lock();
                let is_over = sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
                *timer = Some(Timer { deadline, sleep });
                is_over
            };
            has_begun = true;
            if is_over {
                self.ended();
            }
        });
        has_begun
    }

    /// Nobody is left to pass over.
    pub(crate) fn end(&self) {
        let timer = self.lock().take();
        drop(timer);
    }

    fn ended(&self) {
        let timer = self.lock().take();
        let is_time = timer.as_ref().is_none_or(|timer| timer.deadline <= Instant::now());
        drop(timer.map(|timer| timer.sleep));
        if let Some(line) = self.line.upgrade() {
            line.lapse(is_time);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Timer>> {
        self.timer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        self.ended();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
