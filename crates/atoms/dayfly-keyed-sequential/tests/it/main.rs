//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bodies;
#[cfg(feature = "serde")]
mod configuration;
mod dropping;
mod ending;
mod following;
mod intake;
mod model;
mod orphans;
mod stopping;
mod support;
mod threads;
mod watching;
