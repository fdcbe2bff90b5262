//! What a sink promises, one module per behaviour.

mod bounds;
mod counting;
mod history;
mod model;
mod operations;
mod state;
mod support;
// mod subscriptions;
mod waiting;
