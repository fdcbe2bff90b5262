//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bounds;
mod coalescing;
#[cfg(feature = "serde")]
mod configuration;
mod dropping;
mod ending;
mod failures;
mod flushes;
mod following;
mod hostile;
mod keyed;
mod outcomes;
mod sharing;
mod support;
mod telling;
