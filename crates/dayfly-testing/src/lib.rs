//! Dev-only helpers of the house: drop a future at every poll, and work on paused time.
//!
//! [`drop_at_every_poll`] proves cancel safety: it runs a scenario again and again and drops the future under test one
//! moment later each time, until it completes; after every drop a check looks at what is left.
//!
//! ```
//! use std::sync::Arc;
//! use tokio::sync::Semaphore;
//!
//! let report = dayfly_testing::drop_at_every_poll(
//!     || Arc::new(Semaphore::new(1)),
//!     |permits| async move { drop(permits.acquire_owned().await) },
//!     |permits, _how| async move { assert_eq!(permits.available_permits(), 1) },
//! );
//! assert!(report.completed);
//! ```
//!
//! # Guarantees
//! - Each run has a runtime of its own on a paused clock, so runs cannot disturb each other.
//! - The future is dropped right after each poll that left it pending, and also when it has been woken and not yet
//!   polled: the moment at which a hand-over may be lost.
//! - A failed check says at which moment the future was dropped. A future that nothing wakes is reported, not waited
//!   for.
//!
//! # Limits
//! - The scenario must run the same way every time; what depends on threads belongs to loom or shuttle.
//!
//! # When to use something else
//! - loom for hand-written atomics, shuttle for interleavings of tasks.

mod drops;
mod time;

pub use drops::{DropPoint, DropReport, drop_at_every_poll};
pub use time::{paused, settle};
