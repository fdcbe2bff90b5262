//! What opens stores.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::OpenError;
use crate::namespace::Namespace;
use crate::store::Store;

/// What opens stores: a folder, a database file, a server, memory.
///
/// Two stores that were opened for one namespace see the same entries and each other's writes, and a store lives as long
/// as somebody has it, also when the backend does not. A `Provider` opens stores of a backend by settings and types.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync {
    /// The store of this namespace, made if there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    ///
    /// # Cancel safety
    /// Nothing is lost: an empty namespace may have been made.
    async fn open(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, OpenError>;
}
