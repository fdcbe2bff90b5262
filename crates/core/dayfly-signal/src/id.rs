//! The two identities that a signal carries: its own place in the sink, and the operation that raised it.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// A signal's place in its sink: 1 for the first, one more for each further event.
///
/// "Newer" always means a larger `SignalId` of the same sink, never a later instant. Ids of different sinks
/// cannot be compared in any useful way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalId(pub(crate) u64);

impl SignalId {
    /// The id as a number, for logs and for storing a place to resume from.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The id with this number, for example one that was stored by an earlier reader.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The identity of one operation, unique within the process unless a caller brings its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(NonZeroU64);

/// Ids of one process never repeat: at a billion a second the counter lasts for five hundred years.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl OperationId {
    /// The next id of this process; larger than every id that this function returned before.
    #[must_use]
    pub fn next() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }

    /// So many ids in a row, as if [`next`](Self::next) had been called as often: for who needs many of them.
    #[must_use]
    pub fn block(ids: u64) -> OperationIds {
        let first = NEXT.fetch_add(ids, Ordering::Relaxed);
        OperationIds(first..first.saturating_add(ids))
    }

    /// The id with this number; `None` for 0. The caller answers for its uniqueness.
    #[must_use]
    pub const fn from_u64(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The id as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

/// Ids that were drawn together, in rising order; those that are left are never given to anybody else.
#[derive(Debug)]
pub struct OperationIds(Range<u64>);

impl Iterator for OperationIds {
    type Item = OperationId;

    fn next(&mut self) -> Option<OperationId> {
        self.0.find_map(OperationId::from_u64)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
