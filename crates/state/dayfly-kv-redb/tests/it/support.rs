//! What the tests need again and again.

use dayfly_kv::{Bytes, Key, Namespace};

pub(crate) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

pub(crate) fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub(crate) fn orders() -> Namespace {
    Namespace::new("acme", "shop", "order").unwrap()
}
