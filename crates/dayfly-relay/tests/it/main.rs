//! What the demo and the service promise, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bundled;
mod chaos;
mod configuration;
mod process;
mod real_history;
mod serve;
mod support;
mod unordered;
