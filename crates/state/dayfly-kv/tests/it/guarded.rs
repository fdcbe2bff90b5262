//! A store that is asked again, and one that is left alone.

use std::sync::Arc;
use std::time::Duration;

use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker};
use dayfly_kv::{
    BreakerStore, Bytes, Call, DeleteError, Fault, GetError, KeyValueStore, Precondition, Prefix, PutError,
    PutOptions, RetryStore, Scan, ScriptedStore, Store, Unavailable, WatchFrom,
};
use dayfly_retry::{Backoff, RetryBudget, RetryBudgetOptions, RetryOptions};
use dayfly_signal::SignalSink;
use tokio::time::Instant;

use crate::support::{bytes, key, scripted};

const ANY: PutOptions = PutOptions::new();
const SECOND: Duration = Duration::from_secs(1);

fn away() -> Fault {
    Fault::Fail(Unavailable::new("it is away"))
}

fn thrice() -> RetryOptions {
    RetryOptions::new().attempts(3).backoff(Backoff::constant(SECOND))
}

fn retried(store: &ScriptedStore, options: RetryOptions) -> RetryStore {
    RetryStore::new(Arc::new(store.clone()), options)
}

fn guarded(store: Arc<dyn Store>) -> BreakerStore {
    let options = BreakerOptions::new().failure_threshold(2).open_for(10 * SECOND);
    BreakerStore::new(store, CircuitBreaker::new("store", options, &SignalSink::default()))
}

