//! What the crate promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contract;
mod killed;
mod processes;
mod support;
