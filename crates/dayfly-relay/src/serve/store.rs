//! From what the file says to a store.

use std::sync::Arc;

use dayfly_kv::{Backend, MemoryBackend, MemoryOptions, OpenError, SystemClock};
use dayfly_kv_file::{FileBackend, FileOptions};
use dayfly_kv_redb::{RedbBackend, RedbOptions};
use thiserror::Error;

use super::relay::RECORD_BYTES;
use super::settings::{Settings, StoreSpec};

/// Why there is no store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Opens what the settings say, with room for the largest event that they allow.
///
/// # Errors
/// When it cannot be opened.
///
/// # Cancel safety
/// Nothing is lost: an empty file may have been made.
pub async fn open(settings: &Settings) -> Result<Arc<dyn Backend>, OpenStoreError> {
    let most = settings.limits.event_bytes.to_usize() + RECORD_BYTES;
    match &settings.store {
        StoreSpec::Memory => {
            let options = MemoryOptions::new().max_value_bytes(most);
            Ok(Arc::new(MemoryBackend::with(options, Arc::new(SystemClock))))
        }
        StoreSpec::Redb(file) => {
            let options = RedbOptions::new().max_value_bytes(most);
            Ok(Arc::new(RedbBackend::open_file(file, &options).await?))
        }
        StoreSpec::File(folder) => {
            let options = FileOptions::new().max_value_bytes(most);
            Ok(Arc::new(FileBackend::with(folder, options, Arc::new(SystemClock))))
        }
    }
}
