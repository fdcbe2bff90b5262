//! What somebody has been admitted with, until it is dropped.

use std::sync::Arc;

use crate::keys::KeyIds;
use crate::shared::Shared;

/// Permits, and the keys that they are for. Given back on drop, wherever and however that happens.
#[derive(Debug)]
pub(crate) struct Held<K> {
    shared: Arc<Shared<K>>,
    keys: KeyIds,
    permits: usize,
}

impl<K> Held<K> {
    pub(crate) const fn new(shared: Arc<Shared<K>>, keys: KeyIds, permits: usize) -> Self {
        Self { shared, keys, permits }
    }

    pub(crate) const fn permits(&self) -> usize {
        self.permits
    }

    pub(crate) fn keys(&self) -> usize {
        self.keys.as_slice().len()
    }
}

impl<K> Drop for Held<K> {
    fn drop(&mut self) {
        if self.permits > 0 {
            self.shared.give_back(&self.keys, self.permits);
        }
    }
}
