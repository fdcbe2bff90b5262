//! What the suite promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod broken;
mod checker;
mod decorated;
mod exclusions;
mod full;
mod memory;
