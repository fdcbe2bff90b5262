//! What does it cost to measure a call, so that a limit can follow load?

use std::fmt::Debug;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::runtimes::ct;
use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions};
use dayfly_limit::Limiter;
use dayfly_signal::SignalSink;
use tokio::runtime::Runtime;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_acc::{ConcurrencyLimit, Gradient2, Vegas};
use tower_resilience_adaptive::AdaptiveLimiterLayer;

const CALLS: u64 = 200_000;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let runtime = ct();
    measured_and_limited(&mut runner, &runtime);
    measured(&mut runner);
    runner.end()
}

/// One call after the other through a limit that its latency moves; each is done at once.
fn measured_and_limited(runner: &mut Runner, runtime: &Runtime) {
    let mut bare = service_fn(work);
    let mut gradient = ConcurrencyLimit::new(service_fn(work), Gradient2::builder().build());
    let mut vegas = ConcurrencyLimit::new(service_fn(work), Vegas::default());
    let resilience = tower_resilience_adaptive::Gradient2::builder().build().expect("its options are sound");
    let mut resilience = AdaptiveLimiterLayer::new(resilience).layer(service_fn(work));
    let (limiter, limit) = dayfly();
    runner.ask(
        Contest::new("a limit that follows load, around an async call", CALLS)
            .with("tower-acc, Gradient2", |n| runtime.block_on(calls_of_tower(&mut gradient, n)))
            .with("tower-acc, Vegas", |n| runtime.block_on(calls_of_tower(&mut vegas, n)))
            .with("tower-resilience, Gradient2", |n| runtime.block_on(calls_of_tower(&mut resilience, n)))
            .with("a bare tower call", |n| runtime.block_on(calls_of_tower(&mut bare, n)))
            .with("dayfly, permit and measure", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        let permit = limiter.acquire().await.expect("it is open");
                        assert_eq!(limit.measure(work(number)).await, Ok(number));
                        drop(permit);
                    }
                });
            })
            .with("dayfly, permit and measure_within", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        let permit = limiter.acquire().await.expect("it is open");
                        let done = limit.measure_within(Duration::from_secs(1), work(number)).await;
                        assert_eq!(done, Ok(number));
                        drop(permit);
                    }
                });
            }),
    );
}

/// What of it is measuring.
fn measured(runner: &mut Runner) {
    let (_, limit) = dayfly();
    runner.ask(
        Contest::new("a sample, begun and ended", CALLS)
            .with("two readings of the clock", |n| {
                for _ in 0..n {
                    let began = black_box(tokio::time::Instant::now());
                    black_box(tokio::time::Instant::now() - began);
                }
            })
            .with("dayfly, begin and success", |n| (0..n).for_each(|_| black_box(&limit).begin().success())),
    );
}

fn dayfly() -> (Limiter, AdaptiveLimit) {
    let limiter = Limiter::default();
    let limit = AdaptiveLimit::new(limiter.clone(), AdaptiveLimitOptions::new(), &SignalSink::default());
    (limiter, limit)
}

async fn work(number: u64) -> Result<u64, ()> {
    black_box(Ok(number))
}

async fn calls_of_tower<S>(service: &mut S, calls: u64)
where
    S: Service<u64, Response = u64, Error: Debug>,
{
    for number in 0..calls {
        let ended = service.ready().await.expect("there is room").call(number).await;
        assert!(matches!(ended, Ok(done) if done == number));
    }
}
