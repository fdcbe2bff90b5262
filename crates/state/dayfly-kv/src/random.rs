//! Numbers that no other process has: from the system's randomness, by way of std's hasher.

use std::hash::{BuildHasher, RandomState};

/// Sixty-four random bits. Each `RandomState` has keys that std takes from the operating system.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0x6461_7966_6c79_u64)
}
