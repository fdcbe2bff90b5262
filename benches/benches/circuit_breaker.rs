//! What does a breaker cost while nothing is wrong? (Section C)

use std::cell::Cell;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use dashmap::DashMap;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::runtimes::ct;
use dayfly_circuit_breaker::{BreakerOptions, CircuitBreaker, KeyedBreaker, KeyedBreakerOptions, Window};
use dayfly_signal::SignalSink;
use failsafe::{Config, FailurePolicy, StateMachine, backoff, failure_policy};
use recloser::{AsyncRecloser, Recloser};
use tokio::runtime::Runtime;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::{
    CircuitBreakerConfigBuilder, CircuitBreakerLayer, DefaultClassifier, SlidingWindowType,
};

const CALLS: u64 = 2_000_000;
const KEYS: u64 = 1_000;
const THREADS: u64 = 2;
const FAILURES: u32 = 5;
/// Longer than any table takes, also on a machine that is busy with other things.
const CLOSED_FOR: Duration = Duration::from_secs(24 * 3_600);
const SPAN: Duration = Duration::from_secs(10);

const IN_A_ROW: BreakerOptions = BreakerOptions::new().failure_threshold(FAILURES).open_for(CLOSED_FOR);
const OF_CALLS: BreakerOptions =
    IN_A_ROW.without_failure_threshold().failure_rate(0.5).window(Window::Calls(100));
const OF_TIME: BreakerOptions = OF_CALLS.window(Window::Time(SPAN));
const SLOW_TOO: BreakerOptions = OF_TIME.slow_rate(0.5);

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let runtime = ct();
    permit_and_success(&mut runner);
    windows(&mut runner);
    around_a_call(&mut runner, &runtime);
    around_a_call_in_a_window(&mut runner, &runtime);
    two_threads(&mut runner);
    refused(&mut runner);
    by_key(&mut runner);
    runner.end()
}

fn permit_and_success(runner: &mut Runner) {
    let (recloser, failsafe, dayfly) = (recloser(FAILURES as usize), consecutive(), bank(IN_A_ROW));
    runner.ask(
        Contest::new("breaker in a row, permit and success", CALLS)
            .with("recloser, a ring of 5", |n| (0..n).for_each(|_| of_recloser(&recloser)))
            .with("failsafe, consecutive", |n| (0..n).for_each(|_| of_failsafe(&failsafe)))
            .with("dayfly, permit", |n| (0..n).for_each(|_| of_dayfly(&dayfly)))
            .with("dayfly, owned permit", |n| {
                (0..n).for_each(|_| black_box(&dayfly).try_acquire_owned().expect("it is closed").success());
            }),
    );
}

fn windows(runner: &mut Runner) {
    let (failsafe, ring) = (windowed(), recloser(100));
    let (calls, time, slow) = (bank(OF_CALLS), bank(OF_TIME), bank(SLOW_TOO));
    runner.ask(
        Contest::new("breaker in a window, permit and success", CALLS)
            .with("failsafe, a window of 10 s", |n| (0..n).for_each(|_| of_failsafe(&failsafe)))
            .with("recloser, a ring of 100", |n| (0..n).for_each(|_| of_recloser(&ring)))
            .with("dayfly, the last 100 calls", |n| (0..n).for_each(|_| of_dayfly(&calls)))
            .with("dayfly, the last 10 s", |n| (0..n).for_each(|_| of_dayfly(&time)))
            .with("dayfly, the last 10 s, slowness too", |n| (0..n).for_each(|_| of_dayfly(&slow))),
    );
}

