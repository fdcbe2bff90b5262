//! Configuration that is followed live: parsed, checked and swapped in whole, or not at all.
//!
//! TBD

mod binding;
mod contain;
mod contents;
mod effective;
mod error;
mod feed;
mod folders;
mod follower;
mod hints;
mod judge;
mod key;
mod layer;
mod opening;
mod options;
mod origin;
mod pending;
mod problem;
mod reader;
mod reading;
mod report;
mod secret;
mod section;
mod settle;
mod shared;
mod snapshot;
mod sources;
mod validate;
mod voice;
mod watched;
mod watching;

pub use binding::Binding;
pub use error::{BindError, OpenError, Refusal, ReloadError};
pub use follower::Reload;
pub use options::WatchOptions;
pub use origin::{Origin, Position};
pub use pending::Pending;
pub use problem::{Problem, Rejection};
pub use reader::Reader;
pub use report::{Report, ReportedValue};
pub use secret::Secret;
pub use section::{Section, SectionValue};
pub use snapshot::{Current, Snapshot};
pub use sources::Sources;
pub use validate::{Invalid, Validate};
pub use watched::Watched;
