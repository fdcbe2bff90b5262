//! What a rate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bounded;
#[cfg(feature = "serde")]
mod configuration;
mod dropping;
mod following;
mod gating;
mod hostile;
mod order;
mod pausing;
mod quota;
mod runtimes;
mod signalling;