fn around_a_call(runner: &mut Runner, runtime: &Runtime) {
    let (recloser, failsafe) = (AsyncRecloser::from(recloser(FAILURES as usize)), consecutive());
    let dayfly = bank(IN_A_ROW);
    let mut bare = service_fn(work);
    let resilience = CircuitBreakerLayer::builder().consecutive_failures(FAILURES as usize);
    let mut resilience = layered(resilience);
    runner.ask(
        Contest::new("breaker in a row, around an async call", CALLS)
            .with("recloser, a ring of 5", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        assert!(matches!(recloser.call(work(number)).await, Ok(done) if done == number));
                    }
                });
            })
            .with("a bare tower call", |n| runtime.block_on(calls_of_tower(&mut bare, n)))
            .with("failsafe, consecutive", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        let ended = failsafe::futures::CircuitBreaker::call(&failsafe, work(number)).await;
                        assert!(matches!(ended, Ok(done) if done == number));
                    }
                });
            })
            .with("tower-resilience, consecutive", |n| runtime.block_on(calls_of_tower(&mut resilience, n)))
            .with("dayfly, call", |n| runtime.block_on(calls_of_dayfly(&dayfly, n))),
    );
}

fn around_a_call_in_a_window(runner: &mut Runner, runtime: &Runtime) {
    let failsafe = windowed();
    let (calls, time) = (bank(OF_CALLS), bank(OF_TIME));
    let mut last_calls = layered(CircuitBreakerLayer::builder().sliding_window_size(100));
    let last_time = CircuitBreakerLayer::builder().sliding_window_type(SlidingWindowType::TimeBased);
    let mut last_time = layered(last_time.sliding_window_duration(Duration::from_millis(10)));
    runner.ask(
        Contest::new("breaker in a window, around an async call", CALLS / 10)
            .with("failsafe, a window of 10 s", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        let ended = failsafe::futures::CircuitBreaker::call(&failsafe, work(number)).await;
                        assert!(matches!(ended, Ok(done) if done == number));
                    }
                });
            })
            .with("tower-resilience, the last 100 calls", |n| {
                runtime.block_on(calls_of_tower(&mut last_calls, n));
            })
            .with("tower-resilience, the last 10 ms", |n| {
                runtime.block_on(calls_of_tower(&mut last_time, n));
            })
            .with("dayfly, the last 100 calls", |n| runtime.block_on(calls_of_dayfly(&calls, n)))
            .with("dayfly, the last 10 s", |n| runtime.block_on(calls_of_dayfly(&time, n))),
    );
}

/// Two threads at one breaker, each with half of the calls: what is shared is fought for.
fn two_threads(runner: &mut Runner) {
    let (recloser, failsafe, window) = (recloser(FAILURES as usize), consecutive(), windowed());
    let (row, calls) = (bank(IN_A_ROW), bank(OF_CALLS));
    runner.ask(
        Contest::new("breaker of two threads, permit and success", CALLS)
            .with("recloser, a ring of 5", |n| on_threads(n, || of_recloser(&recloser)))
            .with("failsafe, consecutive", |n| on_threads(n, || of_failsafe(&failsafe)))
            .with("failsafe, a window of 10 s", |n| on_threads(n, || of_failsafe(&window)))
            .with("dayfly, in a row", |n| on_threads(n, || of_dayfly(&row)))
            .with("dayfly, the last 100 calls", |n| on_threads(n, || of_dayfly(&calls))),
    );
}

/// What a breaker is for: saying no.
fn refused(runner: &mut Runner) {
    let recloser = recloser(1);
    let _ = recloser.call(|| Err::<(), ()>(()));
    let _ = recloser.call(|| Err::<(), ()>(()));
    let failsafe = consecutive();
    for _ in 0..FAILURES {
        let ended = failsafe::CircuitBreaker::call(&failsafe, || Err::<(), ()>(()));
        assert!(ended.is_err());
    }
    let (open, forced) = (bank(IN_A_ROW), bank(IN_A_ROW));
    (0..FAILURES).for_each(|_| open.try_acquire().expect("it is closed").failure());
    forced.force_open();
    let refuses = |bank: &CircuitBreaker| assert!(black_box(bank).try_acquire().is_err());
    runner.ask(
        Contest::new("breaker that is open, refusal", CALLS)
            .with("recloser", |n| {
                (0..n).for_each(|_| assert!(black_box(&recloser).call(|| Ok::<(), ()>(())).is_err()));
            })
            .with("failsafe", |n| {
                (0..n).for_each(|_| {
                    assert!(!failsafe::CircuitBreaker::is_call_permitted(black_box(&failsafe)));
                });
            })
            .with("dayfly", |n| (0..n).for_each(|_| refuses(&open)))
            .with("dayfly, opened by hand", |n| (0..n).for_each(|_| refuses(&forced))),
    );
}

