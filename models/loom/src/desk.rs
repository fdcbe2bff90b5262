//! Stands in for the workers' desk: here no worker polls, so whoever raises takes the longer way.

use tokio::time::Instant;

pub(crate) const fn reading() -> Option<Instant> {
    None
}
