//! An operation while it runs.

use std::sync::Arc;

use dayfly_signal::OperationId;
use tokio::time::Instant;

use crate::operation::Attempt;
use crate::schedule::Queued;
use crate::{OperationSnapshot, OperationState};

pub(super) struct Running<K> {
    pub(super) attempt: Arc<Attempt<K>>,
    pub(super) enqueued_at: Instant,
    pub(super) started_at: Instant,
}

impl<K: Clone> Running<K> {
    /// The operation as it waits for its next attempt.
    pub(super) fn queued_again<T>(&self, id: OperationId, key: K, item: T) -> Queued<T, K> {
        Queued {
            id,
            key,
            item,
            enqueued_at: self.enqueued_at,
            ready_at: self.started_at,
            attempts: self.attempt.shared.number,
        }
    }

    pub(super) fn snapshot(&self, id: OperationId, state: OperationState) -> OperationSnapshot<K> {
        OperationSnapshot {
            id,
            key: self.attempt.key.clone(),
            state,
            attempt: self.attempt.shared.number,
            enqueued_at: self.enqueued_at,
            started_at: Some(self.started_at),
            finished_at: None,
            error: None,
            signals: self.attempt.shared.recent(),
        }
    }
}
