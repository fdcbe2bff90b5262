//! What has gone wrong in others' layers, tried on these. The numbers are those of tower-resilience's issues.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker};
use dayfly_limit::Limiter;
use dayfly_resilience::{
    BreakerLayer, CallError, LimitLayer, PipelineLayer, RetryLayer, Timeout, TimeoutLayer,
};
use dayfly_retry::{Backoff, RetryOptions};
use dayfly_signal::SignalSink;
use dayfly_testing::settle;
use tokio::task::JoinSet;
use tokio::time::advance;
use tower_layer::Layer;
use tower_service::Service;

use crate::layers::probe::{Probe, ready, send};
use crate::support::{BREAKER, PLAIN, pipeline, seconds};

const RETRY: RetryOptions = RetryOptions::new().attempts(3).backoff(Backoff::constant(seconds(1)));

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new("bank", BREAKER, &SignalSink::default())
}

/// 286: a layer called a clone that nobody had made ready. The probe panics when that happens.
#[tokio::test(start_paused = true)]
async fn issue_286_what_was_made_ready_is_what_is_called_through_all_layers() {
    let probe = Probe::failing(2);
    let layers = (
        BreakerLayer::new(breaker()),
        (
            RetryLayer::new(RETRY),
            (LimitLayer::new(Limiter::with_limit(1)), TimeoutLayer::new(Timeout::total(seconds(9)))),
        ),
    );
    let mut service = layers.layer(probe.view());
    assert_eq!(send(&mut service).await, Ok(3));
    let mut clone = service.clone();
    assert_eq!((send(&mut clone).await, send(&mut service).await), (Ok(4), Ok(5)));

    let probe = Probe::failing(2);
    let mut service = PipelineLayer::new(&pipeline(PLAIN.attempts(3))).layer(probe.view());
    assert_eq!((send(&mut service).await, send(&mut service.clone()).await), (Ok(3), Ok(4)));
}

/// 362: only the first attempt was preceded by readiness.
#[tokio::test(start_paused = true)]
async fn issue_362_every_attempt_is_preceded_by_readiness() {
    let probe = Probe::failing(2);
    send(&mut RetryLayer::new(RETRY).layer(probe.view())).await.unwrap();
    assert_eq!((probe.calls(), probe.asked()), (3, 3));
}

struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// 365: readiness reserved nothing, so that clones went beyond the limit; who waited woke itself for ever; a future that was
/// dropped kept its place.
#[tokio::test(start_paused = true)]
async fn issue_365_clones_share_the_limit_waiters_sleep_and_dropped_futures_give_it_back() {
    let (probe, limiter) = (Probe::slow(seconds(1)), Limiter::with_limit(2));
    let first = LimitLayer::new(limiter.clone()).layer(probe.view());
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let mut clone = first.clone();
        tasks.spawn(async move { send(&mut clone).await });
    }
    settle().await;
    assert_eq!((probe.running(), probe.peak()), (2, 2));

    let woken = Arc::new(Woken(AtomicU32::new(0)));
    let waker = Waker::from(woken.clone());
    let mut waiting = first.clone();
    let polled = Service::<u32>::poll_ready(&mut waiting, &mut Context::from_waker(&waker));
    assert!(matches!(polled, Poll::Pending));
    settle().await;
    assert_eq!(woken.0.load(Ordering::Relaxed), 0, "it sleeps while there is nothing");
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}
    settle().await;
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    ready(&mut waiting).await.unwrap();
    drop(waiting);
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (0, 0));
}

/// 368: what several changed at once was loaded, computed and stored, and one change undid the other; a wrong option
/// panicked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issue_368_calls_and_options_that_change_at_once_lose_nothing() {
    const CALLS: u32 = 3_000;
    let many = BreakerOptions::new().failure_threshold(1_000_000);
    let bank = pipeline(PLAIN.breaker(many.clone()).max_concurrency(1));
    let layer = PipelineLayer::new(&bank);
    let calls = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                runtime.block_on(async {
                    for _ in 0..CALLS {
                        let mut service = layer.layer(Probe::failing(1));
                        assert_eq!(send(&mut service).await, Err(CallError::Inner("down")));
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                });
            });
        }
        let mut limit = 1;
        while calls.load(Ordering::Relaxed) < 2 * CALLS {
            limit = limit % 3 + 1;
            bank.reconfigure(&PLAIN.breaker(many.clone()).max_concurrency(limit)).unwrap();
        }
    });
    let stats = bank.stats();
    assert_eq!((stats.breaker.failures_in_a_row, stats.limiter.in_use), (2 * CALLS, 0));
}

/// 381: a breaker that was open waited for the readiness of what it protects from.
#[tokio::test(start_paused = true)]
async fn issue_381_an_open_breaker_refuses_though_the_inner_service_hangs() {
    let probe = Probe::new([]);
    probe.set_busy(true);
    let bank = breaker();
    bank.force_open();
    let mut service = BreakerLayer::new(bank).layer(probe.view());
    assert!(matches!(send(&mut service).await, Err(CallError::Open { .. })));
    let bank = pipeline(PLAIN.breaker(BREAKER));
    bank.breaker().force_open();
    let mut service = PipelineLayer::new(&bank).layer(probe.view());
    assert!(matches!(send(&mut service).await, Err(CallError::Open { .. })));
    assert_eq!(probe.asked(), 0);
}

/// 382: clones went beyond the probes, and a dropped one was lost or counted.
#[tokio::test(start_paused = true)]
async fn issue_382_clones_share_the_probes_and_a_dropped_one_is_neither_lost_nor_counted() {
    let options = BREAKER.probes(2).successes(2);
    let bank = pipeline(PLAIN.breaker(options));
    let alone = bank.breaker().clone();
    (0..3).for_each(|_| alone.try_acquire().unwrap().failure());
    advance(seconds(10)).await;
    let probe = Probe::slow(seconds(1));
    let breaking = BreakerLayer::new(alone.clone()).layer(probe.view());
    let piped = PipelineLayer::judged(&bank, dayfly_resilience::OnErrors).layer(probe.view());
    let mut tasks = JoinSet::new();
    for _ in 0..5 {
        let (mut one, mut other) = (breaking.clone(), piped.clone());
        tasks.spawn(async move { send(&mut one).await.is_ok() });
        tasks.spawn(async move { send(&mut other).await.is_ok() });
    }
    settle().await;
    assert_eq!((probe.running(), probe.peak()), (2, 2));
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}
    assert_eq!((alone.state(), alone.stats().openings), (BreakerState::HalfOpen, 1));
    assert_eq!((send(&mut breaking.clone()).await, send(&mut piped.clone()).await), (Ok(0), Ok(0)));
    assert_eq!(alone.state(), BreakerState::Closed);
}
