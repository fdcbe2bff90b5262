//! All crates of Dayfly through one: the core at its root, every other as a module behind a feature.
//!
//! There is not one line of logic here. Whoever depends on `dayfly-complete` has what whoever depends on the single
//! crates has, under shorter names; the types are the same.
//!
//! | to | take | feature |
//! |---|---|---|
//! | run bounded work in order of arrival, per key, by priority, or for its results | the root: `Coordinator` and the others | |
//! | raise, wait for, count and look back at named signals | the root, and all of it in `signal` | |
//! | flush items together, by size, weight, delay or boundary | `batching` | `batching` |
//! | run CPU-bound or blocking bodies, or a fixed pool of async ones | `fixed_work` | `fixed-work` |
//! | park a key when one of its items fails, until somebody decides | `keyed_sequential` | `keyed-sequential` |
//! | hand out permits that can be resized, per key too, and lock several keys | `limit` | `limit` |
//! | decide whether and when to try again, with a budget | `retry` | `retry` |
//! | let signals hold back or refuse what goes into a coordinator, a channel or a service | `signal_aware` | `signal-aware` |
//! | stop calling what is down, per key too | `circuit_breaker` | `circuit-breaker` |
//! | start so often and no more, per key, and pause when asked to | `adaptive_rate` | `adaptive-rate` |
//! | follow configuration files live, and keep the last good one | `config` | `config` |
//! | keep state under keys with etags, in memory or in any store | `kv` | `kv` |
//! | keep that state in files that people can read | `kv_file` | `kv-file` |
//! | keep that state in one database file | `kv_redb` | `kv-redb` |
//!
//! ```
//! # #[cfg(feature = "signal-aware")] {
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use dayfly_complete::signal_aware::{Gate, GateOptions};
//! use dayfly_complete::{Coordinator, CoordinatorOptions, Operation, SignalSink};
//!
//! let signals = SignalSink::default();
//! let work = Coordinator::spawn(
//!     CoordinatorOptions::new().max_concurrency(8),
//!     &signals,
//!     |number: u64, op: Operation| async move {
//!         op.raise("square.made");
//!         number.checked_mul(number).ok_or("too large")
//!     },
//! );
//! let gate = Gate::new(GateOptions::new().cancel_on("shutdown"), &signals);
//! gate.admit(7, |number| work.enqueue(number)).await.unwrap();
//!
//! signals.raise("shutdown");
//! assert!(gate.admit(8, |number| work.enqueue(number)).await.is_err());
//! assert_eq!(work.drain().await.completed, 1);
//! # } main();
//! # }
//! ```
//!
//! # Features
//! - One for each crate, all on by default. Without them there is the core alone.
//! - `serde`, `metrics` and `tower` (off by default) turn on the features of these names in every crate that is there.
//!
//! # Guarantees
//! - Everything here is a re-export, so it mixes freely with what comes from the single crates.
//!
//! # Limits
//! - Whoever takes all crates builds and names all of them; each by itself is smaller.
//!
//! # When to use something else
//! - The crate that you need, when it is one or two: `dayfly-retry` alone is a fraction of this.

pub use dayfly::*;
#[cfg(feature = "adaptive-rate")]
pub use dayfly_adaptive_rate as adaptive_rate;
#[cfg(feature = "batching")]
pub use dayfly_batching as batching;
#[cfg(feature = "circuit-breaker")]
pub use dayfly_circuit_breaker as circuit_breaker;
#[cfg(feature = "config")]
pub use dayfly_config as config;
#[cfg(feature = "fixed-work")]
pub use dayfly_fixed_work as fixed_work;
#[cfg(feature = "keyed-sequential")]
pub use dayfly_keyed_sequential as keyed_sequential;
#[cfg(feature = "kv")]
pub use dayfly_kv as kv;
#[cfg(feature = "kv-file")]
pub use dayfly_kv_file as kv_file;
#[cfg(feature = "kv-redb")]
pub use dayfly_kv_redb as kv_redb;
#[cfg(feature = "limit")]
pub use dayfly_limit as limit;
#[cfg(feature = "retry")]
pub use dayfly_retry as retry;
pub use dayfly_signal as signal;
#[cfg(feature = "signal-aware")]
pub use dayfly_signal_aware as signal_aware;
