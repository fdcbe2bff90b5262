//! Chance that depends on the seed and on what it is for, and on nothing else: no clock, no order of arrival.

use sha2::{Digest, Sha256};

/// Dice for one decision, named by `purpose`. The same names give the same throws, on every machine.
pub(super) fn dice(seed: u64, purpose: &[&str]) -> fastrand::Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for part in purpose {
        // With its length in front, no part can pass for two.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let start = digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte));
    fastrand::Rng::with_seed(start)
}
