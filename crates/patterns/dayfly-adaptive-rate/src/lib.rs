//! So many starts per period for each key, with a burst, changed live, that obeys `rate-limit:500ms` and Retry-After.
//!
//! This crate owns when something may start: how a quota is kept to exactly, who is next when it has room again, and that a
//! service that says "not now" is heard by everybody who is about to call it.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use std::time::Duration;
//! use dayfly::{CoordinatorOptions, KeyedCoordinator, Operation, SignalSink};
//! use dayfly_adaptive_rate::{AdaptiveRate, RateOptions, RetryAfter};
//! # enum SendError { Busy(Duration), Refused(&'static str) }
//! # async fn send(mail: &Mail) -> Result<(), SendError> {
//! #     if mail.host.is_empty() { return Err(SendError::Refused("no host")) }
//! #     if tokio::time::Instant::now() < mail.busy_until { Err(SendError::Busy(Duration::from_secs(2))) } else { Ok(()) }
//! # }
//! # struct Mail { host: &'static str, busy_until: tokio::time::Instant }
//!
//! const POLITE: RateOptions = RateOptions::per_second(10).burst(2);
//!
//! let signals = SignalSink::default();
//! let rate = AdaptiveRate::new("mail", POLITE, &signals);          // holds rate.limited.mail while it is paused
//! let mails = KeyedCoordinator::spawn(
//!     CoordinatorOptions::new().defer_on("rate.limited.mail"),     // no start of a host that asked for a pause
//!     &signals,
//!     |mail: &Mail| mail.host,
//!     move |mail: Mail, op: Operation| {
//!         let rate = rate.clone();
//!         async move {
//!             if let Err(RetryAfter { after, .. }) = rate.check(mail.host) {
//!                 return op.again(mail, after);                    // gives its slot to another host meanwhile
//!             }
//!             match send(&mail).await {
//!                 Ok(()) => op.done(),
//!                 Err(SendError::Busy(pause)) => {
//!                     rate.retry_after(mail.host, pause);          // a Retry-After pauses its host only
//!                     op.again(mail, pause)
//!                 }
//!                 Err(SendError::Refused(why)) => op.fail(why),
//!             }
//!         }
//!     },
//! );
//! # let busy_until = tokio::time::Instant::now() + Duration::from_secs(1);
//! # let mail = |host| Mail { host, busy_until };
//! mails.enqueue(mail("a.example")).await.unwrap();
//! signals.raise("rate-limit:500ms");                               // anybody may ask for a pause of all
//! assert_eq!(mails.drain().await.completed, 1);
//! # }
//! ```
//!
//! # Guarantees
//! - In any window of length `t` no key starts more often than its burst and `t` times its rate. A start is counted when
//!   it is made, so what waits or sleeps saves nothing up. Whole numbers: nothing drifts, whatever the period is divided
//!   by, save that without a burst each start is rounded up to a nanosecond.
//! - No start comes before the end of a pause that was asked for before it. A pause with a key is for that key only.
//! - First come, first served within a key among futures that are polled when they are woken; a future that is not polled
//!   holds up nobody for more than 10 ms, and keeps its place. Keys do not hold up each other.
//! - Every future may be dropped at any await: no start, no place and no wake-up is lost.
//! - Nothing polls, and there is no task: one timer for all keys, which runs only while somebody waits or a pause lasts.
//! - Memory follows the keys that have used some of their burst, wait or are paused, up to
//!   [`max_keys`](RateOptions::max_keys). No look-up sweeps. Whoever comes when there is no room is neither refused nor let
//!   through: those keys share one place.
//! - A start of a key that is kept allocates nothing.
//!
//! # Features
//! - `serde` (off by default): [`RateOptions`] are read from configuration and written to it, under the rules of the
//!   setters; durations as people write them (`30s`).
//!
//! # Limits
//! - One process, in memory. The quota is that of each key; for one of all together take another rate with one key.
//! - Tokio's timers have whole milliseconds: a waiter starts up to a millisecond late, so more than 1,000 starts a second
//!   of one key need a burst of as many as fall into a millisecond.
//! - The timer runs on the runtime of whoever waited first, or in which the rate was made; it has to be driven meanwhile.
//!   When it shuts down, whoever waits elsewhere goes on by its own.
//! - After a pause the burst is there again, as after any time without starts.
//! - Keys that share a place share their pauses, for which no signal is held. What is left of it counts for a key of them
//!   that gets a place of its own.
//! - Options that change cost a look at each key that is kept. Tables keep the room of their largest crowd, and a key's
//!   text is as long as it is.
//! - One mutex stands around each rate. `Display` of a key runs outside of it.
//!
//! # When to use something else
//! - `governor` when nobody waits in line, keys are many and threads are too, or there is no Tokio: it decides by an atomic
//!   swap for each key.
//! - `tokio::time::interval` for one task that does one thing at a time.
//! - `dayfly-limit` to bound what is under way at once, not how often it starts.
//! - A limiter in a store, when several processes share one quota.

mod announcer;
mod error;
mod options;
mod pacer;
mod quota;
mod rate;
mod seats;
mod shared;
mod stats;
mod sync;
mod text;
mod wait;

pub use error::RetryAfter;
pub use options::RateOptions;
pub use rate::AdaptiveRate;
pub use stats::RateStats;
