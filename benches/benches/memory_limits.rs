//! Does memory follow the keys that are held, or those that ever were? Ten million distinct keys through a limiter and
//! through a lock, one after the other and in crowds.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use dayfly_benches::resident::{self, Peak};
use dayfly_benches::runtimes::ct;
use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions, KeyedLock};

const WARM_UP: u64 = 100_000;
const KEYS: u64 = 10_000_000;
/// Held at once: the oldest goes when a new one comes.
const CROWD: usize = 1_024;
/// Memory is looked at once per so many keys.
const SAMPLE_EVERY: u64 = 100_000;

struct Figures {
    before: u64,
    during: Peak,
    after: u64,
    longest: Duration,
}

fn main() -> ExitCode {
    let limiter = KeyedLimiter::new(KeyedLimiterOptions::new().limit(2 * CROWD));
    let of_limiter = measure(async |key: u64| limiter.acquire(key).await.expect("there is room"));
    assert_eq!(limiter.stats().keys, 0);
    let locks = KeyedLock::new();
    let of_locks = measure(async |key: u64| locks.lock(key).await);
    assert!(locks.is_empty());

    println!("\nmemory_limits: {KEYS} distinct keys, {CROWD} held at once, ct\n");
    println!("| resident memory | KeyedLimiter, KiB | KeyedLock, KiB |");
    println!("|---|---|---|");
    println!("| before, after a warm-up of {WARM_UP} keys | {} | {} |", of_limiter.before, of_locks.before);
    println!(
        "| during, the most of {} samples | {} | {} |",
        KEYS / SAMPLE_EVERY,
        of_limiter.during.kib(),
        of_locks.during.kib()
    );
    println!("| after, nothing held | {} | {} |", of_limiter.after, of_locks.after);
    println!("| the longest acquire and release | {:?} | {:?} |", of_limiter.longest, of_locks.longest);
    let returned = [of_limiter, of_locks].iter().all(|of| of.after <= of.before + of.before / 10);
    println!("\nafter is {} 10 % of before", if returned { "within" } else { "**not** within" });
    if returned { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure<P>(acquire: impl AsyncFn(u64) -> P) -> Figures {
    ct().block_on(async {
        let mut crowd: Vec<Option<P>> = (0..CROWD).map(|_| None).collect();
        let mut longest = Duration::ZERO;
        let mut figures = Figures { before: 0, during: Peak::default(), after: 0, longest };
        for number in 0..WARM_UP + KEYS {
            if number == WARM_UP {
                figures.before = resident::kib();
                longest = Duration::ZERO;
            }
            if number % SAMPLE_EVERY == 0 {
                figures.during.sample();
            }
            let start = Instant::now();
            crowd[number as usize % CROWD] = Some(acquire(number).await);
            longest = longest.max(start.elapsed());
        }
        drop(crowd);
        figures.after = resident::kib();
        figures.longest = longest;
        figures
    })
}
