//! One suite for every backend of dayfly-kv, with a linearizability checker.
//!
//! A backend is a store of `dayfly-kv` when it keeps the contract of [`Store`](dayfly_kv::Store). This crate examines
//! that: etags and preconditions, deadlines, listing, watching, hostile keys and sizes, many clients at once, and whether
//! what they have seen can have happened one operation after the other.
//!
//! In the tests of a backend:
//!
//! ```
//! use std::sync::Arc;
//! use dayfly_kv::{ManualClock, MemoryBackend, MemoryOptions};
//! use dayfly_kv_conformance::{Subject, conformance};
//!
//! async fn memory() -> Subject {
//!     let clock = ManualClock::new();
//!     let backend = MemoryBackend::with(MemoryOptions::new(), Arc::new(clock.clone()));
//!     Subject::new(Arc::new(backend)).clock(clock)
//! }
//!
//! conformance!(memory);
//! # let runtime = tokio::runtime::Runtime::new().unwrap();
//! # let report = runtime.block_on(dayfly_kv_conformance::examine(memory));
//! # assert!(report.broken().is_empty(), "{report}");
//! ```
//!
//! A subject that lives in a folder keeps that with [`Subject::keep`]. What a backend cannot do is declared:
//! `conformance!(factory, without [Watch, WatchResume])`. The full form of the histories, 40 of 1,000 operations with a
//! lost answer in each, is [`examine_histories`] with the default options.
//!
//! # Guarantees
//! - No case is left out in silence: what the subject lacks has to be declared, or a test fails.
//! - Each case has a subject of its own. A failure says which rule is broken, with what was expected and found; that of a
//!   history says its seed and its operations.
//! - The checker itself knows nothing of stores, and finds every history of up to six operations impossible that a naive
//!   search finds impossible, and no other: that is tested.
//!
//! # Limits
//! - Durability is not examined: killing a process and cutting its power is each backend's own test.
//! - Contention needs luck. A backend that checks and then acts, with a suspension in between, is found every time; one
//!   that does so within nanoseconds may need the full form of the histories.
//! - More than about 15 lost answers for one key take the checker long; then it says that it could not decide.
//!
//! # When to use something else
//! - Porcupine or Knossos for histories of other objects than a register with compare-and-swap.

mod case;
mod cases;
mod examination;
mod history;
pub mod linearizability;
mod recorder;
mod subject;
mod suite;

pub use case::{Broken, Case, Need, Outcome};
pub use examination::{Report, assert_case, assert_exclusions, examine};
pub use history::{HistoryOptions, HistoryReport, examine_histories};
pub use subject::Subject;
pub use suite::CASES;
