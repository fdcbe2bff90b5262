//! The names of figures. They are binding: dashboards are built on them.

pub(crate) const OPERATIONS: &str = "dayfly.coordinator.operations";
pub(crate) const ACTIVE: &str = "dayfly.coordinator.active_operations";
pub(crate) const QUEUE_SIZE: &str = "dayfly.coordinator.queue.size";
pub(crate) const TIME_IN_QUEUE: &str = "dayfly.coordinator.operation.time_in_queue";
pub(crate) const DURATION: &str = "dayfly.coordinator.operation.duration";
pub(crate) const RAISED: &str = "dayfly.signal.raised";
pub(crate) const DROPPED: &str = "dayfly.signal.dropped";

/// What a figure means, in words.
pub(crate) fn description(name: &str) -> &'static str {
    match name {
        OPERATIONS => "operations that have ended, by outcome",
        ACTIVE => "operations that run now",
        QUEUE_SIZE => "operations that were accepted and neither run nor have ended",
        TIME_IN_QUEUE => "from acceptance to the start of the first attempt",
        DURATION => "from the start of the last attempt to its end, by outcome",
        RAISED => "signals that were raised, and reported",
        DROPPED => "signals that were not reported because the queue was full",
        _ => "the payload of a signal",
    }
}
