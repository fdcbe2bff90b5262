//! Stores in memory by their namespace.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hashbrown::HashMap;

use super::{MemoryOptions, MemoryStore, locked};
use crate::backend::Backend;
use crate::clock::{Clock, SystemClock};
use crate::error::OpenError;
use crate::namespace::Namespace;
use crate::store::Store;

/// The most namespaces that one backend holds.
const MOST_NAMESPACES: usize = 65_536;

/// Stores in memory by their namespace. They live as long as the backend, or as long as somebody has one.
#[derive(Debug)]
pub struct MemoryBackend {
    options: MemoryOptions,
    clock: Arc<dyn Clock>,
    stores: Mutex<HashMap<Namespace, Arc<MemoryStore>>>,
}

impl MemoryBackend {
    /// No store yet, with the default options, on the system's clock.
    pub fn new() -> Self {
        Self::with(MemoryOptions::new(), Arc::new(SystemClock))
    }

    /// No store yet, with these options on this clock.
    pub fn with(options: MemoryOptions, clock: Arc<dyn Clock>) -> Self {
        Self { options, clock, stores: Mutex::new(HashMap::new()) }
    }

    /// The store of this namespace, made if there is none.
    ///
    /// # Errors
    /// When there are 65,536 of them already.
    pub fn open_now(&self, namespace: &Namespace) -> Result<Arc<MemoryStore>, OpenError> {
        let mut stores = locked(&self.stores);
        if let Some(store) = stores.get(namespace) {
            return Ok(Arc::clone(store));
        }
        if stores.len() >= MOST_NAMESPACES {
            return Err(OpenError::TooMany { namespace: namespace.clone(), most: MOST_NAMESPACES });
        }
        let store = MemoryStore::with(namespace.clone(), &self.options, Arc::clone(&self.clock));
        let store = Arc::new(store);
        stores.insert(namespace.clone(), Arc::clone(&store));
        Ok(store)
    }
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn open(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, OpenError> {
        Ok(self.open_now(namespace)?)
    }
}
