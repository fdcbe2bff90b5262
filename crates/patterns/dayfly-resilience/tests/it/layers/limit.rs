//! A limit in front of a service.

use dayfly_limit::Limiter;
use dayfly_resilience::{CallError, LimitLayer};
use tokio::task::JoinSet;
use tower_layer::Layer;
use tower_service::Service;

use super::probe::{Probe, ready, send};
use crate::support::seconds;

#[tokio::test(start_paused = true)]
async fn never_more_run_than_the_limit_says_and_all_have_their_turn() {
    let (probe, limiter) = (Probe::slow(seconds(1)), Limiter::with_limit(3));
    let layer = LimitLayer::new(limiter.clone());
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let mut service = layer.layer(probe.view());
        tasks.spawn(async move { send(&mut service).await });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert_eq!((probe.calls(), probe.peak(), limiter.stats().in_use), (20, 3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_waits_is_woken_and_one_that_is_dropped_leaves_the_line() {
    let (probe, limiter) = (Probe::slow(seconds(1)), Limiter::with_limit(1));
    let layer = LimitLayer::new(limiter.clone());
    let mut busy = layer.layer(probe.view());
    ready(&mut busy).await.unwrap();
    let response = busy.call(1);
    let (mut gone, mut next) = (layer.layer(probe.view()), layer.layer(probe.view()));
    let mut leaving = Box::pin(ready(&mut gone));
    let mut waiting = Box::pin(send(&mut next));
    assert!(futures_util::poll!(leaving.as_mut()).is_pending());
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    assert_eq!(limiter.stats().waiting, 2);
    drop(leaving);
    drop(gone);
    assert_eq!(limiter.stats().waiting, 1);
    drop(response);
    assert_eq!(waiting.await, Ok(0));
    assert_eq!(limiter.stats().in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn a_clone_has_no_permit_and_a_ready_one_that_is_dropped_gives_its_own_back() {
    let (probe, limiter) = (Probe::new([]), Limiter::with_limit(1));
    let mut service = LimitLayer::new(limiter.clone()).layer(probe.view());
    ready(&mut service).await.unwrap();
    let mut clone = service.clone();
    assert!(matches!(clone.call(1).await, Err(CallError::Refused { .. })), "nothing is run without a permit");
    drop(service);
    assert_eq!((limiter.stats().in_use, send(&mut clone).await), (0, Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn an_inner_service_that_fails_to_get_ready_or_a_limiter_that_is_closed_is_an_error() {
    let (probe, limiter) = (Probe::new([]), Limiter::with_limit(1));
    let mut service = LimitLayer::new(limiter.clone()).layer(probe.view());
    probe.break_down();
    assert_eq!(ready(&mut service).await, Err(CallError::Inner("broken")));
    assert_eq!(limiter.stats().in_use, 0, "what cannot be called keeps no place");
    drop(service);
    let mut service = LimitLayer::new(limiter.clone()).layer(Probe::new([]));
    limiter.close();
    assert_eq!(ready(&mut service).await, Err(CallError::Refused { after: seconds(0) }));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_falls_below_what_is_in_use_holds_from_the_next_on() {
    let (probe, limiter) = (Probe::slow(seconds(1)), Limiter::with_limit(3));
    let layer = LimitLayer::new(limiter.clone());
    let mut out = Vec::new();
    for _ in 0..3 {
        let mut service = layer.layer(probe.view());
        ready(&mut service).await.unwrap();
        out.push(service.call(1));
    }
    limiter.set_limit(1).unwrap();
    let mut service = layer.layer(probe.view());
    let mut waiting = Box::pin(ready(&mut service));
    for left in (0..3).rev() {
        assert!(futures_util::poll!(waiting.as_mut()).is_pending(), "{left} and one more are in use");
        drop(out.pop());
    }
    waiting.await.unwrap();
}
