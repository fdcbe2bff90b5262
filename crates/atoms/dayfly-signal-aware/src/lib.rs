//! A gate that defers, refuses and resumes on signals, in front of a coordinator, a channel or a service.
//!
//! What stands behind the gate takes work in only while the signals allow it: `shutdown` refuses and hands the item
//! back, `backpressure.disk` makes wait until it is retracted or ages out, or until a newer `relief` lifts it. The rules
//! are those of the coordinators' own gates, in one place, so the two cannot differ: a coordinator's gates hold back the
//! *start* of what it has accepted, a [`Gate`] what comes *in*.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use dayfly::{Coordinator, CoordinatorOptions, SignalSink};
//! use dayfly_signal_aware::{AdmitError, Gate, GateOptions, Refused};
//!
//! let signals = SignalSink::default();
//! let gate = Gate::new(GateOptions::new().cancel_on("shutdown").defer_on("backpressure.*"), &signals);
//! let work = Coordinator::spawn(CoordinatorOptions::new(), &signals, |_: u32, _| async {});
//!
//! gate.admit(1, |item| work.enqueue(item)).await.unwrap();
//!
//! let disk = signals.hold("backpressure.disk");                // a mode: raised until the guard is dropped
//! let (second, ()) = tokio::join!(
//!     gate.admit(2, |item| work.enqueue(item)),                // waits
//!     async { drop(disk) },                                    // wakes it: nothing polls
//! );
//! assert!(second.is_ok());
//!
//! signals.raise("shutdown");
//! let refused = gate.admit(3, |item| work.enqueue(item)).await;
//! assert_eq!(refused, Err(AdmitError::Refused(Refused::Cancelled(3))));
//! assert_eq!(work.drain().await.completed, 2);
//! # }
//! ```
//!
//! | in front of | use |
//! |---|---|
//! | a coordinator, or anything that takes an item and returns a future | [`Gate::admit`] |
//! | a Tokio channel | [`GatedSender`] |
//! | a tower service | `GateLayer`, with the feature `tower` |
//! | anything else | [`Gate::pass`] or [`Gate::pass_with`], and [`Gate::check`] where nothing may wait |
//!
//! # Guarantees
//! - The gate reads the sink's state and nothing else: what is raised now counts, whenever it was raised. Refusing comes
//!   before waiting.
//! - Waiting is event-driven. Who waits is woken by the change that may let it through, in the call that makes it and
//!   under no lock; a timer runs only while somebody waits for a signal to age out or for a bound to end its wait.
//! - Who was refused, or dropped its future, leaves nothing behind; items come back inside the refusal.
//! - Passing an open gate costs two atomic loads and a count: no lock, no clock, no allocation. That holds while no
//!   gating signal that could age out is raised; then it is a short lock and a look at the clock.
//! - Signals that go on being raised while the gate is shut wake nobody.
//!
//! # Features
//! - `serde` (off by default): [`GateOptions`] are read from configuration and written to it, as those of the
//!   coordinators.
//! - `tower` (off by default): `GateLayer` and `Gated`, a layer and a service of tower.
//!
//! # Limits
//! - The gate bounds nobody: there are as many waiters as callers that wait, each with a place in line of a few words.
//!   Put the bound in front of it, as tasks or as a semaphore.
//! - Waiters are woken in the order of their arrival, and that is all: which of them runs first is the runtime's choice,
//!   who arrives at an open gate waits for nobody, and a gate that shuts again before they run makes them wait on.
//! - The change that opens the gate pays for looking at every waiter once. In a keyed gate with keyed signals raised,
//!   every change does.
//! - A gate says whether to go on at one moment. It cannot hold a signal back from being raised right after.
//!
//! # When to use something else
//!
//! | | dayfly-signal-aware | `tokio::sync::watch` | `CancellationToken` | tower's `Filter`, `LoadShed` |
//! |---|---|---|---|---|
//! | says no, and later yes again | yes | by hand | no | yes |
//! | makes wait | yes | by hand | | |
//! | by many signals, by pattern | yes | one channel for each | one token for each | |
//! | signals that age out, newer ones that lift older ones | yes | by hand | | |
//! | for one key only; for so long only | yes | by hand | | |
//! | passing when it is open | 0.37 of its time | 1 | | |
//! | a change that opens nothing for 1,000 who wait | 0.07 of its time | 1 | | |
//! | **opening for 1,000 who wait** | 1.1 of its time | **1** | | |
//! | **looks at the request** | its key | | | **`Filter`** |
//! | **refuses what is busy** | | | | **`LoadShed`** |
//! | **crates to build, itself included** | 17 | **Tokio's** | **6 of tokio-util's** | |
//!
//! - `cancel_on`, `defer_on` and `resume_on` of `CoordinatorOptions`, when the work goes into a coordinator and what is
//!   to be held back is the start of it.
//! - `tokio::sync::watch` or `CancellationToken`, when one flag is all there is and nobody raises signals.
//! - tower's `Filter` to decide by the request, its `LoadShed` to refuse instead of waiting for a busy service.

mod error;
mod gate;
mod line;
mod options;
mod post;
mod sender;
#[cfg(feature = "tower")]
mod service;
mod sync;
mod wait;

pub use dayfly_signal::Verdict;
pub use error::{AdmitError, Refused, SendError, TrySendError};
pub use gate::{Gate, GateStats};
pub use options::{AfterDeferral, GateOptions};
pub use sender::GatedSender;
#[cfg(feature = "tower")]
pub use service::{GateLayer, Gated, ResponseFuture};
