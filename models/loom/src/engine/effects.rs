//! Stands in for what a change of the core asks for: what the inbox takes of it.

use std::task::Waker;

use dayfly_signal::OperationId;

use crate::schedule::Schedule;

pub(super) struct Effects<S: Schedule> {
    pub(super) left_queue: Vec<usize>,
    pub(super) came_back: Vec<usize>,
    pub(super) released: Vec<usize>,
    pub(super) gone: Vec<S::Key>,
    pub(super) producers: Vec<Waker>,
    pub(super) own_ids: Vec<OperationId>,
}
