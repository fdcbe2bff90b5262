//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contract;
mod faults;
mod killed;
mod power;
mod processes;
mod simulated;
mod support;
