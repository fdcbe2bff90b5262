//! What can go wrong when threads are started.

use std::io;

use thiserror::Error;

/// The system refuses a thread. Those that had been started end by themselves.
#[derive(Debug, Error)]
#[error("thread {number} of {workers} could not be started")]
#[non_exhaustive]
pub struct SpawnError {
    /// Which one, counted from 0.
    pub number: usize,
    /// How many there were to be.
    pub workers: usize,
    /// What the system says.
    pub source: io::Error,
}
