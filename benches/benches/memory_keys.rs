//! Does memory follow the keys that have work, or those that ever had? Ten million operations over a million keys.

use std::process::ExitCode;

use dayfly::{KeyedCoordinator, SignalSink};
use dayfly_benches::body::{Body, verified};
use dayfly_benches::pools::OPTIONS;
use dayfly_benches::resident::{self, Peak};
use dayfly_benches::runtimes::mt2;

const WARM_UP: u64 = 100_000;
const OPERATIONS: u64 = 10_000_000;
const KEYS: u64 = 1_000_000;
/// Memory is looked at once per so many operations.
const SAMPLE_EVERY: u64 = 10_000;

fn main() -> ExitCode {
    let (mut before, mut during, mut after) = (0, Peak::default(), 0);
    let producer = async {
        // The body suspends, so that 64 keys are held at once.
        let signals = SignalSink::default();
        let work = KeyedCoordinator::spawn(OPTIONS, &signals, |key: &u64| *key, |_, _| Body::Yields.run());
        for number in 0..WARM_UP {
            work.enqueue(key(number)).await.expect("it is open");
        }
        work.idle().await;
        before = resident::kib();
        for number in 0..OPERATIONS {
            work.enqueue(key(number)).await.expect("it is open");
            if number % SAMPLE_EVERY == 0 {
                during.sample();
            }
        }
        work.idle().await;
        after = resident::kib();
        assert_eq!(work.drain().await.completed, WARM_UP + OPERATIONS);
    };
    verified(WARM_UP + OPERATIONS, || mt2().block_on(producer));

    let returned = after <= before + before / 10;
    println!("\nmemory_keys: {OPERATIONS} operations over {KEYS} keys, 64 at once, mt2\n");
    println!("| resident memory | KiB |");
    println!("|---|---|");
    println!("| before, after a warm-up of {WARM_UP} operations | {before} |");
    println!("| during, the most of {} samples | {} |", OPERATIONS / SAMPLE_EVERY, during.kib());
    println!("| after, idle | {after} |");
    println!("\nafter is {} 10 % of before", if returned { "within" } else { "**not** within" });
    if returned { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Visits every key once before it visits one again, in an order without a pattern: the factor is odd and no
/// multiple of five, so it shares no factor with the number of keys.
const fn key(number: u64) -> u64 {
    number % KEYS * 618_033 % KEYS
}
