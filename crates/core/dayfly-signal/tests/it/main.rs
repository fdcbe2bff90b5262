//! What a sink promises, one module per behaviour.

mod bounds;
mod counting;
mod dropping;
mod history;
mod model;
mod operations;
mod state;
mod subscriptions;
mod support;
mod waiting;
