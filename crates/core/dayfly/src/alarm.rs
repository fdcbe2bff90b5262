//! A timer that belongs to no task: Tokio's timer wakes this, and this rings.
//!
//! Whoever waits in a line may never be polled again, and so may everybody behind it: no future can be trusted with the
//! timer of a line.
//!
//! The crates of the house share this module; it is no part of what they promise.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::Handle;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::contain::contain;
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// Who is told when an alarm rings.
pub trait Ring: Send + Sync {
    /// The alarm has ended, because it was time or because its runtime shuts down. It is not set any more.
    fn ring(&self, is_time: bool);
}

/// An alarm that is set to one moment at a time. It rings without any lock of its own.
pub struct Alarm {
    timer: Mutex<Option<Timer>>,
    owner: Weak<dyn Ring>,
}

struct Timer {
    deadline: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    /// An alarm that is not set.
    #[must_use]
    pub fn new(owner: Weak<dyn Ring>) -> Arc<Self> {
        Arc::new(Self { timer: Mutex::new(None), owner })
    }

    /// Sets it to this moment, on this runtime, instead of to another; says whether it could. It cannot when the runtime
    /// has no timer or has shut down: Tokio panics then. A moment that has passed already rings at once.
    ///
    /// Of two threads that set it at the same time, either may be the last.
    #[must_use]
    pub fn set(self: &Arc<Self>, runtime: &Handle, deadline: Instant) -> bool {
        let waker = Waker::from(Arc::clone(self));
        let mut is_set = false;
        contain(|| {
            let (is_over, before) = {
                let _inside = runtime.enter();
                let mut sleep = Box::pin(sleep_until(deadline));
                // Held while it is polled, so that a timer that ends meanwhile is found by who it wakes.
                let mut timer = self.lock();
                let is_over = poll(&mut sleep, &mut Context::from_waker(&waker)).is_ready();
                (is_over, timer.replace(Timer { deadline, sleep }))
            };
            is_set = true;
            drop(before);
            if is_over {
                self.ended();
            }
        });
        is_set
    }

    /// It rings no more, unless it does so at this very moment.
    pub fn stop(&self) {
        let timer = self.lock().take();
        drop(timer);
    }

    fn ended(&self) {
        let mut timer = self.lock();
        // One that it was set to before may have woken it late.
        let Some(ended) = timer.take_if(|timer| timer.sleep.is_elapsed()) else { return };
        drop(timer);
        let is_time = ended.deadline <= Instant::now();
        drop(ended);
        if let Some(owner) = self.owner.upgrade() {
            owner.ring(is_time);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Timer>> {
        self.timer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without a budget: a task that has used up its own would be told to come again, and is not there.
fn poll(sleep: &mut Pin<Box<Sleep>>, context: &mut Context<'_>) -> Poll<()> {
    pin!(unconstrained(sleep.as_mut())).poll(context)
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.ended();
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alarm")
    }
}
