//! Reading in a loop: what was read last is kept, and looked at again while it is in force.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::Cache;

use crate::shared::Shared;
use crate::snapshot::{Held, Slot};

/// Reads with a cache of its own: while nothing changes, a read is one comparison.
///
/// Each loop has its own. It keeps the value that it read last alive until it reads again.
pub struct Reader<T> {
    cache: Cache<Link<T>, Arc<Held<T>>>,
}

struct Link<T>(Arc<Shared<T>>);

impl<T> Deref for Link<T> {
    type Target = Slot<T>;

    fn deref(&self) -> &Slot<T> {
        &self.0.slot
    }
}

impl<T> Reader<T> {
    pub(crate) fn of(shared: &Arc<Shared<T>>) -> Self {
        Self { cache: Cache::new(Link(Arc::clone(shared))) }
    }

    /// The value in force.
    #[inline]
    pub fn get(&mut self) -> &T {
        &self.cache.load().value
    }

    /// The generation in force; what [`get`](Self::get) returns next is of this one or of a later one.
    pub fn generation(&mut self) -> u64 {
        self.cache.load().generation
    }
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone() }
    }
}

impl<T> Clone for Link<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
