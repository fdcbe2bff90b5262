//! What breakers promise, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dropping;
mod following;
mod keyed;
mod model;
mod probes;
mod shares;
mod signalling;
mod signals_only;
mod tripping;
