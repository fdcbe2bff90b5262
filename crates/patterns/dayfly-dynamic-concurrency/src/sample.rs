//! One call that is under way, and what it says when it ends.

use std::fmt;
use std::sync::Arc;

use crate::control::Tag;
use crate::shared::Shared;

/// What the end of a call says about load. One that has taken longer than
/// [`max_latency`](crate::AdaptiveLimitOptions::max_latency) is a drop, whatever else it is judged to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It was done, and its latency counts.
    Success,
    /// It was too much: a timeout, a refusal, whatever pushes back. Its latency says nothing.
    Dropped,
    /// It says nothing: a caller's mistake, or a caller who gave up.
    Ignored,
}

/// A call that is under way. Say how it ended; one that is dropped without a word says nothing, unless it has taken longer
/// than [`max_latency`](crate::AdaptiveLimitOptions::max_latency), and then it counts as a drop.
#[must_use = "a sample that is dropped says nothing"]
pub struct Sample {
    shared: Arc<Shared>,
    tag: Option<Tag>,
}

impl Sample {
    pub(crate) fn begin(shared: Arc<Shared>) -> Self {
        let tag = Some(shared.begin());
        Self { shared, tag }
    }

    /// The call was done.
    pub fn success(self) {
        self.record(Judgement::Success);
    }

    /// The call timed out, was refused or pushed back.
    pub fn dropped(self) {
        self.record(Judgement::Dropped);
    }

    /// The call says nothing about load.
    pub fn ignored(self) {
        self.record(Judgement::Ignored);
    }

    /// The call ended as it is judged.
    pub fn record(mut self, judgement: Judgement) {
        self.end(judgement);
    }

    fn end(&mut self, judgement: Judgement) {
        if let Some(tag) = self.tag.take() {
            self.shared.end(tag, judgement);
        }
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sample").finish_non_exhaustive()
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        self.end(Judgement::Ignored);
    }
}
