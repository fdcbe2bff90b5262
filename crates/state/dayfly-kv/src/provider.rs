//! Opening stores by settings and by types.

use std::fmt;
use std::sync::Arc;

use crate::backend::Backend;
use crate::error::OpenError;
use crate::key_value_store::KeyValueStore;
use crate::namespace::{Namespace, NamespaceError};
use crate::state::State;
use crate::store::Store;

#[cfg(feature = "serde")]
mod form;

/// Where a store is to be opened, as far as it is said: what is not said, the provider's defaults say.
///
/// ```
/// use dayfly_kv::Place;
///
/// let acme = Place::new().database("acme");
/// let defaults = Place::new().database("everybody").container("shop").entity("order");
/// assert_eq!(acme.or(&defaults).namespace()?.to_string(), "acme/shop/order");
/// # Ok::<(), dayfly_kv::NamespaceError>(())
/// ```
///
/// With the feature `serde` it is read from configuration, and written to it:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use dayfly_kv::Place;
/// let place: Place = toml::from_str(r#"container = "shop""#).unwrap();
/// assert_eq!(place, Place::new().container("shop"));
/// assert!(toml::from_str::<Place>(r#"container = """#).is_err());
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    database: Option<String>,
    container: Option<String>,
    entity: Option<String>,
}

type Layer = Arc<dyn Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync>;

/// Opens the stores of a backend, by database, container and entity, each with a default.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use dayfly_kv::{MemoryBackend, NamespaceError, OpenError, Place, Provider};
///
/// let provider = Provider::new(Arc::new(MemoryBackend::new()), Place::new().container("shop").entity("order"));
/// let orders = provider.open(&Place::new().database("acme")).await?;
/// assert_eq!(orders.namespace().to_string(), "acme/shop/order");
///
/// // There is no default tenant here, and nothing that would mean all of them.
/// let nobody = provider.open(&Place::new()).await.unwrap_err();
/// assert!(matches!(nobody, OpenError::Namespace(NamespaceError::Missing { .. })));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Provider {
    backend: Arc<dyn Backend>,
    defaults: Place,
    layers: Vec<Layer>,
}

impl Place {
    /// Nothing is said.
    #[must_use]
    pub const fn new() -> Self {
        Self { database: None, container: None, entity: None }
    }

    /// Says the database: the tenant.
    #[must_use]
    pub fn database(mut self, name: impl Into<String>) -> Self {
        self.database = Some(name.into());
        self
    }

    /// Says the container.
    #[must_use]
    pub fn container(mut self, name: impl Into<String>) -> Self {
        self.container = Some(name.into());
        self
    }

    /// Says the entity.
    #[must_use]
    pub fn entity(mut self, name: impl Into<String>) -> Self {
        self.entity = Some(name.into());
        self
    }

    /// This place, and what it does not say as the other one says it. What is said stays, be it empty.
    #[must_use]
    pub fn or(self, defaults: &Self) -> Self {
        Self {
            database: self.database.or_else(|| defaults.database.clone()),
            container: self.container.or_else(|| defaults.container.clone()),
            entity: self.entity.or_else(|| defaults.entity.clone()),
        }
    }

    /// The namespace that it says.
    ///
    /// # Errors
    /// When a part is missing or cannot be.
    pub fn namespace(&self) -> Result<Namespace, NamespaceError> {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        Namespace::new(part(&self.database), part(&self.container), part(&self.entity))
    }
}

impl Provider {
    /// Opens stores of this backend, where nothing else is said at this place.
    pub const fn new(backend: Arc<dyn Backend>, defaults: Place) -> Self {
        Self { backend, defaults, layers: Vec::new() }
    }

    /// Wraps every store that is opened from now on. The last layer is the outermost.
    #[must_use]
    pub fn layer(mut self, layer: impl Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync + 'static) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Opens the store at this place.
    ///
    /// # Errors
    /// When neither the place nor the defaults say a part of the namespace, or when the backend cannot open it.
    ///
    /// # Cancel safety
    /// Nothing is lost: an empty namespace may have been made.
    pub async fn open(&self, place: &Place) -> Result<Arc<dyn Store>, OpenError> {
        let namespace = place.clone().or(&self.defaults).namespace()?;
        let store = self.backend.open(&namespace).await?;
        Ok(self.layers.iter().fold(store, |store, layer| layer(store)))
    }

    /// Opens the store of a type at this place. Its entity is the one that the type declares, unless the place says
    /// another one; the defaults do not.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    ///
    /// # Cancel safety
    /// As for [`open`](Self::open).
    pub async fn open_state<K, V: State>(&self, place: &Place) -> Result<KeyValueStore<K, V>, OpenError> {
        let place = place.clone().or(&Place::new().entity(V::ENTITY));
        Ok(KeyValueStore::of_state(self.open(&place).await?))
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = &mut f.debug_struct("Provider");
        provider.field("backend", &self.backend).field("defaults", &self.defaults);
        provider.field("layers", &self.layers.len()).finish()
    }
}
