//! Options that somebody has thought about already.

use std::time::Duration;

use dayfly_circuit_breaker::BreakerOptions;
use dayfly_retry::RetryBudgetOptions;

use super::PipelineOptions;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn breaker(failures: u32, open_for: u64) -> BreakerOptions {
    BreakerOptions::new().failure_threshold(failures).open_for(seconds(open_for)).successes(2)
}

impl PipelineOptions {
    /// For calls that somebody waits for: 30 s in all, three attempts of at most 10 s with delays from 1 s to 30 s, retries
    /// for a fifth of the calls, and a breaker that opens at the fifth failure in a row for 30 s and closes after two
    /// successes.
    pub const fn production() -> Self {
        Self::new()
            .total_timeout(seconds(30))
            .attempts(3)
            .budget(RetryBudgetOptions::new())
            .breaker(breaker(5, 30))
            .attempt_timeout(seconds(10))
    }

    /// For work at the desk, where somebody stands in a debugger and failures are made on purpose: attempts take as long as
    /// they do within 30 s, every call may be retried, and ten failures in a row open the breaker.
    pub const fn development() -> Self {
        Self::new().total_timeout(seconds(30)).attempts(3).breaker(breaker(10, 30))
    }

    /// For many short calls: 10 s in all, so that what hangs holds nothing for long; ten failures in a row open the breaker,
    /// since at such a rate they come by chance, too, and then it gives the service a minute.
    pub const fn high_throughput() -> Self {
        Self::production().total_timeout(seconds(10)).breaker(breaker(10, 60))
    }
}
