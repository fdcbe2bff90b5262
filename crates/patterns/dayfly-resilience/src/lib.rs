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
#[cfg(feature = "tower")]
mod layers;
mod live;
mod options;
mod pipeline;
mod policies;
mod running;
mod timeout;

pub use class::Class;
pub use error::{CallError, Scope};
pub use fallback::Fallback;
#[cfg(feature = "tower")]
pub use layers::{
    BreakerFuture, BreakerLayer, BreakerService, ByPipeline, Cloned, Hold, Judge, LimitFuture, LimitLayer,
    LimitService, OnErrors, PipelineFuture, PipelineLayer, PipelineService, Repeat, RetryFuture, RetryLayer,
    RetryService, TimeoutFuture, TimeoutLayer, TimeoutService, UntilResponse,
};
#[cfg(feature = "http")]
pub use layers::{HeldBody, UntilBodyEnds};
pub use options::PipelineOptions;
pub use pipeline::{Pipeline, PipelineStats};
pub use timeout::Timeout;
