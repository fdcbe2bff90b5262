//! A retry around a service.

use dayfly::Reconfigure;
use dayfly_resilience::{OnErrors, RetryLayer};
use dayfly_retry::{Backoff, RetryBudget, RetryBudgetOptions, RetryOptions, Verdict};
use dayfly_signal::SignalSink;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use super::probe::{Probe, ready, send};
use crate::support::seconds;

const PLAIN: RetryOptions = RetryOptions::new().attempts(3).backoff(Backoff::constant(seconds(1)));

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_and_made_ready_before_each_attempt() {
    let probe = Probe::failing(2);
    let mut service = RetryLayer::new(PLAIN).layer(probe.view());
    let start = Instant::now();
    assert_eq!(send(&mut service).await, Ok(3));
    assert_eq!((probe.calls(), probe.asked(), start.elapsed()), (3, 3, seconds(2)));
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_ends_as_its_last_attempt_did() {
    let probe = Probe::failing(9);
    let mut service = RetryLayer::new(PLAIN).layer(probe.view());
    assert_eq!(send(&mut service).await, Err("down"));
    assert_eq!(probe.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_until_the_inner_service_is_ready_and_a_broken_one_ends_it() {
    let probe = Probe::failing(1);
    let mut service = RetryLayer::new(PLAIN).layer(probe.view());
    ready(&mut service).await.unwrap();
    let mut response = Box::pin(service.call(1));
    assert!(futures_util::poll!(response.as_mut()).is_pending());
    probe.set_busy(true);
    tokio::time::sleep(seconds(5)).await;
    assert!(futures_util::poll!(response.as_mut()).is_pending());
    assert_eq!(probe.calls(), 1, "it is not called before it is ready");
    probe.set_busy(false);
    assert_eq!(response.await, Ok(2));

    let probe = Probe::failing(2);
    let mut service = RetryLayer::new(PLAIN).layer(probe.view());
    ready(&mut service).await.unwrap();
    let response = service.call(1);
    probe.break_down();
    assert_eq!(response.await, Err("broken"));
    assert_eq!(probe.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_judge_sees_responses_and_a_request_may_be_sent_only_once() {
    let judge = |result: &Result<u32, &str>| match result {
        Ok(503) => Verdict::RetryAfter(seconds(7)),
        _ => Verdict::Stop,
    };
    let start = Instant::now();
    let script = [(seconds(0), Ok(503)), (seconds(0), Err("mine"))];
    let mut service = RetryLayer::judged(PLAIN, judge).layer(Probe::new(script));
    assert_eq!(send(&mut service).await, Err("mine"));
    assert_eq!(start.elapsed(), seconds(7));

    let probe = Probe::failing(2);
    let once = RetryLayer::judged(PLAIN, OnErrors).repeat_with(|_: &u32| None);
    assert_eq!(send(&mut once.layer(probe.view())).await, Err("down"));
    assert_eq!(probe.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn services_of_a_layer_share_a_budget_a_name_and_options_that_change() {
    let signals = SignalSink::default();
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(0.5).min_per_second(0));
    let layer = RetryLayer::new(PLAIN).budget(&budget).named("bank", &signals);
    let again = signals.counter("retry.attempt.bank", seconds(3_600));
    let probe = Probe::failing(100);
    let (mut one, mut other) = (layer.layer(probe.view()), layer.layer(probe.view()));
    for _ in 0..2 {
        send(&mut one).await.unwrap_err();
        send(&mut other).await.unwrap_err();
    }
    assert_eq!((probe.calls(), again.count()), (4 + 2, 2));
    layer.reconfigure(&PLAIN.attempts(1)).unwrap();
    assert!(layer.check(&PLAIN).is_ok());
    send(&mut one).await.unwrap_err();
    assert_eq!(probe.calls(), 7);
}

#[cfg(feature = "metrics")]
#[test]
fn each_request_that_is_sent_is_an_attempt_that_is_counted() {
    let figures = dayfly_testing::Figures::new();
    figures.of(|| {
        dayfly_testing::paused(async {
            let layer = RetryLayer::new(PLAIN).named("layer", &SignalSink::default());
            send(&mut layer.layer(Probe::failing(2).view())).await.unwrap();
            send(&mut layer.layer(Probe::failing(9).view())).await.unwrap_err();
        });
    });
    let attempts =
        |outcome: &str| figures.count(&format!("dayfly.retry.attempts{{retry=layer,outcome={outcome}}}"));
    assert_eq!(["succeeded", "retried", "attempts_exhausted"].map(attempts), [1, 4, 1]);
}
