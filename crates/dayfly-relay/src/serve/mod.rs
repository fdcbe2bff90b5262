//! The relay as a service: events come in over HTTP, are kept in a store, and go out to endpoints.
//!
//! In the order in which an event goes through it:
//!
//! | module | idea |
//! |---|---|
//! | [`settings`] | what `relay.toml` says |
//! | [`parse`], [`event`] | from a body to events, or to what is wrong with it |
//! | [`relay`] | the relay without HTTP around it: what the demo and the service share |
//! | `ledger`, `frontier` | what was taken in and is not done yet |
//! | `loader`, `plan`, [`ordering`] | from the ledger into an endpoint's queue, with bounded memory |
//! | `endpoint`, `live`, `courier`, `attempt` | from the queue to the receiver, as the settings say now |
//! | [`addresses`] | where the relay does not connect to |
//! | `telemetry` | what of all this a collector is told |
//! | [`service`], `server`, `api` | the relay with a file in front and HTTP around it |

pub mod addresses;
mod api;
pub(crate) mod attempt;
mod courier;
pub(crate) mod endpoint;
pub mod event;
mod frontier;
pub(crate) mod ledger;
mod live;
mod loader;
pub mod log;
pub mod ordering;
pub mod parse;
mod plan;
pub mod relay;
mod server;
pub mod service;
pub mod settings;
pub mod store;
pub mod telemetry;

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds of Unix time.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
