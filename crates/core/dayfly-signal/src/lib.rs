//! Named signals for async services: raised state, bounded history, windowed counts, waiting and subscriptions.
//!
//! A signal has a dotted name such as `api.failure`, perhaps a key, perhaps a payload behind the first colon
//! (`rate-limit:500ms`), the id of the operation that raised it and an instant on Tokio's clock. Everyone who
//! coordinates shares one [`SignalSink`], which keeps two views apart:
//!
//! - the **history**, a bounded window of events, for counting and looking back;
//! - the **state**, which says of each name whether it is raised *now*, for gates and waiters.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use std::time::Duration;
//! use dayfly_signal::{Draft, SignalOptions, SignalSink};
//!
//! let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(30)));
//! let failures = signals.counter("api.*", Duration::from_secs(10));
//! let mut events = signals.subscribe("api.*, rate-limit");
//!
//! signals.raise("api.failure");                            // an event: raised until it ages out
//! signals.raise(Draft::from("rate-limit:500ms").key("acme"));
//! assert_eq!(failures.count(), 1);
//! assert_eq!(events.recv().await.unwrap().name(), "api.failure");
//! assert_eq!(events.recv().await.unwrap().payload(), Some("500ms"));
//!
//! let maintenance = signals.hold("maintenance");           // a mode: raised until the guard is dropped
//! assert!(signals.is_raised("maintenance"));
//! drop(maintenance);
//! signals.cleared("maintenance").await;
//!
//! tokio::time::advance(Duration::from_secs(30)).await;     // what is not raised again ages out
//! assert!(!signals.is_raised("api.failure"));
//! # }
//! ```
//!
//! # Guarantees
//! - Raising never fails, never waits, and allocates nothing for a name and key that the sink knows; a payload
//!   costs one allocation.
//! - All events of a sink have one order, that of their [`SignalId`]s, and instants never go against it.
//! - Age is applied on every read: what is too old is never seen, whether or not anybody cleaned up.
//! - Waiting is event-driven. Wakers and callbacks run after the sink's lock is free.
//! - What a callback raises is caused by the event that it is told, so the depth limit ends every loop; sinks that
//!   forward to each other come to an end. A callback that panics costs nobody else anything.
//! - Memory is bounded whatever is raised: see the table of [`SignalOptions`]. A subscriber that does not read
//!   loses the oldest events and is told how many.
//!
//! # Features
//! - `serde` (off by default): [`SignalOptions`], [`PatternSet`] and [`SignalPattern`] are read from
//!   configuration and written to it. Reading runs the checks of the setters, knows every field, and takes durations as
//!   people write them (`30s`); nothing panics on input.
//!
//! # Limits
//! - One process, in memory. A sink is not a log: what left the history is gone.
//! - A [`Counter`] is exact over the history; events beyond its capacity are not counted.
//! - Names and payloads have no length limit of their own: do not raise names that a stranger chooses freely.
//! - Every use takes one short lock that all clones share, but for a look at a [`Counter`] or at a [`Watch`].
//!
//! # When to use something else
//! - `tokio::sync::watch` for one value that many read; `tokio::sync::broadcast` for typed messages.
//! - `tokio::sync::Notify` or `CancellationToken` when one name is all there is.
//! - `metrics` or `tracing` for what only people look at.

mod cause;
mod clearing;
mod clock;
mod counter;
mod draft;
mod gate;
mod handle;
mod handler;
mod history;
mod id;
mod interest;
mod ledger;
mod listener;
mod options;
mod pattern;
mod published;
mod query;
mod raising;
mod reading;
mod ring;
#[doc(hidden)]
pub mod setting;
mod signal;
mod sink;
mod source;
mod state;
mod subscription;
mod sync;
mod topics;
mod watch;
mod window;

pub use cause::Blocked;
pub use counter::Counter;
pub use draft::Draft;
pub use gate::{GateRules, Ruling, Verdict};
pub use handle::{Hold, SignalHandle};
pub use handler::AsyncHandler;
pub use id::{OperationId, OperationIds, SignalId};
pub use listener::Listener;
pub use options::SignalOptions;
pub use pattern::{PatternSet, SignalPattern};
pub use query::Query;
pub use signal::{Raised, Signal, SignalKind};
pub use sink::SignalSink;
pub use source::SignalSource;
pub use subscription::{Backlog, Lagged, Subscription};
pub use watch::Watch;
