//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(feature = "serde")]
mod configuration;
mod contract;
mod corrupt;
mod dropping;
mod faults;
mod full_disk;
mod hostile;
mod killed;
mod leftovers;
mod opening;
mod power;
mod processes;
mod simulated;
mod support;
mod watching;
