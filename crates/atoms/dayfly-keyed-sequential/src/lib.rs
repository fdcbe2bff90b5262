//! Work in order per key that stops the line: a failed item parks its key until somebody says what is to become of it.
//!
//! Events of one entity, statements of one account, steps of one device: when one of them fails, the next must not run as
//! if nothing had happened. [`KeyedSequential`] parks the key and goes on with all others. What failed is listed with
//! its error and waits, with everything behind it in order, for one of three calls:
//!
//! | call | the failed item | what waits behind it |
//! |---|---|---|
//! | [`retry`](KeyedSequential::retry) | runs again, first | runs after it, in order |
//! | [`skip`](KeyedSequential::skip) | is handed back | runs, in order |
//! | [`discard`](KeyedSequential::discard) | is handed back | is handed back |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use dayfly_keyed_sequential::{KeyedSequential, Operation, SequentialOptions, SignalSink};
//!
//! struct Entry { account: u32, amount: i64 }
//!
//! async fn book(entry: &Entry) -> Result<(), &'static str> {
//!     if entry.amount == 0 { Err("nothing to book") } else { Ok(()) }
//! }
//!
//! let signals = SignalSink::default();
//! let books = KeyedSequential::spawn(
//!     SequentialOptions::new(),
//!     &signals,
//!     |entry: &Entry| entry.account,
//!     |entry: Arc<Entry>, _: Operation| async move { book(&entry).await },
//! );
//! for (account, amount) in [(1, 10), (1, 0), (1, 30), (2, 20)] {
//!     books.enqueue(Entry { account, amount }).await?;
//! }
//! signals.raised("key.parked").await;                   // account 1 stands still, 2 does not
//! assert_eq!(&*books.parked()[0].error, "nothing to book");
//! assert_eq!(books.skip(&1).unwrap().amount, 0);        // account 1 goes on with 30
//!
//! let report = books.drain().await;
//! assert_eq!((report.figures.completed, report.figures.failed), (3, 1));
//! # Ok(()) }
//! ```
//!
//! # Guarantees
//! - Of one key, in one lane, an item starts only when every item that was accepted before it has completed, or was given
//!   up by name: skipped, discarded, killed or cancelled. An error, a panic and `op.again` let nothing pass.
//! - The item outlives its attempts: the body gets a share of it, and `T` need not be `Clone`.
//! - `retry`, `skip` and `discard` act when called and once: of several callers one is told that the key was parked.
//! - Every accepted item ends in one place: completed, handed back, or listed as given up
//!   ([`given_up`](KeyedSequential::given_up), [`SequentialReport`]). What a full list forgets is counted.
//! - A parked key takes no slot, no turn and no timer. It takes its room in the queue: one place for the failed item and
//!   [`max_queued_per_key`](dayfly::CoordinatorOptions::max_queued_per_key) at most for what is behind it.
//! - Memory follows the keys that have work, parked ones included; there are at most as many of these as the queue has
//!   places.
//!
//! # Features
//! - `serde` (off by default): [`SequentialOptions`] are read from configuration and written to it.
//!
//! # Limits
//! - One process, in memory: what is parked when the process ends is gone, and when the runtime shuts down it is given up.
//! - Many parked keys fill the queue for everybody: watch [`parked_count`](KeyedSequential::parked_count), and keep
//!   `queue_capacity` well above what may be parked.
//! - `drain` waits for parked keys; [`drain_for`](KeyedSequential::drain_for) and [`cancel`](KeyedSequential::cancel) do not.
//! - A retried item runs from its beginning: what its body did before it failed is done twice unless the body sees to it.
//! - Each item is allocated once and counted, and each attempt clones its key. `T` has to be `Sync`.
//! - The signal of a parked key needs its text, as `Display` writes it; a key whose text cannot be written is parked
//!   without one. `Hash`, `Eq`, `Clone` and the drop of a key run under a lock and must not panic.
//!
//! # When to use something else
//!
//! | | dayfly-keyed-sequential | one channel per hash of the key | a map of Tokio mutexes | a partitioned log |
//! |---|---|---|---|---|
//! | order within a key | yes | yes | yes | yes |
//! | a failed item stops | its key | nothing, or all keys of its channel | nothing | its partition |
//! | what failed, and why | listed, watched, signalled | by hand | by hand | the consumer's lag |
//! | again, without it, without all of it | `retry`, `skip`, `discard` | by hand | by hand | by offset |
//! | a slow key holds up | nobody | all keys of its channel | nobody | its partition |
//! | memory | keys with work | **fixed** | keys, until somebody empties it | on disk |
//! | **time of an item** | 1.5 to 6 times a channel's | **1** | 1.2 to 3.3 times a channel's | |
//! | **survives the process** | no | no | no | **yes** |
//!
//! The times are those of the engine underneath (docs/performance.md); here an item is allocated once as well. It is 17
//! crates to build, itself and Tokio included.
//!
//! - [`KeyedCoordinator`](dayfly::KeyedCoordinator) when a failure is the item's own affair and the key goes on.
//! - `dayfly-retry` in the body when trying again by itself is enough.
//! - A partitioned log, such as Kafka, when order has to survive the process. There, a failed record stops its
//!   whole partition, with every key in it.

mod attempt;
mod control;
mod intake;
mod ledger;
mod line;
mod options;
mod report;
mod sequential;
mod watch;
mod window;

pub use dayfly::{CoordinatorOptions, Operation, SignalSink};
pub use options::SequentialOptions;
pub use report::{GivenUp, Parked, SequentialReport};
pub use sequential::KeyedSequential;
pub use watch::ParkedWatch;
