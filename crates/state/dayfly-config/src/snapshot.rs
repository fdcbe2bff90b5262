//! A value as one generation put it in force, in the three forms in which it is read.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

/// What the swap holds.
pub(crate) struct Held<T> {
    pub(crate) generation: u64,
    pub(crate) value: T,
}

pub(crate) type Slot<T> = ArcSwap<Held<T>>;

/// The value in force when it was loaded: one atomic load, for reading a few fields and letting go.
///
/// It never changes under its reader. Held across an await it keeps a fast slot of its thread; take a [`Snapshot`] there.
pub struct Current<T> {
    held: Guard<Arc<Held<T>>>,
}

/// A value that was in force, for as long as one likes. Cheap to clone.
pub struct Snapshot<T> {
    held: Arc<Held<T>>,
}

impl<T> Current<T> {
    pub(crate) fn of(slot: &Slot<T>) -> Self {
        Self { held: slot.load() }
    }

    /// Which change put it in force; the first value is generation 1.
    pub fn generation(&self) -> u64 {
        self.held.generation
    }
}

impl<T> Snapshot<T> {
    pub(crate) fn new(held: Arc<Held<T>>) -> Self {
        Self { held }
    }

    /// Which change put it in force; the first value is generation 1.
    pub fn generation(&self) -> u64 {
        self.held.generation
    }
}

impl<T> Deref for Current<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.held.value
    }
}

impl<T> Deref for Snapshot<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.held.value
    }
}

impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self { held: Arc::clone(&self.held) }
    }
}

impl<T> From<Current<T>> for Snapshot<T> {
    fn from(current: Current<T>) -> Self {
        Self { held: Guard::into_inner(current.held) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Current<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Current").field(&self.generation()).field(&**self).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Snapshot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Snapshot").field(&self.generation()).field(&**self).finish()
    }
}
