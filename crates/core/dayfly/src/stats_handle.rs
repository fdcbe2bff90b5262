//! A look at a coordinator's figures that does not keep it open.

use std::fmt;
use std::sync::Arc;

use crate::Stats;

/// Reads a coordinator's figures, also when nobody holds the coordinator any more, and after its end.
///
/// The last handle of the coordinator closes it all the same. What is kept in memory are the figures and the body, with what
/// the body owns: let go of this once the figures are [`closed`](Stats::closed), nothing is pending and nothing runs.
#[derive(Clone)]
pub struct StatsHandle {
    read: Arc<dyn Fn() -> Stats + Send + Sync>,
}

impl StatsHandle {
    /// Reads what `read` yields, which must not keep open what it looks at.
    #[must_use]
    pub fn new(read: impl Fn() -> Stats + Send + Sync + 'static) -> Self {
        Self { read: Arc::new(read) }
    }

    /// The figures at this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        (self.read)()
    }
}

impl fmt::Debug for StatsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatsHandle").field("stats", &self.stats()).finish()
    }
}
