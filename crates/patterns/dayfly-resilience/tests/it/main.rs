//! What pipelines and layers promise, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(feature = "tower")]
mod bug_list;
#[cfg(feature = "serde")]
mod configuration;
mod dropping;
mod fallbacks;
#[cfg(feature = "metrics")]
mod figures;
mod following;
mod hostile;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "tower")]
mod layers;
mod model;
mod options;
mod order;
mod support;
mod timeouts;
