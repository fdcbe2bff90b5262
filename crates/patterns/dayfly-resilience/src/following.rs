//! Following options that change, one change after the other, without a lock around anything foreign.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dayfly::Reconfigure;

use crate::PipelineOptions;
use crate::policies::{Policies, limit};

/// What a pipeline is to follow. Whoever changes it while somebody else is at it, leaves it to that one: a change wakes
/// waiters and raises signals, and who is called by these may well change the options again.
#[derive(Debug)]
pub(crate) struct Following(Mutex<Wanted>);

#[derive(Debug)]
struct Wanted {
    options: PipelineOptions,
    is_followed: bool,
    is_busy: bool,
}

impl Following {
    pub(crate) const fn new(options: PipelineOptions) -> Self {
        Self(Mutex::new(Wanted { options, is_followed: true, is_busy: false }))
    }

    pub(crate) fn options(&self) -> PipelineOptions {
        self.lock().options.clone()
    }

    /// Nothing that can panic runs under the lock, so a poisoned one still guards sound options.
    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the work to others when it is over, also by a panic.
struct Busy<'a> {
    following: &'a Following,
    is_over: bool,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.following.lock().is_busy = false;
        }
    }
}

impl Policies {
    pub(crate) fn follow(&self, options: &PipelineOptions) {
        let mut wanted = self.following.lock();
        let mut before = std::mem::replace(&mut wanted.options, options.clone());
        wanted.is_followed = false;
        if wanted.is_busy {
            return;
        }
        wanted.is_busy = true;
        let mut busy = Busy { following: &self.following, is_over: false };
        while !wanted.is_followed {
            wanted.is_followed = true;
            let after = wanted.options.clone();
            drop(wanted);
            self.change(&before, &after);
            before = after;
            wanted = self.following.lock();
        }
        wanted.is_busy = false;
        busy.is_over = true;
    }

    fn change(&self, before: &PipelineOptions, after: &PipelineOptions) {
        // None of them has an option that holds from the start on.
        let _ = self.retry.reconfigure(&after.retry());
        if let Some(budget) = &after.budget {
            let _ = self.budget.reconfigure(budget);
        }
        if before.max_concurrency != after.max_concurrency {
            let _ = self.limiter.reconfigure(&limit(after));
        }
        match (&before.breaker, &after.breaker) {
            // Somebody may wait for its signal, so it is let go.
            (Some(_), None) => {
                self.live.switch_breaker_off();
                self.breaker.force_closed();
            }
            (None, Some(options)) => {
                let _ = self.breaker.reconfigure(options);
                self.breaker.reset();
            }
            (Some(before), Some(after)) if before != after => {
                let _ = self.breaker.reconfigure(after);
            }
            _ => {}
        }
        self.live.follow(after);
    }
}
