//! A breaker in front of a service.

use dayfly_circuit_breaker::{BreakerState, CircuitBreaker, Judgement};
use dayfly_resilience::{BreakerLayer, CallError};
use dayfly_signal::SignalSink;
use dayfly_testing::settle;
use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio::time::{advance, timeout};
use tower_layer::Layer;
use tower_service::Service;

use super::probe::{Probe, ready, send};
use crate::support::{BREAKER, seconds, waits};

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new("bank", BREAKER, &SignalSink::default())
}

#[tokio::test(start_paused = true)]
async fn failures_open_it_and_then_nothing_is_called_until_a_probe_succeeds() {
    let (probe, bank) = (Probe::failing(3), breaker());
    let mut service = BreakerLayer::new(bank.clone()).layer(probe.view());
    for _ in 0..3 {
        assert_eq!(send(&mut service).await, Err(CallError::Inner("down")));
    }
    assert_eq!(send(&mut service).await, Err(CallError::Open { retry_after: seconds(10) }));
    assert_eq!((probe.calls(), bank.stats().refused), (3, 1));
    advance(seconds(10)).await;
    assert_eq!(send(&mut service).await, Ok(4));
    assert_eq!(bank.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_breaker_is_asked_before_the_inner_service_is() {
    let (probe, bank) = (Probe::new([]), breaker());
    let mut service = BreakerLayer::new(bank.clone()).layer(probe.view());
    probe.set_busy(true);
    bank.force_open();
    assert_eq!(send(&mut service).await, Err(CallError::Open { retry_after: seconds(10) }));
    assert_eq!((probe.asked(), probe.calls()), (0, 0), "what hangs is not even asked");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_inner_service_is_refused_when_the_breaker_opens() {
    let (probe, bank) = (Probe::new([]), breaker());
    let layer = BreakerLayer::new(bank.clone());
    let mut service = layer.layer(probe.view());
    probe.set_busy(true);
    let mut tasks = JoinSet::new();
    let mut own = service.clone();
    tasks.spawn(async move { send(&mut own).await });
    settle().await;
    bank.force_open();
    // On the paused clock the timeout comes when nothing else does.
    let ended = timeout(seconds(60), tasks.join_next()).await.unwrap().unwrap().unwrap();
    assert_eq!(ended, Err(CallError::Open { retry_after: seconds(10) }));
    // And when it closes again, the inner service counts.
    bank.reset();
    let mut waiting = Box::pin(send(&mut service));
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    probe.set_busy(false);
    assert_eq!(waiting.await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_the_last_moment_leaves_the_inner_service_ready() {
    let (probe, bank) = (Probe::new([]), breaker());
    let mut service = BreakerLayer::new(bank.clone()).layer(probe.view());
    ready(&mut service).await.unwrap();
    bank.force_open();
    assert!(matches!(service.call(1).await, Err(CallError::Open { .. })));
    bank.reset();
    // The probe would panic if it had lost its readiness.
    assert_eq!(service.call(1).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_when_it_asked_is_not_called_though_the_breaker_has_closed() {
    let (probe, bank) = (Probe::new([]), breaker());
    let mut service = BreakerLayer::new(bank.clone()).layer(probe.view());
    bank.force_open();
    ready(&mut service).await.unwrap();
    bank.reset();
    assert!(matches!(service.call(1).await, Err(CallError::Open { .. })), "nobody made the inner one ready");
    assert_eq!(send(&mut service).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn being_ready_takes_no_probe_and_a_dropped_response_gives_it_back() {
    let (probe, bank) = (Probe::slow(seconds(1)), breaker());
    let layer = BreakerLayer::new(bank.clone());
    (0..3).for_each(|_| bank.try_acquire().unwrap().failure());
    advance(seconds(10)).await;
    let [mut idle, mut first, mut second] = [(); 3].map(|()| layer.layer(probe.view()));
    for service in [&mut idle, &mut first, &mut second] {
        ready(service).await.unwrap();
    }
    let mut out = first.call(1);
    assert!(futures_util::poll!(&mut out).is_pending());
    assert!(matches!(second.call(1).await, Err(CallError::Open { .. })), "one probe at once");
    drop(out);
    assert_eq!(second.call(1).await, Ok(0));
    assert_eq!((bank.state(), probe.calls()), (BreakerState::Closed, 2));
}

#[tokio::test(start_paused = true)]
async fn a_response_may_be_a_failure_and_an_error_may_say_nothing() {
    let bank = breaker();
    let judge = |result: &Result<u32, &str>| match result {
        Ok(_) => Judgement::Failure,
        Err(_) => Judgement::Ignored,
    };
    let script =
        [(seconds(0), Err("mine")), (seconds(0), Ok(503)), (seconds(0), Ok(503)), (seconds(0), Ok(503))];
    let mut service = BreakerLayer::judged(bank.clone(), judge).layer(Probe::new(script));
    assert_eq!(send(&mut service).await, Err(CallError::Inner("mine")));
    for failures in 1..=3 {
        let state = [BreakerState::Closed, BreakerState::Open][usize::from(failures == 3)];
        assert_eq!(send(&mut service).await, Ok(503));
        assert_eq!(bank.state(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_is_a_failure_and_a_neighbour_that_does_is_not() {
    struct Bomb;
    impl Service<u32> for Bomb {
        type Response = u32;
        type Error = &'static str;
        type Future = std::pin::Pin<Box<dyn Future<Output = Result<u32, &'static str>>>>;
        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), &'static str>> {
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: u32) -> Self::Future {
            Box::pin(async { panic!("a bug") })
        }
    }
    let bank = breaker();
    let mut service = BreakerLayer::new(bank.clone()).layer(Bomb);
    let ended = std::panic::AssertUnwindSafe(service.call(1)).catch_unwind().await;
    assert!(ended.is_err());
    assert_eq!(bank.stats().failures_in_a_row, 1);
    let mut other = BreakerLayer::new(bank.clone()).layer(Probe::slow(seconds(1)));
    ready(&mut other).await.unwrap();
    let both = async { futures_util::join!(other.call(1), async { panic!("beside it") }) };
    assert!(std::panic::AssertUnwindSafe(both).catch_unwind().await.is_err());
    assert_eq!(bank.stats().failures_in_a_row, 1);
}

#[test]
fn a_breaker_whose_time_has_passed_without_a_timer_is_no_endless_question() {
    let probe = Probe::new([]);
    probe.set_busy(true);
    // Made and opened where there is no runtime: nobody half-opens it in time.
    let options = BREAKER.failure_threshold(1).open_for(std::time::Duration::from_nanos(1));
    let bank = CircuitBreaker::new("bank", options, &SignalSink::default());
    bank.try_acquire().unwrap().failure();
    let mut service = BreakerLayer::new(bank).layer(probe.view());
    assert!(waits(ready(&mut service)));
    probe.set_busy(false);
    assert!(!waits(send(&mut service)));
}
