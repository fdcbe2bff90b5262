//! Calls that tests watch.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly_retry::{Backoff, RetryOptions};
use tokio::time::Instant;

/// Three attempts, a second apart.
pub(crate) const PLAIN: RetryOptions =
    RetryOptions::new().attempts(3).backoff(Backoff::constant(Duration::from_secs(1)));

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The call's end, which has to come within a day of paused time.
pub(crate) async fn ended<F: Future>(call: F) -> F::Output {
    tokio::time::timeout(seconds(86_400), call).await.unwrap()
}

/// Notes when each attempt began.
#[derive(Clone, Default)]
pub(crate) struct Attempts(Arc<Mutex<Vec<Instant>>>);

impl Attempts {
    pub(crate) fn note(&self) {
        self.0.lock().unwrap().push(Instant::now());
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// How long each attempt but the first came after the one before it.
    pub(crate) fn delays(&self) -> Vec<Duration> {
        self.0.lock().unwrap().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}
