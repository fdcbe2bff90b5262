//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod asynchronous;
mod cancelling;
#[cfg(feature = "serde")]
mod configuration;
mod dropping;
mod ending;
mod following;
mod overlap;
mod queueing;
mod support;
