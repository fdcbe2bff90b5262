//! Work for the processor that takes a stated time, calibrated in the process that uses it.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Turns of one sample, and how many samples are taken.
const SAMPLE: u32 = 200_000;
const SAMPLES: usize = 50;

/// A loop whose every turn needs the one before, so that it can be neither shortened nor done in parallel.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    turns: u32,
}

impl Work {
    /// Work that takes this long on an undisturbed core: the fastest sample counts, as disturbance only ever adds.
    pub fn lasting(time: Duration) -> Self {
        let sample = Self { turns: SAMPLE };
        let fastest = (0..SAMPLES).map(|_| sample.timed()).min().expect("there are samples");
        let turns = time.as_secs_f64() / fastest.as_secs_f64() * f64::from(SAMPLE);
        #[expect(clippy::cast_sign_loss, reason = "times are not negative")]
        Self { turns: turns.round() as u32 }
    }

    /// Does it.
    pub fn run(self) {
        let mut value = black_box(1_u64);
        for _ in 0..self.turns {
            value = (value ^ (value >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        black_box(value);
    }

    fn timed(self) -> Duration {
        let start = Instant::now();
        self.run();
        start.elapsed()
    }
}
