//! A seeded simulator: a server with a queue, clients who call it under a limit, and the formulas that move the limit.
//!
//! Everything happens in virtual time, so minutes of a trace take moments, and a seed gives the same trace twice. There is
//! no logarithm and no sine in it, so it gives the same trace on every machine.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the figures of a simulation are far from the edges of their types"
)]

pub(crate) mod drawing;
pub(crate) mod envoy;
pub(crate) mod failsafe;
pub(crate) mod gradient2;
pub(crate) mod ours;
pub(crate) mod plots;
pub(crate) mod scenarios;
pub(crate) mod world;

/// Nanoseconds of virtual time.
pub(crate) type Nanos = u64;

pub(crate) const MILLISECOND: Nanos = 1_000_000;
pub(crate) const SECOND: Nanos = 1_000 * MILLISECOND;

/// What moves a limit: ours, or an original.
pub(crate) trait Formula {
    /// What it keeps of a call that is under way.
    type Call;

    fn limit(&self) -> usize;
    fn begin(&mut self, now: Nanos) -> Self::Call;
    /// The call was answered, or it timed out.
    fn end(&mut self, call: Self::Call, timed_out: bool, now: Nanos);
    /// What it takes for the latency without a queue.
    fn baseline(&self) -> Option<Nanos>;
}

/// Numbers that look random and are the same for the same seed, whatever library is built with (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// This time, more or less by up to so many percent.
    pub(crate) fn about(&mut self, time: Nanos, percent: u64) -> Nanos {
        let spread = time / 100 * percent;
        time - spread + self.roll() % (2 * spread + 1)
    }
}
