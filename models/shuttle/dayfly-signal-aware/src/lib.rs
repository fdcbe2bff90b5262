//! The gate, its line and its waits as they are shipped, with shuttle's locks and atomics.
//!
//! rustfmt would look for what stands beneath two of them beside this file; they are formatted where they stand.

#[path = "../../../../crates/atoms/dayfly-signal-aware/src/error.rs"]
mod error;
#[path = "../../../../crates/atoms/dayfly-signal-aware/src/gate.rs"]
mod gate;
#[rustfmt::skip]
#[path = "../../../../crates/atoms/dayfly-signal-aware/src/line.rs"]
mod line;
#[rustfmt::skip]
#[path = "../../../../crates/atoms/dayfly-signal-aware/src/options.rs"]
mod options;
#[path = "../../../../crates/atoms/dayfly-signal-aware/src/post.rs"]
mod post;
#[path = "../../../../crates/atoms/dayfly-signal-aware/src/sync.rs"]
mod sync;
#[path = "../../../../crates/atoms/dayfly-signal-aware/src/wait.rs"]
mod wait;

pub use error::{AdmitError, Refused, SendError, TrySendError};
pub use gate::{Gate, GateStats};
pub use options::{AfterDeferral, GateOptions};
