//! What is examined.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use dayfly_kv::{Backend, ManualClock, Namespace, Store};

use crate::case::Broken;

/// A backend to be examined: empty, and for one case only.
pub struct Subject {
    backend: Arc<dyn Backend>,
    clock: Option<ManualClock>,
    /// Whatever has to live as long, such as a temporary folder. It is dropped last.
    kept: Option<Box<dyn Any + Send + Sync>>,
}

impl Subject {
    /// This backend, whose stores are empty.
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Self { backend, clock: None, kept: None }
    }

    /// The clock that the backend's stores have. Without it, what needs a clock is excluded.
    #[must_use]
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Keeps something alive as long as the subject, such as a temporary folder.
    #[must_use]
    pub fn keep(mut self, thing: impl Any + Send + Sync) -> Self {
        self.kept = Some(Box::new(thing));
        self
    }

    pub(crate) const fn has_clock(&self) -> bool {
        self.clock.is_some()
    }

    /// Its clock.
    pub(crate) fn manual_clock(&self) -> Result<&ManualClock, Broken> {
        self.clock.as_ref().ok_or_else(|| Broken::new("the subject has no clock"))
    }

    /// The store that most cases work with.
    pub(crate) async fn store(&self) -> Result<Arc<dyn Store>, Broken> {
        self.store_at("acme", "shop", "order").await
    }

    pub(crate) async fn store_at(
        &self,
        database: &str,
        container: &str,
        entity: &str,
    ) -> Result<Arc<dyn Store>, Broken> {
        let namespace = Namespace::new(database, container, entity)?;
        let store = self.backend.open(&namespace).await?;
        if *store.namespace() != namespace {
            return Err(Broken::new(format!("{namespace:?} was opened, and {:?} came", store.namespace())));
        }
        Ok(store)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &mut f.debug_struct("Subject");
        subject.field("backend", &self.backend).field("clock", &self.clock).finish_non_exhaustive()
    }
}
