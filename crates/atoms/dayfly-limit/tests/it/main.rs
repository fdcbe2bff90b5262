//! What the limiters and the lock promise, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(feature = "serde")]
mod configuration;
mod dropping;
mod following;
mod futurelock;
mod hostile;
mod keyed;
mod limiter;
mod locks;
mod order;
mod sleepers;
