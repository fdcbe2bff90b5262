//! Stands in for the schedules: what the inbox has to know of them.

use dayfly_signal::OperationId;
use tokio::time::Instant;

#[expect(dead_code, reason = "written by the inbox and read by the core, which is not here")]
pub(crate) struct Queued<T, K> {
    pub(crate) id: OperationId,
    pub(crate) is_own_id: bool,
    pub(crate) key: K,
    pub(crate) place: Place,
    pub(crate) item: T,
    pub(crate) enqueued_at: Instant,
    pub(crate) ready_at: Instant,
    pub(crate) attempts: u32,
    pub(crate) claim: u64,
}

#[expect(dead_code, reason = "as above")]
pub(crate) struct Place {
    pub(crate) lane: usize,
    pub(crate) key: usize,
}

pub(crate) trait Schedule {
    type Item;
    type Key;
}
