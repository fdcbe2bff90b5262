//! Permits that can be resized below what is in use, per-key caps, and a keyed lock for several keys at once.
//!
//! This crate owns how a freed place is handed over: to the one who waits longest, without a newcomer slipping in, and
//! without giving it to a future that nobody polls.
//!
//! | | what it bounds |
//! |---|---|
//! | [`Limiter`] | so many at once; the number can be changed at any time |
//! | [`KeyedLimiter`] | so many at once of one key, and so many in all |
//! | [`KeyedLock`] | one at once of one key; several keys can be taken together |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use std::time::Duration;
//! use dayfly_limit::{AcquireError, KeyedLock, Limiter, LimiterOptions, Priority, Request};
//!
//! const CONNECTIONS: LimiterOptions = LimiterOptions::new().limit(2);
//! let connections = Limiter::new(CONNECTIONS);
//! let permit = connections.acquire().await.unwrap();
//! let bulk = connections.acquire_with(Request::new().priority(Priority::Low)).await.unwrap();
//! let late = connections.acquire_within(Duration::from_millis(5)).await;
//! assert_eq!(late.unwrap_err(), AcquireError::TimedOut);
//! connections.set_limit(1).unwrap(); // holds from the next request on
//! drop((permit, bulk));
//! assert_eq!(connections.stats().in_use, 0);
//!
//! let accounts = KeyedLock::new();
//! let guard = accounts.lock_many([7, 3]).await; // nobody deadlocks with `lock_many([3, 7])`
//! assert!(accounts.is_locked(&3));
//! drop(guard);
//! assert!(accounts.is_empty());
//! # }
//! ```
//!
//! # Guarantees
//! - Never are more permits granted than the limit in force allows. A lower limit drops nothing that was granted; nobody
//!   is admitted until enough has come back.
//! - First come, first served among requests of a class whose futures are polled when they are woken; what does not fit
//!   is not overtaken. A higher class goes first, but overtakes nobody who came more than
//!   [`age_after`](LimiterOptions::age_after) before it, per class between them.
//! - A future that is woken for a permit and not polled is passed over after
//!   [`claim_within`](LimiterOptions::claim_within), and keeps its place. So neither a `select!` that looks at another
//!   branch nor a stream that buffers futures can stop everybody else, as they can with a semaphore that hands permits
//!   to waiters.
//! - Every future may be dropped at any await: no permit, no place and no wake-up is lost. A permit is given back on
//!   drop, also by a panic.
//! - A key's waiter holds nothing that another key could use. What is kept of keys follows those that are held or waited
//!   for.
//! - `lock_many` takes all keys at one moment, so requests do not deadlock each other in whatever order keys are named.
//! - Nothing polls; there is no task, and a timer only while somebody who was woken has not come and others wait.
//!   Nothing is allocated unless somebody waits, save what tables need to grow.
//!
//! # Features
//! - `serde` (off by default): [`LimiterOptions`] and [`KeyedLimiterOptions`] are read from configuration and written to
//!   it, under the checks of the setters; durations as people write them (`30s`), `age_after = "never"` for none.
//!
//! # Limits
//! - What holds a permit and is not polled keeps it: only what was not taken yet can be passed on. Whoever holds a permit
//!   and waits for another of the same limiter can wait for ever, as with any semaphore.
//! - The runtime of whoever waits has to have its timer on, as `#[tokio::main]` has. Without one nobody is passed over.
//! - One mutex stands around each limiter; only permits without a key go past it, while nobody waits. `Eq` of a key
//!   runs under it: keep it short, and do not call the limiter from it. `Hash`, the drop of a key and wakers run
//!   outside.
//! - Tables keep the room of their largest crowd.
//! - A wait uses up Tokio's budget as Tokio's own do: a task without any takes its place with its next poll.
//! - A request takes its place at its first poll, so futures that are only made stand nowhere.
//! - In one process, in memory. It bounds what is under way at once, not how often something starts.
//!
//! # When to use something else
//!
//! | | dayfly-limit | `tokio::sync::Semaphore` | `DashMap` of Tokio mutexes |
//! |---|---|---|---|
//! | a limit below what is in use | holds from the next request on | takes away what is free; the rest by hand | |
//! | a waiter that nobody polls | passed over after 10 ms, keeps its place | holds up everybody | holds up its key |
//! | weights | yes | yes | |
//! | priority classes, deadlines | yes, with ageing | a timeout around it | a timeout around it |
//! | caps per key and in all, a bound on keys | `KeyedLimiter` | | one holder per key |
//! | several keys at once, in any order | `lock_many` | | by hand, in one order |
//! | a table of keys that empties | by itself | | by hand |
//! | 64 tasks on 8 permits, ready | 0.4 of its time | 1 | |
//! | one task alone | 0.8 to 0.9; `KeyedLock` 0.9 to 1.0 of the map's | 1; 0.8 when lent | 1 |
//! | **a permit handed to who waits** | 2.15; `KeyedLock` 1.3 to 2.2 of the map's | **1** | **1** |
//! | **crates to build, itself included** | 17 | **Tokio's** | **10, and Tokio's** |
//!
//! - `tokio::sync::Semaphore` when the number never falls and a permit need not be owned: it can lend one without
//!   touching a count.
//! - `dayfly`'s coordinators when there is work to run, watch and drain, not only to bound.
//! - `governor` for so many per second.
//! - A database's advisory locks, or a lease, when several processes are bounded together.

mod admission;
mod error;
mod few;
mod held;
mod keyed;
mod keyed_lock;
mod keys;
mod lane;
mod limiter;
mod options;
mod permit;
mod place;
mod request;
mod room;
mod shared;
mod stats;
mod sync;
mod wait;

pub use error::{
    AcquireError, KeyedAcquireError, SetLimitError, TryAcquireError, TryKeyedAcquireError, TryLockError,
};
pub use keyed::KeyedLimiter;
pub use keyed_lock::KeyedLock;
pub use limiter::Limiter;
pub use options::{KeyedLimiterOptions, LimiterOptions};
pub use permit::{KeyGuard, KeyedPermit, Permit};
pub use request::{Priority, Request};
pub use stats::{KeyUsage, KeyedLimiterStats, LimiterStats};
