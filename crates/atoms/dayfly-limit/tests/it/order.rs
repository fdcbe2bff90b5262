//! Who comes first.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly_limit::{Limiter, LimiterOptions, Permit, Priority, Request};
use dayfly_testing::settle;
use futures_util::poll;
use tokio::runtime::Handle;
use tokio::time::advance;

type Log = Arc<Mutex<Vec<u32>>>;

const HIGH: Request = Request::new().priority(Priority::High);
const LOW: Request = Request::new().priority(Priority::Low);

/// A task that waits, notes when it is served, and gives back what it got.
fn waits(limiter: &Limiter, log: &Log, number: u32, request: Request) {
    let (limiter, log) = (limiter.clone(), log.clone());
    Handle::current().spawn(async move {
        let permit: Permit = limiter.acquire_with(request).await.unwrap();
        log.lock().unwrap().push(number);
        tokio::task::yield_now().await;
        drop(permit);
    });
}

async fn order(log: &Log) -> Vec<u32> {
    settle().await;
    log.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served() {
    let (limiter, log) = (Limiter::with_limit(1), Log::default());
    let held = limiter.acquire().await.unwrap();
    for number in 0..20 {
        waits(&limiter, &log, number, Request::new());
    }
    settle().await;
    drop(held);
    assert_eq!(order(&log).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_slip_in_before_who_was_woken() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let mut first = Box::pin(limiter.acquire());
    assert!(poll!(&mut first).is_pending());
    drop(held);
    assert!(limiter.try_acquire().is_err());
    let mut newcomer = Box::pin(limiter.acquire());
    assert!(poll!(&mut newcomer).is_pending());
    assert!(poll!(&mut first).is_ready());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_yet_is_not_overtaken() {
    let limiter = Limiter::with_limit(3);
    let mut held = limiter.acquire_many(3).await.unwrap();
    let mut large = Box::pin(limiter.acquire_many(3));
    let mut small = Box::pin(limiter.acquire());
    assert!(poll!(&mut large).is_pending() && poll!(&mut small).is_pending());
    drop(held.split(2));
    assert!(poll!(&mut small).is_pending() && limiter.try_acquire().is_err());
    drop(held);
    let large = large.await.unwrap();
    assert!(poll!(&mut small).is_pending());
    drop(large);
    assert!(poll!(&mut small).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_large_request_that_gives_up_lets_those_behind_it_go() {
    let limiter = Limiter::with_limit(3);
    let _held = limiter.acquire().await.unwrap();
    let mut large = Box::pin(limiter.acquire_many(3));
    let mut small: Vec<_> = (0..2).map(|_| Box::pin(limiter.acquire())).collect();
    assert!(poll!(&mut large).is_pending());
    for future in &mut small {
        assert!(poll!(future).is_pending());
    }
    drop(large);
    for future in &mut small {
        assert!(poll!(future).is_ready());
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_woken_and_gives_up_passes_it_on() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let mut first = Box::pin(limiter.acquire());
    let mut second = Box::pin(limiter.acquire());
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    drop(held);
    drop(first);
    assert!(poll!(&mut second).is_ready());
}

#[tokio::test(start_paused = true)]
async fn the_higher_class_first_and_within_a_class_first_come_first_served() {
    let (limiter, log) = (Limiter::with_limit(1), Log::default());
    let held = limiter.acquire().await.unwrap();
    for (number, request) in
        [(0, LOW), (1, Request::new()), (2, HIGH), (3, LOW), (4, Request::new()), (5, HIGH)]
    {
        waits(&limiter, &log, number, request);
    }
    settle().await;
    drop(held);
    assert_eq!(order(&log).await, [2, 5, 1, 4, 0, 3]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_overtaken_by_who_comes_later_than_age_after() {
    let options = LimiterOptions::new().limit(1).age_after(Duration::from_secs(1));
    let (limiter, log) = (Limiter::new(options), Log::default());
    let held = limiter.acquire().await.unwrap();
    waits(&limiter, &log, 0, LOW);
    settle().await;
    advance(Duration::from_millis(1_999)).await;
    waits(&limiter, &log, 1, HIGH);
    settle().await;
    advance(Duration::from_millis(2)).await;
    waits(&limiter, &log, 2, HIGH);
    settle().await;
    drop(held);
    assert_eq!(order(&log).await, [1, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn without_ageing_the_class_decides() {
    let options = LimiterOptions::new().limit(1).without_age_after();
    let (limiter, log) = (Limiter::new(options), Log::default());
    let held = limiter.acquire().await.unwrap();
    waits(&limiter, &log, 0, LOW);
    settle().await;
    advance(Duration::from_secs(3_600)).await;
    waits(&limiter, &log, 1, HIGH);
    settle().await;
    drop(held);
    assert_eq!(order(&log).await, [1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_steady_stream_of_urgent_work_starves_nobody() {
    let (limiter, log) = (Limiter::with_limit(1), Log::default());
    let held = limiter.acquire().await.unwrap();
    waits(&limiter, &log, 0, LOW);
    settle().await;
    // One more of the high class every 100 ms, each of which takes 100 ms: there is always one that waits.
    let mut current = Some(held);
    for number in 1..=40 {
        let mut urgent = Box::pin(limiter.acquire_with(HIGH));
        assert!(poll!(&mut urgent).is_pending());
        advance(Duration::from_millis(100)).await;
        drop(current.take());
        if log.lock().unwrap().is_empty() {
            settle().await;
        }
        if !log.lock().unwrap().is_empty() {
            assert!((20..=22).contains(&number), "served after {number}");
            return;
        }
        current = Some(urgent.await.unwrap());
    }
    panic!("it starves");
}

#[tokio::test(start_paused = true)]
async fn who_asks_without_waiting_passes_only_lower_classes() {
    let limiter = Limiter::with_limit(2);
    let held = limiter.acquire().await.unwrap();
    let mut large = Box::pin(limiter.acquire_many(2));
    assert!(poll!(&mut large).is_pending());
    assert!(limiter.try_acquire().is_err());
    let urgent = limiter.try_acquire_with(HIGH).unwrap();
    assert!(limiter.try_acquire_with(HIGH).is_err(), "nothing is free");
    drop((held, urgent));
    assert!(poll!(&mut large).is_ready());
    assert_eq!(limiter.stats().waiting, 0);
}
