//! What the coordinators promise, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod again;
mod alarms;
mod calls;
#[cfg(feature = "serde")]
mod configuration;
mod crews;
mod dropping;
mod ending;
mod everything;
mod feeding;
mod following;
mod foreign_keys;
mod gates;
mod hostile;
mod identities;
mod intake;
mod keyed;
mod limits;
mod loops;
mod outcomes;
mod parking;
mod priorities;
mod queries;
mod refusals;
mod results;
mod room;
mod sharing;
mod spelled_out;
mod support;
mod turns;
mod window;
