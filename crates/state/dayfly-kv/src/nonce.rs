//! What a writer marks its write with, to find it again.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::random;

/// What a writer marks its write with. If the answer is lost, whoever finds the mark knows that the write was applied.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce {
    origin: u64,
    number: u64,
}

impl Nonce {
    /// A mark that no other write has, in whatever process.
    pub fn unique() -> Self {
        static ORIGIN: OnceLock<u64> = OnceLock::new();
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { origin: *ORIGIN.get_or_init(random), number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The mark that these bytes are, as a backend has kept them.
    pub const fn from_u128(bits: u128) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "these are the lower bits")]
        Self { origin: (bits >> 64) as u64, number: bits as u64 }
    }

    /// Its bits, for a backend to keep.
    pub const fn to_u128(self) -> u128 {
        (self.origin as u128) << 64 | self.number as u128
    }
}

/// Thirty-two hexadecimal digits.
impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.origin, self.number)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({self})")
    }
}
