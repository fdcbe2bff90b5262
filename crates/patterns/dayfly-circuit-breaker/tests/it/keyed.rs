//! A breaker for each key, and how many of them are kept.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{
    BreakerOptions, BreakerState, CircuitBreaker, KeyedBreaker, KeyedBreakerOptions,
};
use dayfly_signal::SignalSink;
use tokio::time::advance;

const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(1).open_for(Duration::from_secs(30));
const KEPT: KeyedBreakerOptions = KeyedBreakerOptions::new().breaker(CARE).max_keys(4);

#[tokio::test(start_paused = true)]
async fn a_key_that_fails_opens_its_own_breaker_only() {
    let signals = SignalSink::default();
    let hosts = KeyedBreaker::<String>::new("hosts", KEPT, &signals);
    hosts.call("a", async { Err::<(), _>("down") }).await.unwrap_err();
    assert_eq!(hosts.breaker("a").state(), BreakerState::Open);
    assert_eq!(hosts.call("b", async { Ok::<_, ()>(1) }).await, Ok(1));
    let raised = signals.state("circuit.open.hosts");
    assert_eq!(raised.len(), 1);
    assert_eq!(raised[0].key(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn no_more_keys_are_kept_than_there_is_room_for() {
    let hosts = KeyedBreaker::<u64>::new("hosts", KEPT, &SignalSink::default());
    for key in 0..100_000 {
        hosts.breaker(&key);
        assert!(hosts.len() <= 4);
    }
    assert_eq!(hosts.displaced(), 0);
    // The last four are there: they keep what they know.
    hosts.breaker(&99_996).try_acquire().unwrap().failure();
    assert_eq!(hosts.breaker(&99_996).state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_passed_over_while_there_are_others() {
    let hosts = KeyedBreaker::<u64>::new("hosts", KEPT, &SignalSink::default());
    hosts.breaker(&0).try_acquire().unwrap().failure();
    let held = hosts.breaker(&1);
    for key in 2..1_000 {
        hosts.breaker(&key);
    }
    assert_eq!((hosts.breaker(&0).state(), hosts.displaced()), (BreakerState::Open, 0));
    held.try_acquire().unwrap().failure();
    assert_eq!(hosts.breaker(&1).state(), BreakerState::Open, "it is the same one");
}

/// However many of them there are, and though nobody has asked for them for longest.
#[tokio::test(start_paused = true)]
async fn no_open_breaker_goes_while_one_may_that_is_closed() {
    let signals = SignalSink::default();
    let hosts = KeyedBreaker::<u64>::new("hosts", KEPT.max_keys(50), &signals);
    for key in 0..49 {
        hosts.breaker(&key).try_acquire().unwrap().failure();
    }
    hosts.breaker(&49);
    for key in 50..1_000 {
        hosts.breaker(&key);
        assert!(hosts.len() <= 50);
    }
    assert_eq!((hosts.displaced(), signals.state("circuit.open.*").len()), (0, 49));
    assert!((0..49).all(|key| hosts.breaker(&key).state() == BreakerState::Open));
}

#[tokio::test(start_paused = true)]
async fn who_is_closed_again_makes_room_again() {
    let options = KEPT.max_keys(20).without_time_to_idle();
    let hosts = KeyedBreaker::<u64>::new("hosts", options, &SignalSink::default());
    let held: Vec<_> = (0..20).map(|key| hosts.breaker(&key)).collect();
    for host in &held {
        host.try_acquire().unwrap().failure();
    }
    hosts.breaker(&20);
    assert_eq!((hosts.len(), hosts.displaced()), (20, 1));
    held.iter().for_each(CircuitBreaker::reset);
    drop(held);
    for key in 21..100 {
        hosts.breaker(&key);
    }
    assert_eq!((hosts.len(), hosts.displaced()), (20, 1));
}

/// What a hand has said stays; a half-open breaker that nobody comes to probe does not stay for good.
#[tokio::test(start_paused = true)]
async fn an_idle_breaker_that_is_half_open_goes_and_one_that_is_open_stays() {
    let options = KEPT.max_keys(1_000).time_to_idle(Duration::from_secs(60));
    let hosts = KeyedBreaker::<u64>::new("hosts", options, &SignalSink::default());
    for key in 0..20 {
        hosts.breaker(&key).try_acquire().unwrap().failure();
    }
    hosts.breaker(&20).force_open();
    hosts.breaker(&21).force_closed();
    hosts.breaker(&22).reconfigure(&CARE.open_for(Duration::from_secs(3_600))).unwrap();
    hosts.breaker(&22).try_acquire().unwrap().failure();
    advance(Duration::from_secs(61)).await;
    for key in 100..200 {
        hosts.breaker(&key);
    }
    assert_eq!((hosts.len(), hosts.displaced()), (103, 0));
    let states = [20, 21, 22].map(|key| hosts.breaker(&key).state());
    assert_eq!(states, [BreakerState::ForcedOpen, BreakerState::ForcedClosed, BreakerState::Open]);
}

#[tokio::test(start_paused = true)]
async fn when_all_are_open_the_oldest_makes_room_and_is_counted() {
    let signals = SignalSink::default();
    let hosts = KeyedBreaker::<u64>::new("hosts", KEPT, &signals);
    for key in 0..10 {
        hosts.breaker(&key).try_acquire().unwrap().failure();
    }
    assert_eq!((hosts.len(), hosts.displaced()), (4, 6));
    assert_eq!(signals.state("circuit.open.*").len(), 4, "who goes lets its signal go");
}

#[tokio::test(start_paused = true)]
async fn idle_keys_go_when_others_come() {
    let options = KEPT.max_keys(1_000).time_to_idle(Duration::from_secs(60));
    let hosts = KeyedBreaker::<u64>::new("hosts", options, &SignalSink::default());
    for key in 0..100 {
        hosts.breaker(&key);
    }
    advance(Duration::from_secs(60)).await;
    for key in 100..150 {
        hosts.breaker(&key);
    }
    assert_eq!(hosts.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_key_begins_anew() {
    let hosts = KeyedBreaker::<u64>::new("hosts", KEPT, &SignalSink::default());
    hosts.breaker(&1).try_acquire().unwrap().failure();
    assert!(hosts.forget(&1) && !hosts.forget(&1));
    assert_eq!(hosts.breaker(&1).state(), BreakerState::Closed);
}
