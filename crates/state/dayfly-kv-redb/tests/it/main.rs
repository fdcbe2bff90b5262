//! What the crate promises, one module per behaviour.

mod contract;
mod opening;
mod support;
