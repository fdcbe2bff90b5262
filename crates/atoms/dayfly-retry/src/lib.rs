//! Whether and when a failed call is tried again: backoff, jitter, `Retry-After`, deadlines and a shared budget.
//!
//! A loop with a sleep in it is quickly written and seldom right. It forgets jitter, so that all who failed together come
//! back together; it retries what can only fail; it sleeps although the time is over before the sleep is; and when
//! everything fails it multiplies the load. [`Retry`] decides all of that in one place, from options that are plain data
//! and can change while it works:
//!
//! - [`Backoff`] says how long to wait, with [`Jitter`] that can be repeated from a seed;
//! - a classifier says what an error is worth: a [`Verdict`], perhaps with the wait that the other side asked for;
//! - [`RetryBudget`] bounds the retries of all callers together to a share of their calls.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use std::time::Duration;
//! use dayfly_retry::{Backoff, GaveUp, Jitter, Retry, RetryBudget, RetryOptions, Verdict};
//! # #[derive(Debug)] enum PayError { Busy { retry_after: Option<Duration> }, Declined }
//! # async fn charge(attempt: u32) -> Result<&'static str, PayError> {
//! #     match attempt {
//! #         1 => Err(PayError::Busy { retry_after: None }),
//! #         2 => Err(PayError::Busy { retry_after: Some(Duration::from_secs(2)) }),
//! #         _ => Ok("receipt"),
//! #     }
//! # }
//!
//! const CARE: RetryOptions = RetryOptions::new()
//!     .attempts(4)
//!     .attempt_timeout(Duration::from_secs(2))
//!     .total_timeout(Duration::from_secs(20))
//!     .backoff(Backoff::exponential(Duration::from_millis(100)).jitter(Jitter::Full));
//!
//! let budget = RetryBudget::default();                            // shared by all who call the bank
//! let bank = Retry::new(CARE, |error: &PayError| match error {
//!     PayError::Busy { retry_after: Some(wait) } => Verdict::RetryAfter(*wait),
//!     PayError::Busy { retry_after: None } => Verdict::Retry,
//!     PayError::Declined => Verdict::Stop,
//! })
//! .budget(&budget);
//!
//! let receipt = bank.call(|attempt| charge(attempt)).await.unwrap();
//! assert_eq!(receipt, "receipt");
//!
//! let given_up = bank.call(|_| async { Err::<(), _>(PayError::Declined) }).await.unwrap_err();
//! assert_eq!((given_up.why, given_up.attempts), (GaveUp::NotRetryable, 1));
//! # }
//! ```
//!
//! In the body of a coordinator, [`Retry::conclude`] ends the attempt instead of waiting in it: the slot is free
//! meanwhile, the operation keeps its id, and in a keyed coordinator nothing of its key overtakes it.
//!
//! # Guarantees
//! - At most as many attempts as the options say, the first included, and never one after success, after
//!   [`Verdict::Stop`], or for an operation that is cancelled.
//! - No delay is longer than the cap, with jitter and `Retry-After` too, and none overflows, whatever the values.
//! - With a total timeout nobody waits for an attempt that would begin too late: such a call is given up at once.
//! - In any stretch of time the retries of a budget are at most its share of the calls, plus its minimum per second, plus
//!   its burst; in whole numbers, and exact under contention.
//! - Futures can be dropped at any await: no attempt follows, and a retry that was not made goes back into the budget.
//! - Success at once allocates nothing, takes no lock and, without timeouts, reads no clock. A call that fails for ever
//!   without delay still lets other tasks run.
//! - The same seed gives the same delays.
//!
//! # Features
//! - `metrics` (off by default): every attempt is counted once, in `dayfly.retry.attempts`, when it is known what came of it;
//!   see [Figures](#figures). Without it not an instruction is spent on that.
//! - `serde` (off by default): [`RetryOptions`], [`Backoff`] and [`RetryBudgetOptions`] are read from configuration and
//!   written to it. Reading runs the checks of the setters, knows every field, and takes durations as people write them
//!   (`30s`); nothing panics on input.
//!
//! # Figures
//! `dayfly.retry.attempts` is a counter with the attribute `outcome`, and `retry` with the name of one that is
//! [`named`](Retry::named). It counts the first attempts as well, so the sum of all outcomes but `retried` is that of the
//! calls.
//!
//! | `outcome` | |
//! |---|---|
//! | `succeeded` | the last of its call |
//! | `retried` | it failed or took too long, and another was to follow |
//! | `not_retryable`, `attempts_exhausted`, `deadline_exceeded`, `budget_exhausted`, `cancelled` | it failed, and why none was to follow: the variants of [`GaveUp`] |
//! | `dropped` | nobody waited for its end any more, or it panicked |
//!
//! # Limits
//! - An attempt of an operation or of a call [by hand](Retry::begin) that is dropped is no figure: nobody tells of it.
//! - Only what may be done twice may be tried twice, and only the caller knows that. A timed-out attempt is dropped, yet
//!   what it asked of others may still happen.
//! - In a coordinator's body the timeouts do not hold: an operation does not know when it began. A retry that
//!   [`Retry::decide`] has taken out of the budget does not go back when the operation is cancelled while it waits.
//! - A `Retry-After` beyond the cap is cut to it. To obey longer ones, raise the cap; to give up instead, let the classifier
//!   say [`Verdict::Stop`].
//! - Tokio's timers count milliseconds: shorter delays become one.
//! - Async functions on Tokio only; the attempt makes a future of its own each time, so what it needs is cloned or lent.
//! - A budget is of one process.
//!
//! # When to use something else
//!
//! | | dayfly-retry | backon 1 | tokio-retry 0.3 | tower 0.5 `retry` |
//! |---|---|---|---|---|
//! | schedules | constant, linear, exponential, listed | constant, exponential, **Fibonacci**, any iterator | constant, exponential, Fibonacci, any iterator | exponential |
//! | jitter | full, equal, decorrelated, within the cap | adds up to the first delay, beyond the cap | full | adds a share, within the cap |
//! | `Retry-After` | the classifier's verdict, within the cap | **any change of the delay** (`adjust`) | | the policy's own future |
//! | timeouts for attempt and call | both | total of the delays | | layers around it |
//! | success at once | 0.89 of tower's time | 1.27 | 0.90 | 1 |
//! | shared budget | lock-free, without a clock for calls | | | locks and reads the clock for each call |
//! | gives the slot back while waiting | in a coordinator's body | | | |
//! | options as data, live | yes | data | | |
//! | says why it gave up | yes | | | |
//! | **blocking calls, WASM, `no_std`** | | **yes** | | |
//! | **other runtimes** | | **yes** | | |
//! | **crates to build, itself included** | 17 | **4** | 10 | more with each feature |
//! | **retries on a value, with any state** | on errors only | | | **any policy over request and response** |
//!
//! - backon for blocking code, for WASM and other runtimes, or for one call that wants three retries on the spot.
//! - `tower::retry` where everything is a `Service` already and the policy has to look at requests and responses.
//! - A store or a queue when a retry must survive the process.

mod backoff;
mod budget;
mod error;
mod options;
mod plan;
mod retry;
mod verdict;

pub use backoff::{Backoff, Delays, Jitter};
pub use budget::{RetryBudget, RetryBudgetOptions};
pub use error::{GaveUp, RetryError};
pub use options::RetryOptions;
#[doc(hidden)]
pub use options::rules;
pub use retry::{Attempts, NextAttempt, Retry};
pub use verdict::Verdict;
