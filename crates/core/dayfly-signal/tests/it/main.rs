//! What a sink promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bounds;
mod causes;
#[cfg(feature = "serde")]
mod configuration;
mod counting;
mod dropping;
mod forms;
mod forwarding;
mod handlers;
mod history;
mod listeners;
mod model;
mod operations;
mod queries;
mod state;
mod subscriptions;
mod support;
mod waiting;
