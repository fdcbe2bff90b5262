//! What is written for tower's retry.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Sleep;
use tower::retry::Policy;
use tower::retry::backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff};
use tower::retry::budget::{Budget, TpsBudget};
use tower::util::rng::HasherRng;

/// What tower's documentation shows: it never waits.
#[derive(Clone, Debug)]
pub struct Attempts(pub u32);

impl Policy<u64, u64, ()> for Attempts {
    type Future = Ready<()>;

    fn retry(&mut self, _request: &mut u64, result: &mut Result<u64, ()>) -> Option<Ready<()>> {
        if result.is_ok() || self.0 == 1 {
            return None;
        }
        self.0 -= 1;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

/// What does as ours does, of tower's own parts: a backoff with jitter, and perhaps a budget that all calls share.
#[derive(Clone, Debug)]
pub struct Waits {
    left: u32,
    backoff: ExponentialBackoff,
    budget: Option<Arc<TpsBudget>>,
}

impl Waits {
    /// Three attempts.
    pub fn new(budget: Option<Arc<TpsBudget>>) -> Self {
        let (first, most) = (Duration::from_millis(100), Duration::from_secs(10));
        let mut backoff = ExponentialBackoffMaker::new(first, most, 0.99, HasherRng::default())
            .expect("its options are sound");
        Self { left: 3, backoff: backoff.make_backoff(), budget }
    }
}

impl Policy<u64, u64, ()> for Waits {
    type Future = Sleep;

    fn retry(&mut self, _request: &mut u64, result: &mut Result<u64, ()>) -> Option<Sleep> {
        if result.is_ok() {
            self.budget.iter().for_each(|budget| budget.deposit());
            return None;
        }
        if self.left == 1 || self.budget.as_ref().is_some_and(|budget| !budget.withdraw()) {
            return None;
        }
        self.left -= 1;
        Some(self.backoff.next_backoff())
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}
