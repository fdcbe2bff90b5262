//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cache;
#[cfg(feature = "serde")]
mod configuration;
mod contract;
mod dropping;
mod fallback;
#[cfg(feature = "metrics")]
mod figures;
mod guarded;
mod hostile;
mod instruments;
mod migrating;
mod model;
mod names;
mod opening;
mod support;
mod updating;
mod values;
mod watching;
