//! All policies around a service.

use dayfly::Reconfigure;
use dayfly_circuit_breaker::BreakerState;
use dayfly_resilience::{CallError, OnErrors, PipelineLayer, PipelineOptions, Scope};
use dayfly_retry::Verdict;
use dayfly_testing::settle;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, timeout};
use tower_layer::Layer;
use tower_service::Service;

use super::probe::{Probe, ready, send};
use crate::support::{BREAKER, PLAIN, pipeline, seconds, succeed};

const ALL: PipelineOptions = PLAIN
    .attempts(3)
    .breaker(BREAKER)
    .max_concurrency(2)
    .attempt_timeout(seconds(2))
    .total_timeout(seconds(60));

#[tokio::test(start_paused = true)]
async fn a_service_has_all_policies_of_its_pipeline() {
    let bank = pipeline(ALL);
    let probe = Probe::new([(seconds(0), Err("down")), (seconds(9), Ok(0))]);
    let mut service = PipelineLayer::new(&bank).layer(probe.view());
    let start = Instant::now();
    assert_eq!(send(&mut service).await, Ok(3));
    assert_eq!((probe.calls(), probe.asked(), start.elapsed()), (3, 3, seconds(1 + 2 + 1)));
    assert_eq!((bank.breaker().stats().failures_in_a_row, bank.stats().limiter.in_use), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_asks_nothing_of_the_inner_service_and_is_waited_for() {
    let bank = pipeline(ALL.without_total_timeout());
    let probe = Probe::new([]);
    let mut service = PipelineLayer::new(&bank).layer(probe.view());
    (0..3).for_each(|_| bank.breaker().try_acquire().unwrap().failure());
    ready(&mut service).await.unwrap();
    assert_eq!(probe.asked(), 0);
    let start = Instant::now();
    assert_eq!(service.call(1).await, Ok(1));
    assert_eq!(
        (start.elapsed(), probe.asked(), bank.breaker().state()),
        (seconds(10), 1, BreakerState::Closed)
    );
}

#[tokio::test(start_paused = true)]
async fn calls_and_services_of_a_pipeline_share_its_policies() {
    let bank = pipeline(PLAIN.breaker(BREAKER));
    let mut service = PipelineLayer::new(&bank).layer(Probe::failing(3));
    for _ in 0..3 {
        assert_eq!(send(&mut service).await, Err(CallError::Inner("down")));
    }
    assert_eq!(succeed(&bank).await, Err(CallError::Open { retry_after: seconds(10) }));
    bank.reconfigure(&PLAIN).unwrap();
    assert_eq!(send(&mut service).await, Ok(4));
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_for_all_services_and_the_wait_for_a_place_is_bounded() {
    let bank = pipeline(PLAIN.max_concurrency(2).max_wait(seconds(3)));
    let probe = Probe::slow(seconds(2));
    let layer = PipelineLayer::judged(&bank, OnErrors);
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let mut service = layer.layer(probe.view());
        tasks.spawn(async move { send(&mut service).await });
    }
    let ended = tasks.join_all().await;
    let refused =
        ended.iter().filter(|ended| **ended == Err(CallError::Refused { after: seconds(3) })).count();
    assert_eq!((refused, probe.calls(), probe.peak(), bank.stats().limiter.in_use), (2, 4, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_judge_sees_responses_and_what_is_given_up_is_the_last_response() {
    let bank = pipeline(PLAIN.attempts(2).breaker(BREAKER));
    let judge = |result: &Result<u32, &str>| Verdict::from(*result == Ok(503) || result.is_err());
    let layer = PipelineLayer::judged(&bank, judge);
    let probe = Probe::new([(seconds(0), Ok(503)), (seconds(0), Ok(503)), (seconds(0), Ok(200))]);
    let mut service = layer.layer(probe.view());
    assert_eq!(send(&mut service).await, Ok(503));
    assert_eq!(bank.breaker().stats().failures_in_a_row, 2);
    assert_eq!(send(&mut service).await, Ok(200));
    assert_eq!(bank.breaker().stats().failures_in_a_row, 0, "a response that is fine is a success");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_twice_is_sent_once() {
    let bank = pipeline(ALL);
    let once = PipelineLayer::new(&bank).repeat_with(|_: &u32| None);
    let probe = Probe::failing(1);
    assert_eq!(send(&mut once.layer(probe.view())).await, Err(CallError::Inner("down")));
    let late = CallError::TimedOut { after: seconds(2), scope: Scope::Attempt };
    assert_eq!(send(&mut once.layer(Probe::slow(seconds(9)))).await, Err(late));
    // One that was refused has not been sent.
    bank.breaker().reset();
    (0..3).for_each(|_| bank.breaker().try_acquire().unwrap().failure());
    assert_eq!(send(&mut once.layer(Probe::new([]))).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn an_inner_service_that_breaks_down_is_an_error_and_the_end() {
    let bank = pipeline(ALL);
    let probe = Probe::failing(1);
    let mut service = PipelineLayer::new(&bank).layer(probe.view());
    ready(&mut service).await.unwrap();
    let response = service.call(1);
    probe.break_down();
    assert_eq!(response.await, Err(CallError::Inner("broken")));
    assert_eq!((probe.calls(), bank.breaker().stats().failures_in_a_row), (1, 2));
    assert_eq!(ready(&mut service).await, Err(CallError::Inner("broken")));
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_dropped_gives_its_place_and_its_probe_back() {
    let bank = pipeline(PLAIN.breaker(BREAKER).max_concurrency(1));
    (0..3).for_each(|_| bank.breaker().try_acquire().unwrap().failure());
    advance(seconds(10)).await;
    let layer = PipelineLayer::new(&bank);
    let mut service = layer.layer(Probe::slow(seconds(1)));
    ready(&mut service).await.unwrap();
    let mut response = service.call(1);
    assert!(futures_util::poll!(&mut response).is_pending());
    assert_eq!(bank.stats().limiter.in_use, 1);
    drop(response);
    assert_eq!((bank.stats().limiter.in_use, succeed(&bank).await), (0, Ok(())));
}

#[test]
fn layers_and_services_can_be_shared_as_axum_wants_it() {
    fn shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>(value: &T) {
        assert!(!format!("{value:?}").is_empty());
    }
    use dayfly_circuit_breaker::CircuitBreaker;
    use dayfly_limit::Limiter;
    use dayfly_resilience::{BreakerLayer, LimitLayer, RetryLayer, Timeout, TimeoutLayer};
    use dayfly_retry::RetryOptions;
    let breaker = CircuitBreaker::new("bank", BREAKER, &dayfly_signal::SignalSink::default());
    shared(&BreakerLayer::new(breaker.clone()));
    shared(&BreakerLayer::new(breaker).layer(Probe::new([])));
    shared(&LimitLayer::new(Limiter::with_limit(1)));
    shared(&LimitLayer::new(Limiter::with_limit(1)).layer(Probe::new([])));
    shared(&RetryLayer::new(RetryOptions::new()));
    shared(&RetryLayer::new(RetryOptions::new()).layer(Probe::new([])));
    shared(&TimeoutLayer::new(Timeout::total(seconds(1))));
    shared(&TimeoutLayer::new(Timeout::total(seconds(1))).layer(Probe::new([])));
    shared(&PipelineLayer::new(&pipeline(ALL)));
    shared(&PipelineLayer::new(&pipeline(ALL)).layer(Probe::new([])));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_inner_service_is_woken_when_the_breaker_opens() {
    let bank = pipeline(PLAIN.breaker(BREAKER));
    let probe = Probe::new([]);
    probe.set_busy(true);
    let mut service = PipelineLayer::judged(&bank, OnErrors).layer(probe.view());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { send(&mut service).await });
    settle().await;
    bank.breaker().force_open();
    let ended = timeout(seconds(60), tasks.join_next()).await.unwrap().unwrap().unwrap();
    assert_eq!((ended, probe.calls()), (Err(CallError::Open { retry_after: seconds(10) }), 0));
}
