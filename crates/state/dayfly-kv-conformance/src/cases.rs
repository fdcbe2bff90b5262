//! The rules of the contract, by subject.

use dayfly_kv::{Bytes, Key, PutOptions};

pub(crate) mod contention;
pub(crate) mod contract;
pub(crate) mod histories;
pub(crate) mod keys;
pub(crate) mod scan;
pub(crate) mod time_to_live;
pub(crate) mod values;
pub(crate) mod watch;

use crate::case::Broken;

fn key(text: &str) -> Result<Key, Broken> {
    Ok(Key::new(text)?)
}

fn value(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

const ANY: PutOptions = PutOptions::new();
