//! Values as bytes.

use std::error::Error;

use bytes::Bytes;
use thiserror::Error;

mod depth;
mod finite;
mod json;
mod upcasts;

pub use json::Json;
pub use upcasts::{UpcastError, Upcasts};

/// How values become bytes, and bytes values.
///
/// Whatever [`encode`](Self::encode) takes, [`decode`](Self::decode) gives back: a value that would not come back as it
/// was is refused when it is written, not found lost when it is read.
pub trait Codec<V>: Send + Sync {
    /// The bytes of a value.
    ///
    /// # Errors
    /// When there are no bytes that would give it back.
    fn encode(&self, value: &V) -> Result<Bytes, EncodeError>;

    /// The value of these bytes.
    ///
    /// # Errors
    /// When they are none.
    fn decode(&self, bytes: &[u8]) -> Result<V, DecodeError>;
}

/// Why a value cannot be written.
#[derive(Debug, Error)]
#[error("the value cannot be encoded")]
pub struct EncodeError(#[source] Box<dyn Error + Send + Sync>);

/// Why what is written cannot be read as a value.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are no such value.
    #[error("the bytes are no such value")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
    /// A newer program wrote it.
    #[error("the value has version {version}, and at most {newest} is known here")]
    Newer {
        /// The version that it has.
        version: u32,
        /// The newest that is known.
        newest: u32,
    },
    /// Nothing brings a value of this version up to the next.
    #[error("the value has version {version}, and nothing brings that up to version {}", version + 1)]
    NoUpcast {
        /// The version that it has.
        version: u32,
    },
    /// What brings a value of this version up to the next one failed.
    #[error("the value cannot be brought from version {version} up to version {}", version + 1)]
    Upcast {
        /// The version that it has.
        version: u32,
        /// Why.
        #[source]
        source: UpcastError,
    },
}

impl EncodeError {
    /// An error with this cause.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl DecodeError {
    /// The bytes are no such value, for this cause.
    pub fn malformed(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Malformed(cause.into())
    }
}
