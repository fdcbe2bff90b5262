//! Instants that lie ahead, however far.

use std::time::Duration;

use tokio::time::Instant;

/// Beyond the clock is for ever, and thirty years are.
const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// The instant so long after another.
pub(crate) fn after(at: Instant, time: Duration) -> Instant {
    at + time.min(FOR_EVER)
}
