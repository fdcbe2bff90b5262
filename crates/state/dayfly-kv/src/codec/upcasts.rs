//! Bringing older values up to date.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::DecodeError;

type Step = Arc<dyn Fn(Value) -> Result<Value, Box<dyn Error + Send + Sync>> + Send + Sync>;

/// Why a value cannot be brought up to the next version.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct UpcastError(Box<dyn Error + Send + Sync>);

/// A chain of functions, each of which brings a value from its version up to the next.
///
/// ```
/// use dayfly_kv::Upcasts;
/// use serde_json::json;
///
/// let upcasts = Upcasts::new().from(1, |mut order| {
///     order["currency"] = json!("EUR");
///     Ok(order)
/// });
/// assert_eq!(upcasts.apply(json!({ "total": 5 }), 1, 2)?, json!({ "total": 5, "currency": "EUR" }));
/// # Ok::<(), dayfly_kv::DecodeError>(())
/// ```
#[derive(Clone, Default)]
pub struct Upcasts(BTreeMap<u32, Step>);

impl Upcasts {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what brings a value from this version up to the next. A second one for a version replaces the first.
    #[must_use]
    pub fn from(
        mut self,
        version: u32,
        step: impl Fn(Value) -> Result<Value, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.0.insert(version, Arc::new(step));
        self
    }

    /// The value in the newest version.
    ///
    /// # Errors
    /// When it is newer than that, when a step is missing or fails.
    pub fn apply(&self, mut value: Value, version: u32, newest: u32) -> Result<Value, DecodeError> {
        if version > newest {
            return Err(DecodeError::Newer { version, newest });
        }
        for version in version..newest {
            let step = self.0.get(&version).ok_or(DecodeError::NoUpcast { version })?;
            value =
                step(value).map_err(|source| DecodeError::Upcast { version, source: UpcastError(source) })?;
        }
        Ok(value)
    }
}

impl fmt::Debug for Upcasts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upcasts").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}
