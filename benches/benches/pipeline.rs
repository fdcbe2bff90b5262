//! What does a pipeline cost while nothing is wrong: each policy by itself, and all of them?

use std::fmt;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::runtimes::ct;
use dayfly_benches::tower_retries::{Attempts, Waits};
use dayfly_circuit_breaker::{BreakerOptions, CircuitBreaker};
use dayfly_limit::Limiter;
use dayfly_resilience::{
    BreakerLayer, LimitLayer, Pipeline, PipelineLayer, PipelineOptions, RetryLayer, Timeout, TimeoutLayer,
};
use dayfly_retry::{RetryBudget, RetryOptions};
use dayfly_signal::SignalSink;
use failsafe::{Config, StateMachine, backoff, failure_policy};
use tokio::runtime::Runtime;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_resilience_bulkhead::BulkheadLayer;
use tower_resilience_circuitbreaker::CircuitBreakerLayer;
use tower_resilience_timelimiter::TimeLimiterLayer;

const CALLS: u64 = 1_000_000;
const TOTAL: Duration = Duration::from_secs(30);
const ATTEMPT: Duration = Duration::from_secs(10);
const PLACES: usize = 64;

const NONE: PipelineOptions = PipelineOptions::new();
const BREAKER: BreakerOptions = BreakerOptions::new().failure_threshold(5);
const ALL: PipelineOptions = PipelineOptions::production().without_budget().max_concurrency(PLACES);

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let runtime = ct();
    calls(&mut runner, &runtime);
    breakers(&mut runner, &runtime);
    limits(&mut runner, &runtime);
    timeouts(&mut runner, &runtime);
    retries(&mut runner, &runtime);
    everything(&mut runner, &runtime);
    with_a_pause(&mut runner, &runtime);
    runner.end()
}

/// Our own calls, policy by policy.
fn calls(runner: &mut Runner, runtime: &Runtime) {
    let pipelines = [
        ("dayfly, no policy", NONE),
        ("dayfly, breaker", NONE.breaker(BREAKER)),
        ("dayfly, retry", NONE.attempts(3)),
        ("dayfly, limit", NONE.max_concurrency(PLACES)),
        ("dayfly, attempt timeout", NONE.attempt_timeout(ATTEMPT)),
        ("dayfly, total timeout", NONE.total_timeout(TOTAL)),
        ("dayfly, production", PipelineOptions::production()),
        ("dayfly, all", ALL),
    ];
    let mut contest = Contest::new("pipeline call, success at once", CALLS).with("a bare call", |n| {
        runtime.block_on(async {
            for number in 0..n {
                assert_eq!(work(number).await, Ok(number));
            }
        });
    });
    for (name, options) in pipelines {
        let bank = pipeline(options);
        contest = contest.with(name, move |n| {
            runtime.block_on(async {
                for number in 0..n {
                    assert_eq!(bank.call(|_| work(number)).await, Ok(number));
                }
            });
        });
    }
    let failsafe = failsafe();
    runner.ask(contest.with("failsafe, breaker", |n| {
        runtime.block_on(async {
            for number in 0..n {
                let ended = failsafe::futures::CircuitBreaker::call(&failsafe, work(number)).await;
                assert!(matches!(ended, Ok(done) if done == number));
            }
        });
    }));
}

fn breakers(runner: &mut Runner, runtime: &Runtime) {
    let mut bare = service_fn(work);
    let theirs =
        CircuitBreakerLayer::builder().consecutive_failures(5).build().expect("its options are sound");
    let mut theirs = theirs.layer(service_fn(work));
    let mut ours = BreakerLayer::new(breaker()).layer(service_fn(work));
    let bank = pipeline(NONE.breaker(BREAKER));
    let mut piped = PipelineLayer::new(&bank).layer(service_fn(work));
    runner.ask(
        Contest::new("layer: a breaker, success at once", CALLS)
            .with("tower-resilience", |n| runtime.block_on(calls_of(&mut theirs, n)))
            .with("a bare tower call", |n| runtime.block_on(calls_of(&mut bare, n)))
            .with("dayfly, layer", |n| runtime.block_on(calls_of(&mut ours, n)))
            .with("dayfly, pipeline as a layer", |n| runtime.block_on(calls_of(&mut piped, n))),
    );
}

