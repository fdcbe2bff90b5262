//! What limits promise, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dropping;
mod following;
mod hostile;
mod samples;
mod simulator;
mod steps;
mod targets;
mod traces;
