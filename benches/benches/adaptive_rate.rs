//! What does it cost to ask a rate, and to wait for one?

use std::cell::Cell;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::runtimes::ct;
use dayfly_signal::SignalSink;
use governor::clock::MonotonicClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const CALLS: u64 = 1_000_000;
const KEYS: u64 = 1_000;
const THREADS: u64 = 2;
const TASKS: u64 = 64;
/// A burst that is never used up while it is measured; each start is owed for a millisecond.
const PLENTY: u32 = u32::MAX;
const A_SECOND: u32 = 1_000;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let runtime = ct();
    allowed(&mut runner);
    refused(&mut runner);
    by_key(&mut runner);
    new_keys(&mut runner);
    two_threads(&mut runner);
    without_a_wait(&mut runner, &runtime);
    in_line(&mut runner, &runtime);
    runner.end()
}

fn allowed(runner: &mut Runner) {
    let (direct, texts, rate) = (direct(PLENTY), by_text(PLENTY), dayfly(PLENTY));
    let same_clock = by_text_on_our_clock(PLENTY);
    let text = "api".to_owned();
    texts.check_key(&text).expect("there is plenty");
    same_clock.check_key(&text).expect("there is plenty");
    runner.ask(
        Contest::new("rate, one key, allowed", CALLS)
            .with("governor, keyed by text", |n| {
                (0..n).for_each(|_| allows(&texts.check_key(black_box(&text))));
            })
            .with("governor, no key", |n| (0..n).for_each(|_| allows(&direct.check())))
            .with("governor, keyed by text, on the clock that Tokio's stands on", |n| {
                (0..n).for_each(|_| allows(&same_clock.check_key(black_box(&text))));
            })
            .with("dayfly", |n| (0..n).for_each(|_| allows(&rate.check(black_box("api"))))),
    );
}

fn refused(runner: &mut Runner) {
    let slow = Quota::with_period(Duration::from_secs(3_600)).expect("it is not zero");
    let (direct, texts) = (RateLimiter::direct(slow), RateLimiter::keyed(slow));
    let rate = AdaptiveRate::new(
        "api",
        RateOptions::new().starts(1).period(Duration::from_secs(3_600)),
        &SignalSink::default(),
    );
    let text = "api".to_owned();
    allows(&direct.check());
    allows(&texts.check_key(&text));
    allows(&rate.check("api"));
    runner.ask(
        Contest::new("rate, one key, refused", CALLS)
            .with("governor, keyed by text", |n| {
                (0..n).for_each(|_| assert!(texts.check_key(black_box(&text)).is_err()));
            })
            .with("governor, no key", |n| (0..n).for_each(|_| assert!(direct.check().is_err())))
            .with("dayfly", |n| (0..n).for_each(|_| assert!(rate.check(black_box("api")).is_err()))),
    );
}

fn by_key(runner: &mut Runner) {
    let (numbers, texts, rate) = (by_number(PLENTY), by_text(PLENTY), dayfly(PLENTY));
    let names: Vec<String> = (0..KEYS).map(|number| number.to_string()).collect();
    let next = Cell::new(0_u64);
    // Far apart, so that no cache line helps.
    let key = || {
        next.set(next.get() + 1);
        next.get().wrapping_mul(7_919) % KEYS
    };
    runner.ask(
        Contest::new("rate, 1,000 keys, allowed", CALLS)
            .with("governor, keyed by text", |n| {
                (0..n).for_each(|_| allows(&texts.check_key(&names[key() as usize])));
            })
            .with("governor, keyed by number", |n| (0..n).for_each(|_| allows(&numbers.check_key(&key()))))
            .with("dayfly, texts", |n| (0..n).for_each(|_| allows(&rate.check(&names[key() as usize]))))
            .with("dayfly, numbers", |n| (0..n).for_each(|_| allows(&rate.check(&key())))),
    );
}

/// Keys that never come again: what is kept of them has to go.
fn new_keys(runner: &mut Runner) {
    // A start is owed for 10 us, so some hundreds of keys are there at once.
    let quick = Quota::per_second(non_zero(100_000)).allow_burst(non_zero(1));
    let governor: DefaultKeyedRateLimiter<u64> = RateLimiter::keyed(quick);
    let rate = AdaptiveRate::new("api", RateOptions::per_second(100_000).burst(1), &SignalSink::default());
    let next = Cell::new(0_u64);
    let key = || {
        next.set(next.get() + 1);
        next.get()
    };
    runner.ask(
        Contest::new("rate, a new key each time", CALLS / 4)
            .with("governor, swept every 10,000", |n| {
                for number in 0..n {
                    allows(&governor.check_key(&key()));
                    if number % 10_000 == 0 {
                        governor.retain_recent();
                    }
                }
            })
            .with("dayfly", |n| (0..n).for_each(|_| allows(&rate.check(&key())))),
    );
    assert!(rate.stats().crowded == 0, "all keys had room");
}

