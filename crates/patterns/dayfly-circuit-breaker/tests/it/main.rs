//! What breakers promise, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bug_list;
mod dropping;
mod every_state;
#[cfg(feature = "metrics")]
mod figures;
mod following;
mod keyed;
mod keys_that_misbehave;
mod model;
mod probes;
mod shares;
mod signalling;
mod signals_only;
mod timers;
mod tripping;
mod window_model;
