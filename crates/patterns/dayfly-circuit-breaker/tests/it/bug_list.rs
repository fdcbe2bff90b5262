//! What has gone wrong in others' breakers, tried on this one.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CallError, CircuitBreaker, OwnedPermit};
use dayfly_signal::SignalSink;
use dayfly_testing::settle;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{advance, sleep};

const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(1).open_for(Duration::from_secs(1));

async fn half_open(options: BreakerOptions) -> CircuitBreaker {
    let bank = CircuitBreaker::new("bank", options, &SignalSink::default());
    bank.try_acquire().unwrap().failure();
    advance(Duration::from_secs(1)).await;
    bank
}

/// Ready to be called once it was made ready; a clone has to be made ready anew.
struct Service<'a> {
    is_ready: bool,
    calls: &'a Cell<u32>,
}

impl Clone for Service<'_> {
    fn clone(&self) -> Self {
        Self { is_ready: false, calls: self.calls }
    }
}

impl Service<'_> {
    fn call(&mut self) -> Ready<Result<u32, ()>> {
        assert!(std::mem::take(&mut self.is_ready), "it was not made ready");
        self.calls.set(self.calls.get() + 1);
        ready(Ok(self.calls.get()))
    }
}

/// tower-resilience 286: a clone was called that nobody had made ready. Here what is called is what the caller gives, and
/// a permit comes first, so that a refusal uses nobody's readiness up.
#[tokio::test(start_paused = true)]
async fn issue_286_what_was_made_ready_is_what_is_called() {
    let calls = Cell::new(0);
    let mut service = Service { is_ready: true, calls: &calls };
    let bank = CircuitBreaker::new("bank", CARE, &SignalSink::default());
    assert_eq!(bank.call(service.call()).await, Ok(1));

    service.is_ready = true;
    bank.force_open();
    assert!(bank.try_acquire().is_err());
    let refused = bank.call(async { service.call().await }).await;
    assert!(matches!(refused, Err(CallError::Open { .. })));
    bank.reset();
    assert_eq!(bank.call(service.call()).await, Ok(2), "it was ready all the time");
}

/// tower-resilience 365: what was reserved got lost with a future that was dropped, between clones, or when the limit fell.
#[tokio::test(start_paused = true)]
async fn issue_365_what_is_reserved_comes_back_and_a_limit_may_fall_below_it() {
    let bank = half_open(CARE.probes(3).successes(3)).await;
    let own = bank.clone();
    // Made and never polled: nothing is reserved yet.
    let unpolled = own.call(async { Ok::<_, ()>(()) });
    let mut out: Vec<OwnedPermit> = (0..3).map(|_| bank.clone().try_acquire_owned().unwrap()).collect();
    drop(unpolled);
    assert!(bank.try_acquire().is_err(), "all three are out");

    bank.reconfigure(&CARE.probes(1).successes(3)).unwrap();
    drop(out.pop());
    drop(out.pop());
    assert!(bank.try_acquire().is_err(), "one is out, and one may be");
    drop(out.pop());
    let one = bank.try_acquire();
    assert!(one.is_ok() && bank.try_acquire().is_err(), "one at a time from now on");
}

/// tower-resilience 368: what several changed at once was changed in steps, and one change undid the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issue_368_calls_and_options_that_change_at_once_lose_nothing() {
    const CALLS: u32 = 50_000;
    let many = CARE.failure_threshold(1_000_000);
    let timed = many.clone().slow_rate(1.0).minimum_calls(u32::MAX);
    let bank = CircuitBreaker::new("bank", many.clone(), &SignalSink::default());
    let mut tasks = JoinSet::new();
    for _ in 0..2 {
        let bank = bank.clone();
        tasks.spawn(async move { (0..CALLS).for_each(|_| bank.try_acquire().unwrap().failure()) });
    }
    for _ in 0..CALLS {
        bank.reconfigure(&timed).unwrap();
        bank.reconfigure(&many).unwrap();
    }
    tasks.join_all().await;
    assert_eq!((bank.stats().failures_in_a_row, bank.state()), (2 * CALLS, BreakerState::Closed));
}

/// tower-resilience 382: clones went beyond the probes, and a dropped one was lost or counted.
#[tokio::test(start_paused = true)]
async fn issue_382_clones_share_the_probes_and_a_dropped_one_is_neither_lost_nor_counted() {
    let bank = half_open(CARE.probes(2).successes(2)).await;
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let bank = bank.clone();
        let work = async {
            sleep(Duration::from_secs(1)).await;
            Ok::<_, ()>(())
        };
        tasks.spawn(async move { bank.call(work).await.is_ok() });
    }
    settle().await;
    assert!(bank.try_acquire().is_err());
    tasks.abort_all();
    while let Some(ended) = tasks.join_next().await {
        assert!(ended.map_or_else(|error| error.is_cancelled(), |ran| !ran));
    }
    assert_eq!((bank.state(), bank.stats().openings), (BreakerState::HalfOpen, 1));
    for _ in 0..2 {
        let work = async {
            yield_now().await;
            Ok::<_, ()>(())
        };
        bank.call(work).await.unwrap();
    }
    assert_eq!(bank.state(), BreakerState::Closed);
}
