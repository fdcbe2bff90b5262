//! Timeouts, retry, breaker, limit and fallback in one pipeline that follows its options live; as layers of tower too.
//!
//! Placeholder.
//!
//! # Guarantees
//! - x
//!
//! # Limits
//! - x
//!
//! # When to use something else
//! - x

mod class;
mod deadline;
mod error;
mod fallback;
mod following;
mod live;
mod options;
mod pipeline;
mod policies;
mod timeout;

pub use class::Class;
pub use error::{CallError, Scope};
pub use fallback::Fallback;
pub use options::PipelineOptions;
pub use pipeline::{Pipeline, PipelineStats};
pub use timeout::Timeout;
