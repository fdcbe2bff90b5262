//! The policies as layers of tower.
//!
//! What all of them hold to: what is called has been made ready; a refusal uses nobody's readiness up; what a call holds is
//! given back when its response future is dropped.

mod breaker;
#[cfg(feature = "http")]
mod held_body;
mod hold;
mod judge;
mod limit;
mod opening;
mod pipeline;
mod repeat;
mod requests;
mod retry;
mod timeout;

pub use breaker::{BreakerFuture, BreakerLayer, BreakerService};
#[cfg(feature = "http")]
pub use held_body::HeldBody;
#[cfg(feature = "http")]
pub use hold::UntilBodyEnds;
pub use hold::{Hold, UntilResponse};
pub use judge::{Judge, OnErrors};
pub use limit::{LimitFuture, LimitLayer, LimitService};
pub use pipeline::{ByPipeline, PipelineFuture, PipelineLayer, PipelineService};
pub use repeat::{Cloned, Repeat};
pub use retry::{RetryFuture, RetryLayer, RetryService};
pub use timeout::{TimeoutFuture, TimeoutLayer, TimeoutService};