fn by_key(runner: &mut Runner) {
    let map: DashMap<u64, Arc<Recloser>> = DashMap::new();
    let options = KeyedBreakerOptions::new().breaker(IN_A_ROW);
    let signals = SignalSink::default();
    let keyed = KeyedBreaker::<u64>::new("hosts", options.clone(), &signals);
    let lasting = KeyedBreaker::<u64>::new("hosts", options.without_time_to_idle(), &signals);
    let next = Cell::new(0_u64);
    // Far apart, so that no cache line helps.
    let key = || {
        next.set(next.get() + 1);
        next.get().wrapping_mul(7_919) % KEYS
    };
    runner.ask(
        Contest::new("breaker by key, look-up, permit and success", CALLS)
            .with("DashMap of reclosers", |n| {
                (0..n).for_each(|_| {
                    let found = map.entry(key()).or_insert_with(|| Arc::new(recloser(FAILURES as usize)));
                    let recloser = Arc::clone(&found);
                    drop(found);
                    of_recloser(&recloser);
                });
            })
            .with("dayfly, keys that go when idle", |n| {
                (0..n).for_each(|_| of_dayfly(&keyed.breaker(&key())));
            })
            .with("dayfly, keys that stay", |n| (0..n).for_each(|_| of_dayfly(&lasting.breaker(&key())))),
    );
}

/// Succeeds at once, in a way that nobody can foresee.
async fn work(number: u64) -> Result<u64, ()> {
    black_box(Ok(number))
}

fn bank(options: BreakerOptions) -> CircuitBreaker {
    CircuitBreaker::new("bank", options, &SignalSink::default())
}

fn recloser(ring: usize) -> Recloser {
    Recloser::custom().error_rate(1.0).closed_len(ring).open_wait(CLOSED_FOR).build()
}

fn consecutive() -> StateMachine<impl FailurePolicy, ()> {
    let policy = failure_policy::consecutive_failures(FAILURES, backoff::constant(CLOSED_FOR));
    Config::new().failure_policy(policy).build()
}

fn windowed() -> StateMachine<impl FailurePolicy, ()> {
    let backoff = backoff::constant(CLOSED_FOR);
    let policy = failure_policy::success_rate_over_time_window(0.5, 20, SPAN, backoff);
    Config::new().failure_policy(policy).build()
}

fn layered(
    builder: CircuitBreakerConfigBuilder<DefaultClassifier>,
) -> impl Service<u64, Response = u64, Error: std::fmt::Debug> {
    let layer = builder.failure_rate_threshold(0.5).wait_duration_in_open(CLOSED_FOR);
    layer.build().expect("its options are sound").layer(service_fn(work))
}

fn of_recloser(recloser: &Recloser) {
    let ended = black_box(recloser).call(|| black_box(Ok::<(), ()>(())));
    assert!(ended.is_ok());
}

fn of_failsafe(failsafe: &StateMachine<impl FailurePolicy, ()>) {
    let ended = failsafe::CircuitBreaker::call(black_box(failsafe), || black_box(Ok::<(), ()>(())));
    assert!(ended.is_ok());
}

fn of_dayfly(bank: &CircuitBreaker) {
    let permit = black_box(bank).try_acquire().expect("it is closed");
    match black_box(Ok::<(), ()>(())) {
        Ok(()) => permit.success(),
        Err(()) => permit.failure(),
    }
}

fn on_threads(calls: u64, call: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..calls / THREADS).for_each(|_| call()));
        }
    });
}

async fn calls_of_dayfly(bank: &CircuitBreaker, calls: u64) {
    for number in 0..calls {
        assert_eq!(bank.call(work(number)).await, Ok(number));
    }
}

async fn calls_of_tower<S>(service: &mut S, calls: u64)
where
    S: Service<u64, Response = u64, Error: std::fmt::Debug>,
{
    for number in 0..calls {
        let ended = service.ready().await.expect("it is closed").call(number).await;
        assert!(matches!(ended, Ok(done) if done == number));
    }
}