fn limits(runner: &mut Runner, runtime: &Runtime) {
    let mut tower = ConcurrencyLimitLayer::new(PLACES).layer(service_fn(work));
    let theirs =
        BulkheadLayer::builder().max_concurrent_calls(PLACES).build().expect("its options are sound");
    let mut theirs = theirs.layer(service_fn(work));
    let mut ours = LimitLayer::new(Limiter::with_limit(PLACES)).layer(service_fn(work));
    runner.ask(
        Contest::new("layer: a limit, success at once", CALLS)
            .with("tower", |n| runtime.block_on(calls_of(&mut tower, n)))
            .with("tower-resilience", |n| runtime.block_on(calls_of(&mut theirs, n)))
            .with("dayfly", |n| runtime.block_on(calls_of(&mut ours, n))),
    );
}

fn timeouts(runner: &mut Runner, runtime: &Runtime) {
    let mut tower = ServiceBuilder::new().timeout(ATTEMPT).service(service_fn(work_or_why));
    let mut theirs = TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build().layer(service_fn(work));
    let mut ours = TimeoutLayer::new(Timeout::per_attempt(ATTEMPT)).layer(service_fn(work));
    runner.ask(
        Contest::new("layer: a timeout, success at once", CALLS)
            .with("tower", |n| runtime.block_on(calls_of(&mut tower, n)))
            .with("tower-resilience", |n| runtime.block_on(calls_of(&mut theirs, n)))
            .with("dayfly", |n| runtime.block_on(calls_of(&mut ours, n))),
    );
}

fn retries(runner: &mut Runner, runtime: &Runtime) {
    let mut tower = tower::retry::Retry::new(Attempts(3), service_fn(work));
    let mut waits = tower::retry::Retry::new(Waits::new(None), service_fn(work));
    let theirs = tower_resilience_retry::RetryLayer::<u64, u64, ()>::builder().max_attempts(3).build();
    let mut theirs = theirs.layer(service_fn(work));
    let mut ours = RetryLayer::new(RetryOptions::new()).layer(service_fn(work));
    runner.ask(
        Contest::new("layer: a retry, success at once", CALLS)
            .with("tower, a number", |n| runtime.block_on(calls_of(&mut tower, n)))
            .with("tower, a backoff", |n| runtime.block_on(calls_of(&mut waits, n)))
            .with("tower-resilience", |n| runtime.block_on(calls_of(&mut theirs, n)))
            .with("dayfly", |n| runtime.block_on(calls_of(&mut ours, n))),
    );
    let mut shared = tower::retry::Retry::new(Waits::new(Some(Arc::default())), service_fn(work));
    let budget = RetryBudget::default();
    let mut ours = RetryLayer::new(RetryOptions::new()).budget(&budget).layer(service_fn(work));
    runner.ask(
        Contest::new("layer: a retry with a budget, success at once", CALLS)
            .with("tower, a backoff", |n| runtime.block_on(calls_of(&mut shared, n)))
            .with("dayfly", |n| runtime.block_on(calls_of(&mut ours, n))),
    );
}

/// Total timeout, retry, breaker, limit, attempt timeout, one around the other.
fn everything(runner: &mut Runner, runtime: &Runtime) {
    let mut theirs = all_of_theirs(service_fn(work));
    let mut layers = all_of_ours(service_fn(work));
    let bank = pipeline(ALL);
    let mut piped = PipelineLayer::new(&bank).layer(service_fn(work));
    runner.ask(
        Contest::new("layers: all policies, success at once", CALLS / 2)
            .with("tower-resilience, five layers", |n| runtime.block_on(calls_of(&mut theirs, n)))
            .with("dayfly, five layers", |n| runtime.block_on(calls_of(&mut layers, n)))
            .with("dayfly, pipeline as a layer", |n| runtime.block_on(calls_of(&mut piped, n)))
            .with("dayfly, pipeline's call", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        assert_eq!(bank.call(|_| work(number)).await, Ok(number));
                    }
                });
            }),
    );
}

