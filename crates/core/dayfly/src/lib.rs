//! Bounded, ordered, observable async work on Tokio, steered by signals.
//!
//! Work goes in through a bound, runs in a stated order, can be watched while it runs, reacts to named signals, and
//! nothing that was accepted is silently lost.
//!
//! | | order of starts | use it for |
//! |---|---|---|
//! | [`Coordinator`] | first come, first served | a bounded pool of equal work |
//! | [`ResultCoordinator`] | first come, first served | the same, when each result is wanted |
//! | [`KeyedCoordinator`] | first come, first served within a key; keys take turns | per customer, per file, per device |
//! | [`PriorityCoordinator`] | the highest lane that may run; what waits long enough rises | urgent and other work |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use dayfly::{CoordinatorOptions, KeyedCoordinator, Operation, SignalSink};
//! # struct Order { customer: u32 }
//! # enum PayError { Busy(Duration), Declined(&'static str) }
//! # async fn charge(order: &Order) -> Result<(), PayError> {
//! #     match order.customer { 0 => Err(PayError::Declined("no account")), _ => Ok(()) }
//! # }
//! # fn todays_orders() -> Vec<Order> { vec![Order { customer: 1 }, Order { customer: 0 }] }
//!
//! const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(8).queue_capacity(1_000);
//!
//! let signals = SignalSink::default();
//! let declined = signals.counter("order.declined", Duration::from_secs(60));
//!
//! // A customer's orders in order, eight customers at once; no start while the bank is out.
//! let orders = KeyedCoordinator::spawn(
//!     WORK.cancel_on("shutdown").defer_on("circuit.open.*"),
//!     &signals,
//!     |order: &Order| order.customer,
//!     |order: Order, op: Operation| async move {
//!         match charge(&order).await {
//!             Ok(()) => { op.raise("order.paid"); op.done() }
//!             Err(PayError::Busy(retry_after)) => op.again(order, retry_after),
//!             Err(PayError::Declined(why)) => { op.raise("order.declined"); op.fail(why) }
//!         }
//!     },
//! );
//! for order in todays_orders() { orders.enqueue(order).await?; } // waits for room; an error returns the order
//! drop(signals.hold("circuit.open.manual"));                     // defers starts; its drop wakes them
//! let report = orders.drain().await;                             // nothing accepted is lost
//! assert_eq!(report.completed + report.failed, report.accepted);
//! assert_eq!(declined.count(), 1);
//! # Ok(()) }
//! ```
//!
//! The types of [`dayfly_signal`] that a coordinator's user needs stand here too.
//!
//! # Guarantees
//! - At most `max_concurrency` bodies run at once, also while the limit changes; a lower one holds from the next
//!   start on.
//! - An accepted operation ends exactly once: completed, failed, cancelled, skipped or panicked. `drain` returns when
//!   all have, and its parts add up.
//! - With one operation per key, a key's operations run in the order of enqueueing, attempts included. Before the
//!   first item of an idle key, every other key starts at most as many operations as it weighs (1, unless
//!   [`Keys::weight`] says otherwise) and has saved ([`burst`](CoordinatorOptions::burst)), within its lane.
//! - A body that panics costs itself and nothing else. Futures can be dropped at any await: no place, no slot and no
//!   wake-up is lost.
//! - Nothing polls. Gates read the signals' state right before each start and wake by event.
//! - What waits, what runs and what is remembered each have a bound of their own, and what is kept of keys follows
//!   those that have work. In steady state an operation allocates nothing, save what its key, item and body do.
//!
//! # Features
//! - `serde` (off by default): [`CoordinatorOptions`], [`LaneOptions`] and what they hold are read from
//!   configuration and written to it. Reading runs the checks of the setters, knows every field, and takes durations as
//!   people write them (`30s`); nothing panics on input.
//!
//! # Limits
//! - One process, in memory: what has not started when the runtime shuts down is counted as cancelled.
//! - Bodies run in as many tasks as the runtime has threads, each with a slot for every body, and share that task's
//!   budget and id; a submitted one may be polled once in its caller's task. A body must not block the thread; one that
//!   computes for long holds up those that its worker has started already.
//! - Instants are the readings that a worker takes when it comes to the engine. While bodies take less than a microsecond
//!   it comes for up to 32 of them at once, so `started_at`, `finished_at` and the instant of a raise may be that much
//!   early or late; with slower bodies each has readings of its own.
//! - A body that enqueues into its own coordinator uses `try_enqueue`, or it may wait for a place that it takes itself.
//! - `Hash`, `Eq`, `Clone`, `Display` and the drop of a key run under a lock: keep them short, and do not call the
//!   coordinator from them. A key whose `Display` panics has no text, so no keyed signal gates it.
//!
//! # When to use something else
//! - `futures::StreamExt::for_each_concurrent` when all work is there at once and nobody watches.
//! - `tokio::task::JoinSet` when every task's result is wanted and nothing has to be bounded.
//! - A job queue with a store when work must survive the process.

#[doc(hidden)]
pub mod alarm;
#[doc(hidden)]
pub mod contain;
mod control;
mod coordinator;
mod crew;
mod desk;
mod engine;
mod error;
mod feed;
mod for_each;
mod intake;
mod keyed;
mod keys;
mod lane;
#[doc(hidden)]
pub mod latch;
mod observers;
mod operation;
mod options;
mod outcome;
mod pass;
mod priority;
mod recent;
mod reconfigure;
mod result;
mod schedule;
mod snapshot;
mod stats;
mod stats_handle;
mod sync;
mod ticket;
mod weak;
mod window;

pub use coordinator::Coordinator;
pub use crew::{Crew, Worker};
pub use dayfly_signal::{
    Counter, Draft, Hold, OperationId, OperationIds, PatternSet, Query, Signal, SignalHandle, SignalId,
    SignalOptions, SignalPattern, SignalSink, Subscription,
};
pub use error::{EnqueueError, LaneEnqueueError, PinError, TryEnqueueError, TryLaneEnqueueError};
pub use feed::FeedError;
pub use for_each::{ForEachReport, for_each, for_each_stream};
pub use intake::EnqueueManyError;
pub use keyed::KeyedCoordinator;
pub use keys::Keys;
pub use lane::{Lane, LaneOptions, LanesError};
pub use operation::Operation;
pub use options::{AfterDeferral, CoordinatorOptions};
pub use outcome::{Ended, Outcome};
pub use priority::PriorityCoordinator;
pub use reconfigure::{Fixed, Reconfigure};
pub use result::ResultCoordinator;
pub use snapshot::{Echo, OperationSnapshot, OperationState};
pub use stats::{DrainReport, KeyStats, Stats};
pub use stats_handle::StatsHandle;
pub use ticket::{Ticket, TicketError};
pub use weak::WeakHandle;
