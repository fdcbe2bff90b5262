//! What is given instead.

use std::future::{pending, ready};

use dayfly::Reconfigure;
use dayfly_resilience::{CallError, Fallback, Scope};

use crate::support::{BREAKER, PLAIN, pipeline, seconds};

#[tokio::test(start_paused = true)]
async fn a_fallback_covers_failures_refusals_and_attempts_that_took_too_long() {
    let options = PLAIN.breaker(BREAKER).max_concurrency(1).max_wait(seconds(0)).attempt_timeout(seconds(1));
    let bank = pipeline(options);
    let zero = Fallback::value(0);
    assert_eq!(bank.call_with(&zero, |_| ready(Err("down"))).await, Ok(0));
    assert_eq!(bank.call_with(&zero, |_| pending()).await, Ok(0));
    let mut busy = Box::pin(bank.call(|_| pending::<Result<u32, _>>()));
    assert!(futures_util::poll!(busy.as_mut()).is_pending());
    assert_eq!(bank.call_with(&zero, |_| ready(Ok(1))).await, Ok(0), "there is no place");
    drop(busy);
    bank.breaker().force_open();
    assert_eq!(bank.call_with(&zero, |_| ready(Ok(1))).await, Ok(0), "the circuit is open");
    bank.breaker().reset();
    assert_eq!(bank.call_with(&zero, |_| ready(Ok(1))).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn the_total_timeout_stands_around_the_fallback_unless_that_is_put_around_the_call() {
    let bank = pipeline(PLAIN.total_timeout(seconds(1)));
    let zero = Fallback::value(0);
    let late = CallError::TimedOut { after: seconds(1), scope: Scope::Total };
    assert_eq!(bank.call_with(&zero, |_| pending()).await, Err(late));
    assert_eq!(zero.call(bank.call(|_| pending())).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_sees_the_last_error_once_and_may_let_it_pass() {
    let bank = pipeline(PLAIN.attempts(3));
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let own = seen.clone();
    let fallback = Fallback::new(move |error| {
        own.lock().unwrap().push(error);
        if error == CallError::Inner("denied") { Err(error) } else { Ok(0) }
    });
    assert_eq!(bank.call_with(&fallback, |_| ready(Err("down"))).await, Ok(0));
    let denied = bank.call_with(&fallback.clone(), |_| ready(Err("denied"))).await;
    assert_eq!(denied, Err(CallError::Inner("denied")));
    assert_eq!(*seen.lock().unwrap(), [CallError::Inner("down"), CallError::Inner("denied")]);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_can_be_switched_off_and_on() {
    let bank = pipeline(PLAIN.without_fallback());
    let zero = Fallback::value(0);
    assert_eq!(bank.call_with(&zero, |_| ready(Err("down"))).await, Err(CallError::Inner("down")));
    bank.reconfigure(&PLAIN.fallback()).unwrap();
    assert_eq!(bank.call_with(&zero, |_| ready(Err("down"))).await, Ok(0));
    bank.reconfigure(&PLAIN.without_fallback()).unwrap();
    assert!(bank.call_with(&zero, |_| ready(Err("down"))).await.is_err());
}