#[tokio::test(start_paused = true)]
async fn whatever_was_not_done_is_asked_for_again_until_it_is_or_nothing_is_left() {
    let (scripted, memory) = scripted();
    let store = retried(&scripted, thrice());
    for call in [Call::Get, Call::Contains, Call::GetMany, Call::Put, Call::Delete, Call::Scan, Call::Watch] {
        scripted.nth(call, 1, away());
        scripted.nth(call, 2, away());
    }
    let started = Instant::now();
    store.put(&key("a"), bytes("1"), ANY.absent()).await.unwrap();
    assert_eq!(started.elapsed(), 2 * SECOND);
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, bytes("1"));
    assert!(store.contains(&key("a")).await.unwrap());
    assert_eq!(store.get_many(&[key("b"), key("a")]).await.unwrap().len(), 2);
    assert_eq!(store.scan(&Scan::all()).await.unwrap().entries.len(), 1);
    drop(store.watch(&Prefix::all(), WatchFrom::Now).await.unwrap());
    assert!(store.delete(&key("a"), Precondition::Present).await.unwrap());
    assert_eq!(
        (scripted.count(Call::Put), scripted.count(Call::Watch), memory.get_now(&key("a"))),
        (3, 3, None)
    );
    scripted.every(Call::Get, away());
    let given_up = store.get(&key("a")).await.unwrap_err();
    assert!(
        matches!(&given_up, GetError::Unavailable(why) if why.to_string() == "it is away"),
        "{given_up:?}"
    );
    assert_eq!(scripted.count(Call::Get), 3 + 3);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_or_was_answered_is_never_asked_for_again() {
    let (scripted, memory) = scripted();
    let store = retried(&scripted, thrice());
    for fault in [Fault::LoseAnswer, Fault::LoseRequest, Fault::LandAfter(0)] {
        let before = scripted.count(Call::Put);
        scripted.nth(Call::Put, 1, fault.clone());
        let lost = store.put(&key("a"), bytes("1"), ANY).await;
        assert!(matches!(lost, Err(PutError::Unknown(_))), "{fault:?}: {lost:?}");
        scripted.nth(Call::Delete, 1, fault.clone());
        let lost = store.delete(&key("a"), Precondition::Any).await;
        assert!(matches!(lost, Err(DeleteError::Unknown(_))), "{fault:?}: {lost:?}");
        assert_eq!(scripted.count(Call::Put), before + 1, "{fault:?}");
    }
    assert_eq!(scripted.count(Call::Delete), 3);
    // What was on its way lands before the next call.
    store.get(&key("a")).await.unwrap();
    memory.put_now(&key("a"), bytes("1"), &ANY).unwrap();
    let before = scripted.count(Call::Put);
    assert!(matches!(store.put(&key("a"), bytes("2"), ANY.absent()).await, Err(PutError::Conflict(_))));
    let large = Bytes::from(vec![0; 600_000]);
    assert!(matches!(store.put(&key("a"), large, ANY).await, Err(PutError::TooLarge { .. })));
    assert_eq!(scripted.count(Call::Put), before + 2);
    scripted.nth(Call::Sweep, 1, away());
    scripted.nth(Call::Clear, 1, away());
    assert!(store.sweep().await.is_err() && store.clear().await.is_err());
    assert_eq!((scripted.count(Call::Sweep), scripted.count(Call::Clear)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_cut_short_is_unknown_and_a_read_is_made_again() {
    let (scripted, memory) = scripted();
    let store = retried(&scripted, thrice().attempt_timeout(SECOND));
    scripted.nth(Call::Put, 1, Fault::DelayAnswer(5 * SECOND));
    let cut = store.put(&key("a"), bytes("1"), ANY).await;
    assert!(matches!(&cut, Err(PutError::Unknown(_))), "{cut:?}");
    assert_eq!((scripted.count(Call::Put), memory.get_now(&key("a")).unwrap().value), (1, bytes("1")));
    scripted.nth(Call::Delete, 1, Fault::Hang);
    assert!(matches!(store.delete(&key("a"), Precondition::Any).await, Err(DeleteError::Unknown(_))));
    // First it was away, for sure; then nobody knows.
    scripted.nth(Call::Put, 1, away());
    scripted.nth(Call::Put, 2, Fault::Hang);
    assert!(matches!(store.put(&key("a"), bytes("2"), ANY).await, Err(PutError::Unknown(_))));
    scripted.nth(Call::Get, 1, Fault::Hang);
    assert!(store.get(&key("a")).await.unwrap().is_some());
    scripted.every(Call::Get, Fault::Hang);
    assert!(matches!(store.get(&key("a")).await, Err(GetError::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn an_update_over_a_store_that_is_asked_again_is_done_once() {
    let (scripted, _) = scripted();
    let counts = KeyValueStore::<String, u64>::json(Arc::new(retried(&scripted, thrice())));
    let one_more = |count: Option<u64>| count.unwrap_or(0) + 1;
    counts.update("n", one_more).await.unwrap();
    scripted.nth(Call::Put, 1, away());
    scripted.nth(Call::Put, 2, Fault::LoseAnswer);
    scripted.nth(Call::Get, 2, away());
    assert_eq!(counts.update("n", one_more).await.unwrap().value, 2);
    assert_eq!(counts.get_required("n").await.unwrap().value, 2);
}

#[tokio::test(start_paused = true)]
async fn a_budget_bounds_what_is_asked_again() {
    let (scripted, _) = scripted();
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(0.0).min_per_second(0).burst(2));
    let store = retried(&scripted, thrice()).budget(&budget);
    scripted.every(Call::Get, away());
    for _ in 0..10 {
        store.get(&key("a")).await.unwrap_err();
    }
    assert!(scripted.count(Call::Get) <= 10 + 2, "{}", scripted.count(Call::Get));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_left_alone_and_looked_for_again() {
    let (scripted, memory) = scripted();
    let store = guarded(Arc::new(scripted.clone()));
    scripted.every(Call::Get, away());
    for _ in 0..5 {
        store.get(&key("a")).await.unwrap_err();
    }
    assert_eq!((scripted.count(Call::Get), store.breaker().state()), (2, BreakerState::Open));
    // Nothing was done, and whoever asks is told so.
    let refused = store.put(&key("a"), bytes("1"), ANY).await.unwrap_err();
    assert!(
        matches!(&refused, PutError::Unavailable(why) if why.to_string().contains("circuit `store` is open"))
    );
    assert_eq!((scripted.count(Call::Put), memory.get_now(&key("a"))), (0, None));
    scripted.heal();
    tokio::time::advance(10 * SECOND).await;
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    assert_eq!(memory.get_now(&key("a")).unwrap().value, bytes("1"));
}

#[tokio::test(start_paused = true)]
async fn answers_that_somebody_does_not_like_say_nothing_against_a_store() {
    let (scripted, _) = scripted();
    let store = guarded(Arc::new(scripted.clone()));
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    for _ in 0..10 {
        store.put(&key("a"), bytes("1"), ANY.absent()).await.unwrap_err();
        store.put(&key("a"), Bytes::from(vec![0; 600_000]), ANY).await.unwrap_err();
    }
    assert_eq!(store.breaker().state(), BreakerState::Closed);
    // A refusal by rule is not even an answer: it does not make up for a failure.
    scripted.nth(Call::Put, 1, Fault::LoseAnswer);
    scripted.nth(Call::Put, 3, Fault::LoseAnswer);
    store.put(&key("a"), bytes("1"), ANY).await.unwrap_err();
    store.put(&key("a"), Bytes::from(vec![0; 600_000]), ANY).await.unwrap_err();
    store.put(&key("a"), bytes("1"), ANY).await.unwrap_err();
    assert_eq!(store.breaker().state(), BreakerState::Open, "answers were lost twice");
}

#[tokio::test(start_paused = true)]
async fn who_asks_again_waits_for_the_breaker_beneath() {
    let (scripted, _) = scripted();
    let guarded = guarded(Arc::new(scripted.clone()));
    scripted.nth(Call::Get, 1, away());
    scripted.nth(Call::Get, 2, away());
    for _ in 0..2 {
        guarded.get(&key("a")).await.unwrap_err();
    }
    let backoff = Backoff::constant(Duration::ZERO).cap(60 * SECOND);
    let store = RetryStore::new(Arc::new(guarded), RetryOptions::new().attempts(2).backoff(backoff));
    let started = Instant::now();
    assert_eq!(store.get(&key("a")).await.unwrap(), None);
    assert_eq!((started.elapsed(), scripted.count(Call::Get)), (10 * SECOND, 3));
}
