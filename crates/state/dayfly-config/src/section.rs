//! A part of a configuration.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use dayfly::Reconfigure;

use crate::binding::{Binding, bind};
use crate::error::BindError;
use crate::follower::{Asked, Bound, Projection, Reload};
use crate::shared::Shared;
use crate::snapshot::{Current, Snapshot};

/// A part of a configuration, for who has no business with the rest.
///
/// Cheap to clone. It keeps the sources watched as long as it lives.
pub struct Section<T, O> {
    shared: Arc<Shared<T>>,
    key: Arc<str>,
    project: Projection<T, O>,
}

/// The section's value in force when it was loaded. As for [`Current`].
pub struct SectionValue<T, O> {
    current: Current<T>,
    project: Projection<T, O>,
}

impl<T, O> Section<T, O> {
    pub(crate) fn of(shared: &Arc<Shared<T>>, key: String, project: Projection<T, O>) -> Self {
        shared.note_section(&key);
        Self { shared: Arc::clone(shared), key: key.into(), project }
    }

    /// Its key, as the sources name it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value in force.
    pub fn load(&self) -> SectionValue<T, O> {
        SectionValue { current: Current::of(&self.shared.slot), project: Arc::clone(&self.project) }
    }

    /// Whether a file that is there or a variable says something in it. What a removed section said last stays in force.
    pub fn exists(&self) -> bool {
        self.shared.in_force().facts.effective.exists(&self.key)
    }

    /// Lets `target` follow the section for as long as the binding lives: a coordinator, or whatever else follows its
    /// options live. It is told the value in force at once, and of a change only when the section is another one then.
    ///
    /// A change that the target refuses is a rejected one: nobody follows it, and what was in force stays.
    ///
    /// # Errors
    /// When the target refuses the value in force. It comes back unchanged.
    pub fn bind<R>(&self, target: R) -> Result<Binding, BindError<R>>
    where
        R: Reconfigure<O> + 'static,
        T: Send + Sync + 'static,
        O: PartialEq + 'static,
    {
        bind(&self.shared, Arc::clone(&self.key), Arc::clone(&self.project), PartialEq::eq, Bound(target))
            .map_err(BindError::unbound)
    }

    /// As [`bind`](Self::bind), for who prepares and commits by himself.
    ///
    /// # Errors
    /// When the target refuses the value in force. It comes back.
    pub fn subscribe<R>(&self, target: R) -> Result<Binding, BindError<R>>
    where
        R: Reload<O>,
        T: Send + Sync + 'static,
        O: PartialEq + 'static,
    {
        bind(&self.shared, Arc::clone(&self.key), Arc::clone(&self.project), PartialEq::eq, Asked(target))
            .map_err(BindError::unasked)
    }
}

impl<T, O: PartialEq> Section<T, O> {
    /// Waits until the section is another one than in `seen`, and returns the whole that it is in then. Changes elsewhere
    /// are not waited for.
    ///
    /// # Cancel safety
    /// Nothing is lost: it has no state, and asking again with the same snapshot misses no change.
    pub async fn changed_since(&self, seen: &Snapshot<T>) -> Snapshot<T> {
        let mut generations = self.shared.generations();
        let mut generation = seen.generation();
        loop {
            // The sender lives in what `self` holds, so this cannot fail.
            drop(generations.wait_for(|newest| *newest > generation).await);
            let newest = Snapshot::new(self.shared.slot.load_full());
            if (self.project)(&newest) != (self.project)(seen) {
                return newest;
            }
            generation = newest.generation();
        }
    }
}

impl<T, O> SectionValue<T, O> {
    /// The generation of the whole that it was loaded from.
    pub fn generation(&self) -> u64 {
        self.current.generation()
    }
}

impl<T, O> Deref for SectionValue<T, O> {
    type Target = O;

    fn deref(&self) -> &O {
        (self.project)(&self.current)
    }
}

impl<T, O> Clone for Section<T, O> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            key: Arc::clone(&self.key),
            project: Arc::clone(&self.project),
        }
    }
}

impl<T, O> fmt::Debug for Section<T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("key", &self.key).finish_non_exhaustive()
    }
}

impl<T, O: fmt::Debug> fmt::Debug for SectionValue<T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SectionValue").field(&**self).finish()
    }
}
