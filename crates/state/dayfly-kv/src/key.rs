//! The names of entries, and what they begin with.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// The name of an entry: 1 to 512 bytes of UTF-8 without control characters.
///
/// Keys are compared byte by byte: nothing is folded, trimmed or normalised. A clone shares the text.
///
/// ```
/// use dayfly_kv::{Key, KeyError};
///
/// let key = Key::new("orders/17")?;
/// assert_eq!(key.as_str(), "orders/17");
/// assert_eq!(Key::new(""), Err(KeyError::Empty));
/// assert_eq!(Key::new("two\nlines"), Err(KeyError::Control { at: 3 }));
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

/// What keys begin with: at most 512 bytes of UTF-8 without control characters. The empty one is the beginning of all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Arc<str>);

/// Why a text is no key, or no beginning of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is empty.
    #[error("a key has at least one byte")]
    Empty,
    /// It is too long.
    #[error("a key has at most {} bytes, not {bytes}", Key::MAX_BYTES)]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It has a control character.
    #[error("a key has no control characters, but there is one at byte {at}")]
    Control {
        /// Where the first one begins.
        at: usize,
    },
}

impl Key {
    /// The most bytes that a key has.
    pub const MAX_BYTES: usize = 512;

    /// The key of this text.
    ///
    /// # Errors
    /// When it is empty, longer than 512 bytes, or has a control character (Unicode's `Cc`).
    pub fn new(text: impl AsRef<str>) -> Result<Self, KeyError> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        check(text).map(|()| Self(text.into()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Prefix {
    /// The beginning of every key.
    pub fn all() -> Self {
        Self("".into())
    }

    /// Keys that begin with this text.
    ///
    /// # Errors
    /// When it is longer than 512 bytes or has a control character: no key begins like that.
    pub fn new(text: impl AsRef<str>) -> Result<Self, KeyError> {
        let text = text.as_ref();
        check(text).map(|()| Self(text.into()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The least text that is greater than all that begin with it; `None` when there is none.
    pub fn end(&self) -> Option<String> {
        let mut text = self.as_str().to_owned();
        // Text is in the order of its characters. After the last one of all there is none, so the one before it grows.
        while let Some(last) = text.pop() {
            if let Some(next) = (last..=char::MAX).nth(1) {
                text.push(next);
                return Some(text);
            }
        }
        None
    }

    /// Whether the key begins with it.
    pub fn matches(&self, key: &Key) -> bool {
        key.0.starts_with(&*self.0)
    }
}

fn check(text: &str) -> Result<(), KeyError> {
    if text.len() > Key::MAX_BYTES {
        return Err(KeyError::TooLong { bytes: text.len() });
    }
    match text.char_indices().find(|(_, letter)| letter.is_control()) {
        Some((at, _)) => Err(KeyError::Control { at }),
        None => Ok(()),
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self::all()
    }
}

impl From<&Key> for Prefix {
    fn from(key: &Key) -> Self {
        Self(Arc::clone(&key.0))
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Key {
    type Error = KeyError;

    fn try_from(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Key {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}
