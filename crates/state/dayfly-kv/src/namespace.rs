//! Where entries live: a database, a container in it, an entity in that.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Where the entries of a store live: database / container / entity. Equal keys of two namespaces are two entries.
///
/// A database is a tenant. There is no namespace without one, and none that means several.
///
/// ```
/// use dayfly_kv::{Namespace, NamespaceError, NamespacePart};
///
/// let orders = Namespace::new("acme", "shop", "order")?;
/// assert_eq!(orders.to_string(), "acme/shop/order");
///
/// let nobody = Namespace::new(" ", "shop", "order").unwrap_err();
/// assert_eq!(nobody, NamespaceError::Missing { part: NamespacePart::Database });
/// # Ok::<(), NamespaceError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace {
    database: Arc<str>,
    container: Arc<str>,
    entity: Arc<str>,
}

/// A part of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamespacePart {
    /// The tenant.
    Database,
    /// What holds the entities of one purpose.
    Container,
    /// What the values are.
    Entity,
}

/// Why there is no such namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NamespaceError {
    /// A part is empty or blank.
    #[error("the {part} of the namespace is missing")]
    Missing {
        /// Which one.
        part: NamespacePart,
    },
    /// A part is too long.
    #[error("the {part} of a namespace has at most {} bytes, not {bytes}", Namespace::MAX_PART_BYTES)]
    TooLong {
        /// Which one.
        part: NamespacePart,
        /// How long it is.
        bytes: usize,
    },
    /// A part has a control character.
    #[error("the {part} of a namespace has no control characters, but there is one at byte {at}")]
    Control {
        /// Which one.
        part: NamespacePart,
        /// Where the first one begins.
        at: usize,
    },
}

impl Namespace {
    /// The most bytes that a part has.
    pub const MAX_PART_BYTES: usize = 128;

    /// The namespace of these three parts. Each is 1 to 128 bytes of UTF-8 without control characters, and not blank;
    /// they are compared byte by byte.
    ///
    /// # Errors
    /// Names the first part that is missing or cannot be.
    pub fn new(
        database: impl AsRef<str>,
        container: impl AsRef<str>,
        entity: impl AsRef<str>,
    ) -> Result<Self, NamespaceError> {
        Ok(Self {
            database: checked(NamespacePart::Database, database.as_ref())?,
            container: checked(NamespacePart::Container, container.as_ref())?,
            entity: checked(NamespacePart::Entity, entity.as_ref())?,
        })
    }

    /// The tenant.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// What holds the entities of one purpose.
    pub fn container(&self) -> &str {
        &self.container
    }

    /// What the values are.
    pub fn entity(&self) -> &str {
        &self.entity
    }
}

fn checked(part: NamespacePart, text: &str) -> Result<Arc<str>, NamespaceError> {
    if text.trim().is_empty() {
        return Err(NamespaceError::Missing { part });
    }
    if text.len() > Namespace::MAX_PART_BYTES {
        return Err(NamespaceError::TooLong { part, bytes: text.len() });
    }
    match text.char_indices().find(|(_, letter)| letter.is_control()) {
        Some((at, _)) => Err(NamespaceError::Control { part, at }),
        None => Ok(text.into()),
    }
}

impl fmt::Display for NamespacePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database => "database",
            Self::Container => "container",
            Self::Entity => "entity",
        })
    }
}

/// For people: a part may have a slash itself, so this is not to be parsed.
impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.database, self.container, self.entity)
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{:?}/{:?}", self.database, self.container, self.entity)
    }
}
