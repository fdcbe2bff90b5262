//! Does memory follow the keys that have work or are parked, or those that ever had? Ten million keys, each once; one in
//! a thousand fails at first and is retried.

use std::process::ExitCode;
use std::sync::Arc;

use dayfly::{Operation, SignalSink};
use dayfly_benches::body::{Body, verified};
use dayfly_benches::pools::OPTIONS;
use dayfly_benches::resident::{self, Peak};
use dayfly_benches::runtimes::mt2;
use dayfly_keyed_sequential::{KeyedSequential, SequentialOptions};

const WARM_UP: u64 = 100_000;
const KEYS: u64 = 10_000_000;
const FAILS_EVERY: u64 = 1_000;
/// In the warm-up more fail, so that the history of signals is full when it is over.
const FAILS_AT_FIRST: u64 = 10;
/// Memory is looked at once per so many operations.
const SAMPLE_EVERY: u64 = 10_000;

fn main() -> ExitCode {
    let (mut before, mut during, mut after) = (0, Peak::default(), 0);
    let producer = async {
        let signals = SignalSink::default();
        let options = SequentialOptions::new().work(OPTIONS);
        let work = KeyedSequential::spawn(options, &signals, |key: &u64| *key, body);
        // Whoever tends the parked keys.
        let (mut watch, tended) = (work.watch_parked(), work.downgrade());
        let tending = tokio::spawn(async move {
            while watch.changed().await.is_some() {
                let Some(work) = tended.upgrade() else { return };
                work.retry_all();
            }
        });
        for key in 0..WARM_UP {
            work.enqueue(key).await.expect("it is open");
        }
        work.idle().await;
        before = resident::kib();
        for key in WARM_UP..WARM_UP + KEYS {
            work.enqueue(key).await.expect("it is open");
            if key % SAMPLE_EVERY == 0 {
                during.sample();
            }
        }
        work.idle().await;
        after = resident::kib();
        let figures = work.drain().await.figures;
        assert_eq!((figures.completed, figures.failed), (WARM_UP + KEYS, 0));
        drop(work);
        tending.await.expect("it ends with the work");
    };
    verified(WARM_UP + KEYS, || mt2().block_on(producer));

    let returned = after <= before + before / 10;
    println!(
        "\nmemory_sequential: {KEYS} keys, each once, one in {FAILS_EVERY} parked and retried, 64 at once, mt2\n"
    );
    println!("| resident memory | KiB |");
    println!("|---|---|");
    println!("| before, after a warm-up of {WARM_UP} operations | {before} |");
    println!("| during, the most of {} samples | {} |", KEYS / SAMPLE_EVERY, during.kib());
    println!("| after, idle | {after} |");
    println!("\nafter is {} 10 % of before", if returned { "within" } else { "**not** within" });
    if returned { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn body(key: Arc<u64>, op: Operation) -> Result<(), &'static str> {
    let every = if *key < WARM_UP { FAILS_AT_FIRST } else { FAILS_EVERY };
    if key.is_multiple_of(every) && op.attempt() == 1 {
        return Err("not yet");
    }
    Body::Yields.run().await;
    Ok(())
}
