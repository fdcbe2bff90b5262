//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod capture;
#[cfg(feature = "otlp")]
mod collector;
mod configuration;
mod coordinators;
mod dropping;
#[cfg(feature = "otlp")]
mod exported;
mod facade;
mod intervals;
mod queue;
mod reports;
mod spans;
mod support;