fn two_threads(runner: &mut Runner) {
    let (numbers, rate) = (by_number(PLENTY), dayfly(PLENTY));
    runner.ask(
        Contest::new("rate, two threads, a key each", CALLS)
            .with("governor, keyed by number", |n| on_threads(n, |key| allows(&numbers.check_key(&key))))
            .with("dayfly", |n| on_threads(n, |key| allows(&rate.check(&key)))),
    );
    runner.ask(
        Contest::new("rate, two threads, one key", CALLS)
            .with("governor, keyed by number", |n| on_threads(n, |_| allows(&numbers.check_key(&0))))
            .with("dayfly", |n| on_threads(n, |_| allows(&rate.check(&0)))),
    );
}

fn without_a_wait(runner: &mut Runner, runtime: &Runtime) {
    let (numbers, rate) = (by_number(PLENTY), dayfly(PLENTY));
    runner.ask(
        Contest::new("rate, until_ready without a wait", CALLS)
            .with("governor, keyed by number", |n| {
                runtime.block_on(async {
                    for _ in 0..n {
                        numbers.until_key_ready(&7).await;
                    }
                });
            })
            .with("dayfly", |n| {
                runtime.block_on(async {
                    for _ in 0..n {
                        rate.until_ready(&7).await;
                    }
                });
            }),
    );
}

/// 64 tasks wait for starts of one key, 50,000 a second with a burst of 100: ideal are 20,000 ns for each.
fn in_line(runner: &mut Runner, runtime: &Runtime) {
    let quota = Quota::per_second(non_zero(50_000)).allow_burst(non_zero(100));
    let governor: Arc<DefaultKeyedRateLimiter<u64>> = RateLimiter::keyed(quota).into();
    let rate = AdaptiveRate::new("api", RateOptions::per_second(50_000).burst(100), &SignalSink::default());
    runner.ask(
        Contest::new("rate, 64 tasks in line, 50,000 a second", TASKS * 100)
            .with("governor, keyed by number", |n| {
                runtime.block_on(together(n / TASKS, || {
                    let governor = governor.clone();
                    async move { governor.until_key_ready(&7).await }
                }));
            })
            .with("dayfly", |n| {
                runtime.block_on(together(n / TASKS, || {
                    let rate = rate.clone();
                    async move { rate.until_ready(&7).await }
                }));
            }),
    );
}

async fn together<F: Future<Output = ()> + Send + 'static>(each: u64, wait: impl Fn() -> F) {
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let starts: Vec<F> = (0..each).map(|_| wait()).collect();
        tasks.spawn(async move {
            for start in starts {
                start.await;
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

fn on_threads(calls: u64, call: impl Fn(u64) + Sync) {
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let call = &call;
            scope.spawn(move || (0..calls / THREADS).for_each(|_| call(thread)));
        }
    });
}

fn allows<T, E>(checked: &Result<T, E>) {
    assert!(checked.is_ok());
}

fn non_zero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("it is not zero")
}

fn direct(burst: u32) -> DefaultDirectRateLimiter {
    RateLimiter::direct(Quota::per_second(non_zero(A_SECOND)).allow_burst(non_zero(burst)))
}

fn by_number(burst: u32) -> DefaultKeyedRateLimiter<u64> {
    RateLimiter::keyed(Quota::per_second(non_zero(A_SECOND)).allow_burst(non_zero(burst)))
}

fn by_text(burst: u32) -> DefaultKeyedRateLimiter<String> {
    RateLimiter::keyed(Quota::per_second(non_zero(A_SECOND)).allow_burst(non_zero(burst)))
}

/// Its own clock reads the processor's counter; this one asks the system, as Tokio's does, which tests can pause.
type OnOurClock =
    RateLimiter<String, DefaultKeyedStateStore<String>, MonotonicClock, NoOpMiddleware<Instant>>;

fn by_text_on_our_clock(burst: u32) -> OnOurClock {
    let quota = Quota::per_second(non_zero(A_SECOND)).allow_burst(non_zero(burst));
    RateLimiter::new(quota, DefaultKeyedStateStore::default(), MonotonicClock)
}

fn dayfly(burst: u32) -> AdaptiveRate {
    AdaptiveRate::new("api", RateOptions::per_second(A_SECOND).burst(burst), &SignalSink::default())
}
