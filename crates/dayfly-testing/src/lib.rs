//! Dev-only helpers of the house: drop a future at every poll, work on paused time, count allocations, and write down
//! figures.
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
//! - A failed check says at which moment the future was dropped. A future that nothing wakes and a check that does not
//!   end are reported, not waited for.
//! - The future is polled when it was woken and not otherwise, each time with another waker; a future that keeps an old
//!   one is reported as never woken.
//! - A scenario that needs more polls in one run than in another is reported: some moments would be left out.
//!
//! # Limits
//! - The scenario must run the same way every time; what depends on threads belongs to loom or shuttle.
//! - A panic in a task that the scenario starts stays in that task, as always with Tokio: let the check look at what the
//!   task was to do.
//!
//! # When to use something else
//! - loom for hand-written atomics, shuttle for interleavings of tasks.

mod allocations;
mod drops;
#[cfg(feature = "metrics")]
mod figures;
mod full;
mod time;
mod wakes;

pub use allocations::{Counting, allocations};
pub use drops::{DropPoint, DropReport, drop_at_every_poll};
#[cfg(feature = "metrics")]
pub use figures::Figures;
pub use full::{rounds, times};
pub use time::{paused, settle};
