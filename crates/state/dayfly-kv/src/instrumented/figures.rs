//! Calls as metrics.

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use tokio::time::Instant;

use crate::ending::Ending;

// The names are binding: dashboards are built on them.
const OPERATIONS: &str = "dayfly.kv.operations";
const DURATION: &str = "dayfly.kv.operation.duration";

/// When a call began.
pub(super) struct Figures(Instant);

impl Figures {
    /// Tells the recorder what the names mean, and in what they are measured.
    pub(super) fn describe() {
        describe_counter!(OPERATIONS, Unit::Count, "calls of stores, by operation and outcome");
        describe_histogram!(
            DURATION,
            Unit::Seconds,
            "how long calls of stores took, by operation and outcome"
        );
    }

    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// Notes a call that has ended. No label has a key, a tenant or an id.
    pub(super) fn note(&self, operation: &'static str, ending: Ending) {
        let outcome = name(ending);
        counter!(OPERATIONS, "operation" => operation, "outcome" => outcome).increment(1);
        let seconds = self.0.elapsed().as_secs_f64();
        histogram!(DURATION, "operation" => operation, "outcome" => outcome).record(seconds);
    }
}

const fn name(ending: Ending) -> &'static str {
    match ending {
        Ending::Done => "done",
        Ending::Conflict => "conflict",
        Ending::Unknown => "unknown",
        Ending::Corrupt => "corrupt",
        Ending::Unavailable => "unavailable",
        Ending::Refused => "refused",
        Ending::Dropped => "dropped",
    }
}
