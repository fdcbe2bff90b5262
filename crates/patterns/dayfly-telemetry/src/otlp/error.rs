//! What can go wrong on the way to a collector.

use std::io;

use thiserror::Error;

/// Why nothing can be sent with these options.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The endpoint is no URL that a collector can have.
    #[error("`{endpoint}` is no URL of a collector, such as `http://localhost:4318`")]
    Endpoint {
        /// What was given.
        endpoint: String,
    },
    /// A filter cannot be read.
    #[error("`{filter}` is no filter, such as `info` or `info,my_crate=debug`")]
    Filter {
        /// What was given.
        filter: String,
    },
    /// The system gives no thread.
    #[error("no thread could be started")]
    Thread(#[source] io::Error),
    /// The system does not give what a client of HTTP needs.
    #[error("no client could be made: {0}")]
    Client(String),
    /// The environment says something about OTLP that cannot be followed.
    #[error("no exporter could be made: {0}")]
    Exporter(String),
}

/// Why not all has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The collector did not take all of it, or not in time.
    #[error("the collector did not take everything: {0}")]
    NotDelivered(String),
}
