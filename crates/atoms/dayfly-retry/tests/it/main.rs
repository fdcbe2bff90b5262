//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attempts;
mod budget;
#[cfg(feature = "serde")]
mod configuration;
mod coordinators;
mod dropping;
#[cfg(feature = "metrics")]
mod figures;
mod following;
mod hostile;
mod jitter;
mod signals;
mod steps;
mod support;
mod timeouts;
mod verdicts;
