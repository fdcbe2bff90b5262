//! What an operation looked like at one moment.

use std::sync::Arc;

use dayfly_signal::{OperationId, Signal};
use tokio::time::Instant;

/// How far an operation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationState {
    /// Its body runs.
    Running,
    /// Its body succeeded.
    Completed,
    /// Its body failed.
    Failed,
    /// It was cancelled, before its start or while it ran.
    Cancelled,
    /// A cancel signal kept it from starting.
    Skipped,
    /// Its body panicked.
    Panicked,
}

/// A signal of an operation that has left the window.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Echo {
    /// The operation that raised it.
    pub operation: OperationId,
    /// The signal.
    pub signal: Signal,
    /// When the operation left the window.
    pub evicted_at: Instant,
}

/// An operation as it was at one moment; it does not change afterwards.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationSnapshot<K = ()> {
    /// The operation.
    pub id: OperationId,
    /// Its key; `()` where there are no keys.
    pub key: K,
    /// How far it has come.
    pub state: OperationState,
    /// Its newest attempt, the first being 1; 0 when it never started.
    pub attempt: u32,
    /// When it was accepted.
    pub enqueued_at: Instant,
    /// When its newest attempt started.
    pub started_at: Option<Instant>,
    /// When it finished.
    pub finished_at: Option<Instant>,
    /// Why it failed or panicked, at most 512 bytes.
    pub error: Option<Arc<str>>,
    /// The last 8 signals that its newest attempt raised, oldest first.
    pub signals: Vec<Signal>,
}
