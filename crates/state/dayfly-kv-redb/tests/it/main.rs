//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contract;
mod disk;
mod faults;
mod grouping;
mod killing;
mod opening;
mod power_loss;
mod script;
mod support;
