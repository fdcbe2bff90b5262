//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod binding;
mod dropping;
mod faults;
mod files;
mod kinds;
mod lifetime;
mod mutations;
mod neighbours;
mod numbers;
#[cfg(feature = "serde")]
mod options;
mod profiles;
mod reading;
mod rejecting;
mod reports;
mod sections;
mod sources;
mod starting;
mod support;
