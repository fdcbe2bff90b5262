//! Cases 51 and 58, and what becomes of an update whose answer is lost.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{
    Call, Fault, KeyValueStore, PutOptions, ScriptedStore, Unavailable, UpdateError, UpdateOptions,
};
use tokio::time::Instant;

use crate::support::{bytes, key, memory, on_a_manual_clock, scripted};

const EXACT: UpdateOptions =
    UpdateOptions::new().attempts(3).delay(Duration::from_millis(10)).without_jitter();

fn counts(store: &ScriptedStore) -> KeyValueStore<String, u64> {
    KeyValueStore::json(Arc::new(store.clone())).updates(EXACT)
}

fn one_more(count: Option<u64>) -> u64 {
    count.unwrap_or(0) + 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_tasks_increment_a_counter_to_a_hundred() {
    let counts = KeyValueStore::<String, u64>::json(memory());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let counts = counts.clone();
        tasks.spawn(async move { counts.update("n", one_more).await.unwrap() });
    }
    tasks.join_all().await;
    assert_eq!(counts.get_required("n").await.unwrap().value, 100);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_conflict_is_one_after_the_attempts_and_their_delays() {
    let (store, memory) = scripted();
    let counts = counts(&store);
    let began = Instant::now();
    let mut calls = 0;
    // Somebody else writes whenever we have looked.
    let updated = counts.update("n", |count| {
        memory.put_now(&key("n"), bytes(r#"{"version":1,"value":7}"#), &PutOptions::new()).unwrap();
        calls += 1;
        one_more(count)
    });
    let Err(UpdateError::Conflict { attempts: 3, conflict }) = updated.await else {
        panic!("it was updated")
    };
    assert_eq!(conflict.current, memory.get_now(&key("n")).map(|entry| entry.etag));
    assert_eq!((calls, began.elapsed()), (3, Duration::from_millis(10 + 20)));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_done_and_not_answered_is_found_and_not_done_again() {
    let (store, _) = scripted();
    let counts = counts(&store);
    for (round, puts) in [(1, 1), (2, 2)] {
        store.nth(Call::Put, 1, Fault::LoseAnswer);
        let updated = counts.update("n", one_more).await.unwrap();
        assert_eq!(updated.value, round);
        assert_eq!(counts.get_required("n").await.unwrap(), updated);
        assert_eq!(store.count(Call::Put), puts);
    }
}

#[tokio::test(start_paused = true)]
async fn a_swap_that_was_not_done_and_not_answered_is_sent_again() {
    let (store, _) = scripted();
    let counts = counts(&store);
    counts.update("n", one_more).await.unwrap();
    store.nth(Call::Put, 1, Fault::LoseRequest);
    let mut calls = 0;
    let updated = counts.update("n", |count| {
        calls += 1;
        one_more(count)
    });
    assert_eq!(updated.await.unwrap().value, 2);
    // The same swap was sent again; nobody was asked anew.
    assert_eq!((calls, store.count(Call::Put)), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_was_not_answered_and_is_not_there_is_unknown() {
    // It may have been done, and deleted since: to do it again would resurrect it.
    let (store, memory) = scripted();
    store.nth(Call::Put, 1, Fault::LoseRequest);
    let unknown = counts(&store).update("n", one_more).await;
    assert!(matches!(unknown, Err(UpdateError::Unknown(_))), "{unknown:?}");
    assert_eq!(memory.get_now(&key("n")), None);
}

#[tokio::test(start_paused = true)]
async fn a_swap_that_lands_late_is_done_once() {
    let (store, _) = scripted();
    let counts = counts(&store);
    counts.update("n", one_more).await.unwrap();
    // Lost, looked for, sent again: the first one lands before the second, which is then a conflict with ourselves.
    store.nth(Call::Put, 1, Fault::LandAfter(1));
    assert_eq!(counts.update("n", one_more).await.unwrap().value, 2);
    assert_eq!(counts.get_required("n").await.unwrap().value, 2);
    // Or after it: then it is refused, as the etag is another one.
    store.nth(Call::Put, 1, Fault::LandAfter(2));
    assert_eq!(counts.update("n", one_more).await.unwrap().value, 3);
    for _ in 0..5 {
        assert_eq!(counts.get_required("n").await.unwrap().value, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_have_changed_since_an_answer_was_lost_is_for_the_caller() {
    let (store, memory) = scripted();
    let counts = counts(&store);
    counts.update("n", one_more).await.unwrap();
    store.nth(Call::Put, 1, Fault::LoseRequest);
    store.nth(Call::Get, 2, Fault::Delay(Duration::from_secs(1)));
    let updating = counts.update("n", one_more);
    let other = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        memory.put_now(&key("n"), bytes(r#"{"version":1,"value":9}"#), &PutOptions::new()).unwrap();
    };
    let (unknown, ()) = tokio::join!(updating, other);
    assert!(matches!(unknown, Err(UpdateError::Unknown(_))), "{unknown:?}");
    assert_eq!(counts.get_required("n").await.unwrap().value, 9);
}

#[tokio::test(start_paused = true)]
async fn what_is_neither_found_nor_answered_is_unknown_after_the_attempts() {
    let (store, _) = scripted();
    let counts = counts(&store);
    counts.update("n", one_more).await.unwrap();
    store.every(Call::Put, Fault::LoseRequest);
    assert!(matches!(counts.update("n", one_more).await, Err(UpdateError::Unknown(_))));
    assert_eq!(store.count(Call::Put), 1 + 3);
    store.heal();
    store.nth(Call::Put, 1, Fault::LoseAnswer);
    store.nth(Call::Get, 2, Fault::Fail(Unavailable::new("it is away")));
    assert!(matches!(counts.update("n", one_more).await, Err(UpdateError::Unknown(_))));
    assert_eq!(counts.get_required("n").await.unwrap().value, 2);
}

#[tokio::test]
async fn what_cannot_be_written_is_no_conflict_and_not_tried_again() {
    let (store, _) = scripted();
    store.nth(Call::Put, 1, Fault::Fail(Unavailable::new("it is away")));
    let failed = counts(&store).update("n", one_more).await;
    assert!(matches!(failed, Err(UpdateError::Save(_))), "{failed:?}");
    assert_eq!(store.count(Call::Put), 1);
}

#[tokio::test]
async fn a_claim_that_declines_writes_nothing() {
    let (store, _) = scripted();
    let owners = KeyValueStore::<u32, String>::json(Arc::new(store.clone()));
    let claim = |owner: Option<String>| owner.is_none().then(|| "ann".to_owned());
    assert_eq!(owners.try_update(&1, claim).await.unwrap().unwrap().value, "ann");
    assert_eq!(owners.try_update(&1, claim).await.unwrap(), None);
    assert_eq!(store.count(Call::Put), 1);
}

#[tokio::test]
async fn a_change_that_panics_writes_nothing_and_harms_nobody() {
    let counts = KeyValueStore::<String, u64>::json(memory());
    let panics = counts.clone();
    let panicked = tokio::task::JoinSet::from_iter([async move {
        panics.update("n", |_| panic!("it cannot be")).await.unwrap();
    }])
    .join_next()
    .await;
    assert!(panicked.unwrap().is_err());
    assert_eq!(counts.update("n", one_more).await.unwrap().value, 1);
}

#[tokio::test]
async fn an_update_gives_a_time_to_live_when_told_so_and_clears_it_otherwise() {
    let (store, clock) = on_a_manual_clock();
    let minute = Duration::from_secs(60);
    let counts = KeyValueStore::<String, u64>::json(store);
    let leases = counts.clone().updates(UpdateOptions::new().time_to_live(minute));
    leases.update("n", one_more).await.unwrap();
    clock.advance(2 * minute);
    assert_eq!(leases.update("n", one_more).await.unwrap().value, 1);
    assert_eq!(counts.update("n", one_more).await.unwrap().value, 2);
    clock.advance(2 * minute);
    assert_eq!(counts.get_required("n").await.unwrap().value, 2);
}
