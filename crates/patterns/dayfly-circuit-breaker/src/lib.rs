//! Circuit breakers that count probes, ignore stale completions and speak through signals; per key too.
//!
//! A breaker stops calling what is down, and finds out by itself when it is up again. What users get wrong by hand: a
//! half-open state that lets any number of calls through; a late answer of an earlier period that closes it; a caller who
//! gave up and counts as a failure; a breaker that only half-opens when it is called, behind a queue that waits for it to
//! open.
//!
//! | | it opens when |
//! |---|---|
//! | [`CircuitBreaker`] | calls through it fail in a row, or a share of them fails or is slow |
//! | [`KeyedBreaker`] | the same, for each key by itself |
//! | [`SignalBreaker`] | so many failure signals were raised within a time, by whomever |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use std::time::Duration;
//! use dayfly::{CoordinatorOptions, KeyedCoordinator, Operation, SignalSink};
//! use dayfly_circuit_breaker::{BreakerOptions, CallError, CircuitBreaker};
//! # async fn charge(customer: u32) -> Result<(), &'static str> { Ok(()) }
//!
//! const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(5).open_for(Duration::from_secs(30));
//!
//! let signals = SignalSink::default();
//! let bank = CircuitBreaker::new("bank", CARE, &signals);       // holds circuit.open.bank while it is open
//! let orders = KeyedCoordinator::spawn(
//!     CoordinatorOptions::new().defer_on("circuit.open.bank"),  // no start while the bank is out
//!     &signals,
//!     |customer: &u32| *customer,
//!     move |customer: u32, op: Operation| {
//!         let bank = bank.clone();
//!         async move {
//!             match bank.call(charge(customer)).await {
//!                 Ok(()) => op.done(),
//!                 Err(CallError::Inner(error)) => op.fail(error),
//!                 // Another customer's order is the probe: this one waits its turn.
//!                 Err(CallError::Open { retry_after }) => op.again(customer, retry_after),
//!             }
//!         }
//!     },
//! );
//! orders.enqueue(7).await.unwrap();
//! assert_eq!(orders.drain().await.completed, 1);
//! # }
//! ```
//!
//! # Beside others
//!
//! | | here | `recloser` 1.4 | `failsafe` 1.3 | `tower-resilience-circuitbreaker` 0.14 |
//! |---|---|---|---|---|
//! | it opens on failures in a row | yes | when a whole ring failed | yes | yes |
//! | on a share of failures | of calls, of a time | of calls | of a time | of calls, of a time |
//! | on slow calls | yes | no | no | yes |
//! | calls while it is half-open | counted | any number | any number | counted |
//! | a call that ends in a later period | says nothing | counts | counts | counts |
//! | a call that is dropped | says nothing | says nothing | says nothing | says nothing |
//! | it half-opens | by a timer, or when called | when called | when called | when called |
//! | a breaker for each key, bounded | yes | no | no | no |
//! | others can see it and wait for it | signals, `watch` | no | callbacks | callbacks, a handle |
//! | options that change live | all | no | no | no |
//! | a call in a row, nothing wrong: permit, or around a future | 0.2, 0.8 | 1, 1 | 1.5, 1.3 | none, 9 |
//! | a call in a window of calls (permit) | 0.2 | 1 | none | none |
//! | a refusal | 1.3 to 1.6, says how long | **1** | 1.1 | not measured |
//! | an open time that grows with each opening | no | **yes** | **yes** | no |
//! | a `tower::Layer` | no | no | no | **yes** |
//! | what suits it outside of Tokio | little | **all** | **all** | little |
//! | crates in its tree, itself included | 17 | **9** | 21 | 30 |
//!
//! # Guarantees
//! - While it is open nothing is run. While it is half-open at most [`probes`](BreakerOptions::probes) calls run at once; a
//!   permit that is dropped gives its probe back.
//! - What ends belongs to the period in which it began: it changes nothing in a later one.
//! - A call that is dropped says nothing about the service, also when something beside it in its task has panicked; one
//!   that panics itself counts as a failure.
//! - An open breaker half-opens by itself when its time has passed, and lets `circuit.open.<name>` go then, whether or not
//!   somebody calls. Nothing polls.
//! - Closed, a call that succeeds takes no lock and allocates nothing, but for one in hundreds where a window counts it; the
//!   clock is read once for a window of time, twice where slowness counts, and not at all otherwise.
//! - What is kept of keys is bounded, and no look-up sweeps. No open breaker is forgotten for another key while there is one
//!   that is closed and that nobody holds.
//!
//! # Features
//! - `metrics` (off by default): the figures below. Without it not an instruction is spent on them; with it a call costs a
//!   look-up in the recorder.
//! - `serde` (off by default): the options are read from configuration and written to it, under the rules of the setters.
//!
//! # Figures
//! With the feature `metrics`, to the recorder that is installed at the time. `breaker` is the name of the breaker; breakers
//! of one name, such as those of all keys, are one series, and a key is in none.
//!
//! | figure | kind | attributes | |
//! |---|---|---|---|
//! | `dayfly.circuit_breaker.calls` | counter | `breaker`, `outcome`: `succeeded`, `failed`, `ignored` (dropped ones too), `refused` | calls that ended, or were refused |
//! | `dayfly.circuit_breaker.state` | gauge | `breaker`, `state`: `closed`, `open`, `half-open`, `forced-open`, `forced-closed` | breakers of this name that are in the state |
//! | `dayfly.circuit_breaker.transitions` | counter | `breaker`, `from`, `to`: states | changes |
//!
//! # Limits
//! - A breaker that was made before a recorder was installed is in its figures from its first change on.
//! - One process: breakers do not share what they know, but for the signals of a sink.
//! - A window of time leaves in tenths.
//! - The timer runs on the runtime in which it opens, or else the one in which it was made. Where there is neither, the next
//!   call, or the next look at its state, finds out that its time has passed, and the signal is held until then. A timer that
//!   is lost with its runtime lets the signal go at once; calls are refused until the time has passed.
//! - A probe that never ends keeps its place: give calls a timeout.
//! - A key that is forgotten takes what was counted of it along.
//!
//! # When to use something else
//! - `failsafe` or `recloser` when there is no Tokio, or no signal is wanted.
//! - A rate limit when the service is well and only wants to be asked less.
//! - Nothing, when calls are rare: a breaker needs traffic to know anything.

mod announcer;
mod aside;
mod breaker;
mod call;
mod error;
#[cfg(feature = "metrics")]
mod figures;
mod gauge;
mod horizon;
mod keyed;
mod machine;
mod options;
mod permit;
mod run;
mod shared;
mod signal_breaker;
mod sync;

pub use breaker::{BreakerStats, CircuitBreaker};
pub use error::{CallError, Open};
pub use keyed::{KeyedBreaker, KeyedBreakerOptions};
pub use machine::BreakerState;
pub use options::{BreakerOptions, Window};
pub use permit::{Judgement, OwnedPermit, Permit};
pub use signal_breaker::{SignalBreaker, SignalBreakerOptions};
