//! From what the file says to a store.

use std::path::Path;
use std::sync::Arc;

use dayfly_kv::{Backend, MemoryBackend};
use thiserror::Error;

use super::settings::StoreSpec;

/// Why there is no store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// This program was built without it.
    #[error("this program was built without the store `{0}`")]
    Unknown(&'static str),
}

/// Opens what the file says.
///
/// # Errors
/// When it cannot be opened.
///
/// # Cancel safety
/// Nothing is lost.
pub async fn open(spec: &StoreSpec) -> Result<Arc<dyn Backend>, OpenStoreError> {
    match spec {
        StoreSpec::Memory => Ok(Arc::new(MemoryBackend::new())),
        StoreSpec::Redb(file) => open_redb(file).await,
        StoreSpec::File(folder) => open_folder(folder).await,
    }
}

async fn open_redb(_file: &Path) -> Result<Arc<dyn Backend>, OpenStoreError> {
    Err(OpenStoreError::Unknown("redb"))
}

async fn open_folder(_folder: &Path) -> Result<Arc<dyn Backend>, OpenStoreError> {
    Err(OpenStoreError::Unknown("file"))
}
