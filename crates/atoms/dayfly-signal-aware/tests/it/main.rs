//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bounds;
mod channels;
#[cfg(feature = "serde")]
mod configuration;
mod coordinators;
mod dropping;
mod gating;
mod keys;
mod model;
#[cfg(feature = "tower")]
mod services;
mod support;
mod threads;
