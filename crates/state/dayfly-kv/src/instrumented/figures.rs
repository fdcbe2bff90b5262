//! Calls as metrics.

use metrics::{counter, histogram};
use tokio::time::Instant;

use crate::ending::Ending;

/// When a call began.
pub(super) struct Figures(Instant);

impl Figures {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// Notes a call that has ended. No label has a key, a tenant or an id.
    pub(super) fn note(&self, operation: &'static str, ending: Ending) {
        let outcome = name(ending);
        counter!("dayfly.kv.operations", "operation" => operation, "outcome" => outcome).increment(1);
        let seconds = self.0.elapsed().as_secs_f64();
        histogram!("dayfly.kv.operation.duration", "operation" => operation, "outcome" => outcome)
            .record(seconds);
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
