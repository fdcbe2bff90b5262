//! The layers, each by itself and all together, around a service that insists on being made ready.

#[cfg(feature = "http")]
mod bodies;
mod breaker;
mod composition;
mod dropping;
mod limit;
mod pipeline;
pub(crate) mod probe;
mod retry;
mod timeout;
