//! Watching which keys are parked.

use std::fmt;
use std::hash::Hash;
use std::sync::Weak;

use tokio::sync::watch;

use crate::Parked;
use crate::line::Line;

/// Tells of every change of the parked keys, the newest only: whoever looks seldom misses what came and went.
///
/// It keeps nothing alive.
pub struct ParkedWatch<K, T> {
    pub(crate) line: Weak<Line<K, T>>,
    pub(crate) changes: watch::Receiver<u64>,
}

impl<K: Eq + Hash + Clone, T> ParkedWatch<K, T> {
    /// Waits for a change since this last returned, or since the watch was made, and returns the keys that are parked
    /// then, those first that are parked for longest. `None` once nobody uses them any more.
    ///
    /// # Cancel safety
    /// Nothing is lost: a change is seen only when this returns it.
    pub async fn changed(&mut self) -> Option<Vec<Parked<K>>> {
        self.changes.changed().await.ok()?;
        Some(self.line.upgrade()?.list())
    }
}

impl<K, T> Clone for ParkedWatch<K, T> {
    fn clone(&self) -> Self {
        Self { line: Weak::clone(&self.line), changes: self.changes.clone() }
    }
}

impl<K, T> fmt::Debug for ParkedWatch<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParkedWatch").finish_non_exhaustive()
    }
}
