//! Batches by size, weight, delay and boundary, with one outcome per item.
//!
//! One round trip for many rows is cheaper than many round trips. What people get wrong by hand is the rest: the timer
//! that dies with the first failure, the items of a failed batch that nobody has any more, the caller that waits for a
//! batch that will never be full, the queue without a bound. A [`Batcher`] takes items one by one, hands them to a handler
//! batch by batch, and accounts for every one of them.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use std::time::Duration;
//! use dayfly::SignalSink;
//! use dayfly_batching::{Batch, Batcher, BatcherOptions};
//! # struct Row(u32);
//! # #[derive(Debug)] struct DbError;
//! # async fn insert_many(_: &[Row]) -> Result<(), DbError> { Ok(()) }
//!
//! async fn insert_rows(rows: Batch<Row>) -> Result<(), DbError> {
//!     insert_many(&rows).await                                   // a batch reads like a slice
//! }
//!
//! const ROWS: BatcherOptions = BatcherOptions::new().max_items(64).max_delay(Duration::from_millis(20));
//!
//! let signals = SignalSink::default();
//! let batcher = Batcher::spawn(ROWS, &signals, insert_rows);     // raises batch.flushed and batch.failed
//!
//! batcher.push(Row(1)).await.unwrap();                           // waits for room; an error returns the row
//! batcher.submit(Row(2)).await.unwrap();                         // waits until this row is in the database
//! batcher.flush().await;                                         // waits until everything so far is
//! let report = batcher.drain().await;                            // nothing accepted is lost
//! assert_eq!(report.completed + report.failed, report.accepted);
//! # }
//! ```
//!
//! | | |
//! |---|---|
//! | [`Batcher`] | batches of whatever comes, in order |
//! | [`KeyedBatcher`] | batches of one key each, under one bound |
//! | [`BatchRules`] | what an item weighs, where a batch ends, which items are the same, where failed ones go |
//! | [`Answer`] | what a handler may return: nothing, one result for all, or one for each item |
//!
//! Each batch raises `batch.flushed` with the number of its items that were handled, and `batch.failed` with the number of
//! those that failed; the signals' key is the batcher's [name](BatchRules::name), if it has one.
//!
//! # Guarantees
//! - No batch holds or weighs more than its limits, also while they change; only an item that was accepted under a higher
//!   limit of weight than today's leaves alone. Items keep their order; with keys, that of their key. Handlers are
//!   called in the order of the batches.
//! - Every accepted item ends exactly once: completed, failed, cancelled, withdrawn by who waited for it, or coalesced with
//!   one of its kind. `drain` returns when all have, and its parts add up.
//! - A batch that fails, or whose handler panics or miscounts its answers, hands the items that are still in it on to
//!   [`on_failure`](BatchRules::on_failure). Later batches, and the timer, are not touched.
//! - Who submitted an item gets the outcome of that item, once. Whoever stops waiting takes the item out, unless a handler
//!   has it.
//! - What waits is bounded in items, what fills in keys, what runs in batches. Futures can be dropped at any await: no
//!   item, no room, no slot and no wake-up is lost.
//! - Nothing polls. There is one timer, for the batch that is due next, and none while no batch fills. An item that
//!   is pushed costs one short lock, no wake-up and, in steady state, no allocation; a batch costs a wake-up and the small
//!   text that its signal carries.
//!
//! # Features
//! - `serde` (off by default): [`BatcherOptions`] is read from configuration and written to it, under the rules of the
//!   setters and with durations as people write them (`20ms`, and `max_delay = "never"` for none); nothing panics on input.
//!
//! # Limits
//! - One process, in memory. When the runtime shuts down, what has not been handled is counted as cancelled and dropped.
//! - Tokio's timer has a resolution of one millisecond, and so has `max_delay`.
//! - A handler that moves its [`Batch`] elsewhere and returns has settled it: what is done there is nobody's outcome.
//! - A handler or a recovery that pushes into its own batcher uses `try_push` through a weak handle, or it may wait for room
//!   that it takes itself.
//! - Comparing keys and identities runs under a lock: keep it short, and do not call the batcher from it.
//! - More batches in flight than one are handled in parallel and may end in any order.
//!
//! # When to use something else
//! | | bound | per-item outcome | a failed batch | ns per item | choose it when |
//! |---|---|---|---|---|---|
//! | **`Batcher`** | items | yes | goes to `on_failure` | see docs/performance.md | items come from many tasks and each matters |
//! | `mpsc` and `recv_many` | items | by hand | is yours | two to three times as many | you want the loop, or natural batches without a delay |
//! | `chunks_timeout` of `tokio-stream` | none of its own | no | is yours | three times as many | there is a stream already, and one consumer |
//! | a `Vec` behind a mutex, swapped by a timer | none | no | is yours | half as many | losing the latest items is fine |
//! | `dataloader`, `ultra-batch` | none | yes | all callers get the error | | reads that want a cache of what was loaded |
//! | `dayfly::ResultCoordinator` | operations | yes | | | items do not get cheaper together |
//!
//! It is 17 crates to build, itself and Tokio included; whoever writes the loop by hand builds Tokio only.

mod answer;
mod batch;
mod batch_rules;
mod batcher;
mod control;
mod engine;
mod error;
mod failure;
mod keyed;
mod options;
mod replies;
mod room;
mod state;
mod stats;
mod sync;

pub use answer::{Answer, Answers};
pub use batch::{Batch, FlushReason};
pub use batch_rules::BatchRules;
pub use batcher::{Batcher, WeakBatcher};
pub use error::{PushError, SubmitError, TryPushError};
pub use failure::{BatchError, FailedBatch};
pub use keyed::{KeyedBatcher, WeakKeyedBatcher};
pub use options::BatcherOptions;
pub use stats::{DrainReport, Stats};
