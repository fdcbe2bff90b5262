//! What does reading a configuration cost while nobody changes it? (Section G)

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;

use arc_swap::{ArcSwap, Cache};
use dayfly::SignalSink;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::runtimes::ct;
use dayfly_config::{Sources, WatchOptions, Watched};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

const READS: u64 = 2_000_000;

#[derive(Clone, Deserialize, Serialize)]
struct Settings {
    name: String,
    limit: u64,
}

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let runtime = ct();
    let settings = Settings { name: "relay".to_owned(), limit: 8 };
    let (sources, signals) = (Sources::new().defaults(&settings), SignalSink::default());
    let options = WatchOptions::new().without_poll().without_watch();
    let watched = runtime
        .block_on(Watched::<Settings>::open(sources, options, &signals))
        .expect("the defaults are valid");
    let mut reader = watched.reader();
    let swapped = Arc::new(ArcSwap::from_pointee(settings.clone()));
    let mut cached = Cache::new(Arc::clone(&swapped));
    let locked = RwLock::new(Arc::new(settings.clone()));
    let (_sender, receiver) = watch::channel(settings);

    runner.ask(
        Contest::new("config, load", READS)
            .with("arc-swap load", |n| sum(n, || swapped.load().limit))
            .with("dayfly Watched::load", |n| sum(n, || watched.load().limit))
            .with("arc-swap load_full", |n| sum(n, || swapped.load_full().limit))
            .with("dayfly Watched::snapshot", |n| sum(n, || watched.snapshot().limit))
            .with("RwLock", |n| sum(n, || locked.read().expect("nobody panics").limit))
            .with("watch borrow", |n| sum(n, || receiver.borrow().limit)),
    );
    runner.ask(
        Contest::new("config, cached", READS * 10)
            .with("arc_swap::Cache", |n| sum(n, || cached.load().limit))
            .with("dayfly Reader::get", |n| sum(n, || reader.get().limit)),
    );
    let other = AtomicBool::new(false);
    let noisy = |read: &(dyn Fn() -> u64 + Sync), reads: u64| beside(&other, read, || sum(reads, read));
    runner.ask(
        Contest::new("config, load beside another reader", READS)
            .with("arc-swap load", |n| noisy(&|| swapped.load().limit, n))
            .with("dayfly Watched::load", |n| noisy(&|| watched.load().limit, n))
            .with("RwLock", |n| noisy(&|| locked.read().expect("nobody panics").limit, n))
            .with("watch borrow", |n| noisy(&|| receiver.borrow().limit, n)),
    );
    runner.end()
}

/// Runs `work` while another thread reads too.
fn beside(ends: &AtomicBool, read: &(dyn Fn() -> u64 + Sync), work: impl FnOnce()) {
    ends.store(false, Ordering::Relaxed);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::Relaxed) {
                black_box(read());
            }
        });
        work();
        ends.store(true, Ordering::Relaxed);
    });
}

/// Each read is hidden from the compiler, which would take them all for one otherwise.
fn sum(reads: u64, mut read: impl FnMut() -> u64) {
    let mut sum = 0;
    for _ in 0..reads {
        sum += black_box(read());
    }
    assert_eq!(sum, reads * 8);
}
