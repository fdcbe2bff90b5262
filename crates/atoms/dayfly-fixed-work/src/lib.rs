//! A fixed pool of workers for async, CPU-bound and blocking bodies, with a bound, a window and figures.
//!
//! Work that computes or blocks must not run in the runtime's threads, and a pool that grows with the load moves the
//! problem elsewhere. [`FixedWork`] has as many workers as it is told, a bounded queue before them, and everything that a
//! coordinator has: order, tickets, live limits, gates, cancellation that is seen, a window of what ran, an end that
//! waits.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use dayfly_fixed_work::{CoordinatorOptions, FixedWork, FixedWorkOptions, Operation, SignalSink};
//!
//! let signals = SignalSink::default();
//! let thumbnails = FixedWork::spawn_cpu(
//!     FixedWorkOptions::new().workers(2).work(CoordinatorOptions::new().queue_capacity(100)),
//!     &signals,
//!     |pixels: Vec<u8>, _: Operation| {
//!         let sum: u64 = pixels.iter().map(|pixel| u64::from(*pixel)).sum();
//!         u64::try_from(pixels.len()).ok().and_then(|count| sum.checked_div(count)).ok_or("no pixels")
//!     },
//! );
//! let (grey, nothing) = (thumbnails.submit(vec![10, 20]).await?, thumbnails.submit(vec![]).await?);
//! assert_eq!(grey.await?, 15);
//! assert!(nothing.await.is_err());
//! let report = thumbnails.drain().await;
//! assert_eq!((report.completed, report.failed), (1, 1));
//! # Ok(()) }
//! ```
//!
//! # Guarantees
//! - Never more bodies at once than there are workers: also after `kill` and `cancel`, and while the limit changes. A slot
//!   is free when its thread is.
//! - Bodies on threads overlap, and none holds up the runtime, not even one with a single thread.
//! - Threads take work from the queue themselves, under the engine's lock: there is no second queue behind the bound, and
//!   no hand-over for each item. They sleep while there is nothing to do; nothing polls and nothing spins.
//! - A body that panics costs its operation and nothing else; its thread goes on.
//! - When everything has ended, the threads end by themselves. No drop of a handle waits for them.
//!
//! # Features
//! - `serde` (off by default): [`FixedWorkOptions`] are read from configuration and written to it.
//!
//! # Limits
//! - A thread cannot be killed: a body that does not look at `op.is_cancelled()` and never returns keeps its thread and its
//!   slot, and `drain` and `cancel` wait for it. `cancel_grace` means nothing to it.
//! - All threads are started with the pool and live as long as it does.
//! - When the runtime shuts down, what has not started is cancelled and running bodies see their cancellation; the process
//!   may end before they do. Whatever needs the runtime fails in them from then on.
//! - A paused clock (`tokio::time::pause`) does not wait for bodies on threads.
//! - No priorities, no keys, no work stealing within a body: one item is one call.
//!
//! # When to use something else
//!
//! | | dayfly-fixed-work | `tokio::task::spawn_blocking` | `rayon::spawn` |
//! |---|---|---|---|
//! | threads | as many as it is told, from the start | up to 512, as they are needed | as many as cores |
//! | queue | bounded, first come first served | no bound | no bound, no order |
//! | the result | a ticket, or none | a join handle | by hand |
//! | a panic | its operation's | its join handle's | the process's, unless there is a handler |
//! | cancellation | seen by the body, waited for; what waits is removed | removes what has not started | none |
//! | live limit, pause, gates on signals, window, figures | yes | | |
//! | **threads that are there already** | | **the runtime's** | **one pool for the process** |
//! | **one piece of work over all cores** | | | **yes** |
//! | **crates to build, itself included** | 17 | **Tokio's** | **6** |
//!
//! - `tokio::task::spawn_blocking` for a call now and then: its threads are there already, up to 512 of them, and its queue
//!   has no bound.
//! - `rayon` when one piece of work is to be split over the cores; it has no bound, no order and no cancellation.
//! - [`dayfly::Coordinator`] for async bodies whose limit is not fixed and whose results nobody wants.

mod control;
mod crew;
mod error;
mod fixed_work;
mod options;

pub use dayfly::{CoordinatorOptions, Operation, SignalSink, Ticket, TicketError};
pub use error::SpawnError;
pub use fixed_work::FixedWork;
pub use options::FixedWorkOptions;
