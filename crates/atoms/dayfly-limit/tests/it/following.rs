//! Limiters that follow their options, and what can be sent and shared.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_limit::{
    KeyGuard, KeyedLimiter, KeyedLimiterOptions, KeyedLock, KeyedPermit, Limiter, LimiterOptions, Permit,
    Priority, Request,
};
use futures_util::poll;

#[tokio::test(start_paused = true)]
async fn a_limiter_follows_all_of_its_options() {
    let limiter = Limiter::with_limit(1);
    let _held = limiter.acquire().await.unwrap();
    let mut second = Box::pin(limiter.acquire());
    assert!(poll!(&mut second).is_pending());
    let options = LimiterOptions::new().limit(2);
    assert_eq!(limiter.check(&options), Ok(()));
    assert!(poll!(&mut second).is_pending(), "checking changes nothing");
    limiter.reconfigure(&options).unwrap();
    let second = second.await.unwrap();
    // Places that were taken before stay what they are.
    let mut low = Box::pin(limiter.acquire_with(Request::new().priority(Priority::Low)));
    assert!(poll!(&mut low).is_pending());
    limiter.reconfigure(&options.clone().allow_zero().without_age_after()).unwrap();
    limiter.set_limit(0).unwrap();
    limiter.reconfigure(&options.claim_within(Duration::from_secs(1))).unwrap();
    drop(second);
    assert!(poll!(&mut low).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_keyed_limiter_follows_all_of_its_options() {
    let limiter = KeyedLimiter::new(KeyedLimiterOptions::new().max_keys(1));
    let _held = limiter.acquire(1).await.unwrap();
    let mut second = Box::pin(limiter.acquire(1));
    assert!(poll!(&mut second).is_pending() && limiter.try_acquire(2).is_err());
    limiter.reconfigure(&KeyedLimiterOptions::new().limit_per_key(2)).unwrap();
    assert!(poll!(&mut second).is_ready() && limiter.try_acquire(2).is_ok());
}

fn everywhere<T: Clone + Send + Sync + 'static>() {}
fn sent<T: Send + Sync + 'static>() {}

#[test]
fn handles_and_guards_go_anywhere() {
    everywhere::<Limiter>();
    everywhere::<KeyedLimiter<String>>();
    everywhere::<KeyedLock<String>>();
    sent::<Permit>();
    sent::<KeyedPermit<std::cell::Cell<u8>>>();
    sent::<KeyGuard<String>>();
    let debug = format!("{:?} {:?}", Limiter::with_limit(3), KeyedLock::<u8>::new());
    assert_eq!(
        debug,
        "Limiter { limit: 3, in_use: 0, waiting: 0, is_closed: false } KeyedLock { len: 0, holders: 0 }"
    );
}
