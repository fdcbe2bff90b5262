//! Keys that are more than text.

use std::borrow::Cow;

use crate::key::{Key, KeyError};

/// What can be written as a key. Different values must be different texts.
pub trait ToKey {
    /// The key that it is.
    ///
    /// # Errors
    /// When there is no such key.
    fn to_key(&self) -> Result<Key, KeyError>;
}

/// What can be read back from the key that it was written as.
pub trait FromKey: ToKey + Sized {
    /// What the key means; `None` when it was not written by [`ToKey`].
    fn from_key(key: &Key) -> Option<Self>;
}

impl ToKey for Key {
    fn to_key(&self) -> Result<Key, KeyError> {
        Ok(self.clone())
    }
}

impl FromKey for Key {
    fn from_key(key: &Key) -> Option<Self> {
        Some(key.clone())
    }
}

impl ToKey for str {
    fn to_key(&self) -> Result<Key, KeyError> {
        Key::new(self)
    }
}

impl ToKey for &str {
    fn to_key(&self) -> Result<Key, KeyError> {
        Key::new(self)
    }
}

impl ToKey for String {
    fn to_key(&self) -> Result<Key, KeyError> {
        Key::new(self)
    }
}

impl FromKey for String {
    fn from_key(key: &Key) -> Option<Self> {
        Some(key.as_str().to_owned())
    }
}

impl ToKey for Cow<'_, str> {
    fn to_key(&self) -> Result<Key, KeyError> {
        Key::new(self)
    }
}

/// Numbers are written in decimal, so the order of their keys is that of texts: `10` stands before `9`.
macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl ToKey for $number {
            fn to_key(&self) -> Result<Key, KeyError> {
                Key::new(self.to_string())
            }
        }

        impl FromKey for $number {
            fn from_key(key: &Key) -> Option<Self> {
                // What is written otherwise, such as `007`, is another key.
                key.as_str().parse().ok().filter(|number: &Self| number.to_string() == key.as_str())
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
