//! Which key comes next: the same sequence for everybody, drawn beforehand.

/// Keys that are all as likely as each other.
pub fn uniform(keys: u64, count: u64) -> Vec<u64> {
    let mut random = Random(1);
    (0..count).map(|_| random.next() % keys).collect()
}

/// Keys of which the one of rank `n` is as likely as `1 / n`, the classic law of Zipf: of 10,000 keys, the first
/// gets a tenth of the traffic and the first hundred more than a half.
pub fn zipf(keys: u64, count: u64) -> Vec<u64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=keys)
        .map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        })
        .collect();
    let mut random = Random(1);
    let draw = |_| {
        let at = random.share() * sum;
        sums.partition_point(|&below| below <= at).min(sums.len() - 1) as u64
    };
    (0..count).map(draw).collect()
}

/// Which of 2^`bits` shards a key belongs to. It scatters, as else the hottest ranks would get a shard each.
pub const fn shard(key: u64, bits: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - bits)) as usize
}

/// The generator `SplitMix64`: a counter, scrambled.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u64 = 10_000;
    const COUNT: u64 = 1_000_000;

    fn shares(keys: &[u64]) -> Vec<f64> {
        let mut counts = vec![0_u64; KEYS as usize];
        for &key in keys {
            counts[key as usize] += 1;
        }
        counts.iter().map(|&count| count as f64 / keys.len() as f64).collect()
    }

    #[test]
    fn zipf_gives_each_rank_its_share() {
        let harmonic: f64 = (1..=KEYS).map(|rank| 1.0 / rank as f64).sum();
        let shares = shares(&zipf(KEYS, COUNT));
        for rank in [1_u32, 2, 10] {
            let (share, expected) = (shares[rank as usize - 1], 1.0 / (f64::from(rank) * harmonic));
            assert!((share / expected - 1.0).abs() < 0.05, "rank {rank}: {share}, not {expected}");
        }
        assert!(shares[..100].iter().sum::<f64>() > 0.5);
    }

    #[test]
    fn uniform_keys_are_equal_and_shards_too() {
        let keys = uniform(KEYS, COUNT);
        assert!(shares(&keys).iter().all(|share| (0.4..1.8).contains(&(share * KEYS as f64))));
        let mut shards = [0_u64; 64];
        for &key in &keys {
            shards[shard(key, 6)] += 1;
        }
        assert!(shards.iter().all(|&count| count > COUNT / 64 * 9 / 10), "{shards:?}");
    }
}
