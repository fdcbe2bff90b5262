//! What a shell adds to the engine: how it treats keys, lanes, and items that will not run.

use super::key_rooms::PerKey;
use crate::crew::Crew;
use crate::{LaneOptions, OperationSnapshot};

/// What to do with an item that will not run, and with what its operation was.
pub(crate) type Discard<T, K> = Box<dyn Fn(T, &OperationSnapshot<K>) + Send + Sync>;

pub(crate) struct Manner<T, K> {
    /// A key's text; `None` where there are no keys.
    pub(crate) key_text: fn(&K) -> Option<String>,
    /// Whether a keyed signal gates its key only.
    pub(crate) keys_gate: bool,
    /// How many operations of a key may be queued; absent where only the whole counts.
    pub(crate) max_queued: Option<PerKey<K>>,
    /// Gates of single lanes, and which lane a key stands for.
    pub(crate) lanes: Vec<LaneOptions>,
    pub(crate) lane_of: fn(&K) -> Option<usize>,
    pub(crate) discard: Discard<T, K>,
    /// Who drives the workers; the runtime where this is absent.
    pub(crate) crew: Option<Crew>,
}

impl<T> Manner<T, ()> {
    /// Without keys.
    pub(crate) fn plain(discard: impl Fn(T, &OperationSnapshot) + Send + Sync + 'static) -> Self {
        Self {
            key_text: |()| None,
            keys_gate: false,
            max_queued: None,
            lanes: Vec::new(),
            lane_of: |()| None,
            discard: Box::new(discard),
            crew: None,
        }
    }
}