/// The same, with work that has to wait once, so that timers are set.
fn with_a_pause(runner: &mut Runner, runtime: &Runtime) {
    let mut theirs = all_of_theirs(service_fn(pausing));
    let mut layers = all_of_ours(service_fn(pausing));
    let bank = pipeline(ALL);
    let mut piped = PipelineLayer::new(&bank).layer(service_fn(pausing));
    runner.ask(
        Contest::new("layers: all policies, work that waits once", CALLS / 4)
            .with("tower-resilience, five layers", |n| runtime.block_on(calls_of(&mut theirs, n)))
            .with("dayfly, five layers", |n| runtime.block_on(calls_of(&mut layers, n)))
            .with("dayfly, pipeline as a layer", |n| runtime.block_on(calls_of(&mut piped, n)))
            .with("dayfly, pipeline's call", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        assert_eq!(bank.call(|_| pausing(number)).await, Ok(number));
                    }
                });
            }),
    );
}

fn all_of_theirs<S>(service: S) -> impl Service<u64, Response = u64, Error: fmt::Debug>
where
    S: Service<u64, Response = u64, Error = (), Future: Send> + Clone + Send + 'static,
{
    let breaker =
        CircuitBreakerLayer::builder().consecutive_failures(5).build().expect("its options are sound");
    let bulkhead =
        BulkheadLayer::builder().max_concurrent_calls(PLACES).build().expect("its options are sound");
    let limited =
        bulkhead.layer(TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build().layer(service));
    let retry = tower_resilience_retry::RetryLayer::<u64, u64, _>::builder().max_attempts(3).build();
    TimeLimiterLayer::builder().timeout_duration(TOTAL).build().layer(retry.layer(breaker.layer(limited)))
}

fn all_of_ours<S>(service: S) -> impl Service<u64, Response = u64, Error: fmt::Debug>
where
    S: Service<u64, Response = u64, Error = ()> + Clone,
{
    let limited = LimitLayer::new(Limiter::with_limit(PLACES))
        .layer(TimeoutLayer::new(Timeout::per_attempt(ATTEMPT)).layer(service));
    let retried = RetryLayer::new(RetryOptions::new()).layer(BreakerLayer::new(breaker()).layer(limited));
    TimeoutLayer::new(Timeout::total(TOTAL)).layer(retried)
}

/// Succeeds at once, in a way that nobody can foresee.
async fn work(number: u64) -> Result<u64, ()> {
    black_box(Ok(number))
}

/// What tower's own timeout asks of errors.
async fn work_or_why(number: u64) -> Result<u64, tower::BoxError> {
    black_box(Ok(number))
}

async fn pausing(number: u64) -> Result<u64, ()> {
    tokio::task::yield_now().await;
    black_box(Ok(number))
}

fn pipeline(options: PipelineOptions) -> Pipeline<()> {
    Pipeline::new("bank", options, &SignalSink::default())
}

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new("bank", BREAKER, &SignalSink::default())
}

fn failsafe() -> StateMachine<impl failsafe::FailurePolicy, ()> {
    let policy = failure_policy::consecutive_failures(5, backoff::constant(TOTAL));
    Config::new().failure_policy(policy).build()
}

async fn calls_of<S>(service: &mut S, calls: u64)
where
    S: Service<u64, Response = u64, Error: fmt::Debug>,
{
    for number in 0..calls {
        let ended = service.ready().await.expect("it always is").call(number).await;
        assert!(matches!(ended, Ok(done) if done == number));
    }
}
