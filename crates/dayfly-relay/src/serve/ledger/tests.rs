//! What the ledger promises, on a store in memory that outlives it as a file outlives a process.

use std::sync::Arc;

use dayfly_kv::{ManualClock, MemoryBackend, MemoryOptions};
use serde_json::value::RawValue;

use super::*;

const KEEP: Keep = Keep { ids: Duration::from_secs(60), parked: Duration::from_secs(600) };

async fn open(backend: &MemoryBackend) -> (Ledger, Recovered) {
    Ledger::open(backend, KEEP, &SignalSink::default()).await.unwrap()
}

fn event(id: &str) -> Event {
    let data = RawValue::from_string("1".to_owned()).unwrap();
    Event { id: id.to_owned(), kind: "x".to_owned(), key: None, received: 0, data }
}

fn entering(id: &str, waiting: &[&str]) -> Entering {
    let waiting = waiting.iter().map(|&name| name.to_owned()).collect();
    Entering { event: event(id), named: true, waiting, overflowing: Vec::new(), trace: None }
}

async fn accept(ledger: &Ledger, id: &str, waiting: &[&str]) -> bool {
    !ledger.accept(vec![entering(id, waiting)]).await.unwrap()[0].duplicate
}

async fn waiting(ledger: &Ledger) -> Vec<(String, Vec<String>)> {
    let page = ledger.page(0, ledger.settled(), 100).await.unwrap();
    page.records.into_iter().map(|(_, record)| (record.event.id, record.waiting)).collect()
}

async fn number_of(ledger: &Ledger, id: &str) -> u64 {
    let page = ledger.page(0, ledger.settled(), 100).await.unwrap();
    page.records.iter().find(|(_, record)| record.event.id == id).unwrap().0
}

#[tokio::test]
async fn an_event_waits_until_each_endpoint_is_done_with_it() {
    let (ledger, _) = open(&MemoryBackend::new()).await;
    assert!(accept(&ledger, "a", &["one", "two"]).await);
    let seq = number_of(&ledger, "a").await;
    assert!(ledger.done(seq, "one").await.unwrap());
    assert!(!ledger.done(seq, "one").await.unwrap(), "twice is once");
    assert_eq!(waiting(&ledger).await, [("a".to_owned(), vec!["two".to_owned()])]);
    assert!(ledger.done(seq, "two").await.unwrap());
    assert!(!ledger.done(seq, "two").await.unwrap());
    assert!(waiting(&ledger).await.is_empty());
    assert_eq!((ledger.counts().figures().events, ledger.counts().waiting_for("two")), (0, 0));
}

#[tokio::test]
async fn an_event_keeps_the_span_that_it_was_taken_in_by() {
    let (ledger, _) = open(&MemoryBackend::new()).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let entering = Entering { trace: Some(trace.clone()), ..entering("a", &["one", "two"]) };
    ledger.accept(vec![entering]).await.unwrap();
    let seq = number_of(&ledger, "a").await;
    // What is written again after the first end is the same but for that.
    ledger.done(seq, "one").await.unwrap();
    let page = ledger.page(0, ledger.settled(), 100).await.unwrap();
    assert_eq!(page.records[0].1.trace.as_ref(), Some(&trace));
}

#[test]
fn a_record_without_a_span_is_as_it_was_before_there_were_any() {
    let text =
        r#"{"v":1,"event":{"id":"a","type":"x","received":0,"data":1},"waiting":["one"],"claims":true}"#;
    let record: Record = serde_json::from_str(text).unwrap();
    assert_eq!(record.trace, None);
    assert_eq!(serde_json::to_string(&record).unwrap(), text);
}

#[tokio::test]
async fn endpoints_that_end_at_the_same_time_are_each_counted_once() {
    let (ledger, _) = open(&MemoryBackend::new()).await;
    let names: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    accept(&ledger, "a", &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let seq = number_of(&ledger, "a").await;
    let ends = names.iter().map(|name| ledger.done(seq, name));
    assert!(futures_util::future::join_all(ends).await.into_iter().all(|done| done.unwrap()));
    assert_eq!(ledger.counts().figures().events, 0);
}

#[tokio::test]
async fn an_id_is_taken_in_once_until_it_is_forgotten() {
    let clock = Arc::new(ManualClock::new());
    let backend = MemoryBackend::with(MemoryOptions::new(), Arc::<ManualClock>::clone(&clock));
    let (ledger, _) = open(&backend).await;
    assert!(accept(&ledger, "a", &["one"]).await);
    assert!(!accept(&ledger, "a", &["one"]).await);
    // Also when the first one has been delivered, and after a restart.
    ledger.done(number_of(&ledger, "a").await, "one").await.unwrap();
    assert!(!accept(&ledger, "a", &["one"]).await);
    let (ledger, _) = open(&backend).await;
    assert!(!accept(&ledger, "a", &["one"]).await);
    assert!(waiting(&ledger).await.is_empty());
    clock.advance(KEEP.ids + Duration::from_secs(1));
    assert!(ledger.sweep().await.unwrap() > 0);
    assert!(accept(&ledger, "a", &["one"]).await);
}

#[tokio::test]
async fn many_at_once_with_one_id_are_one() {
    let (ledger, _) = open(&MemoryBackend::new()).await;
    let accepts = (0..50).map(|_| ledger.accept(vec![entering("a", &["one"])]));
    let receipts = futures_util::future::join_all(accepts).await;
    let taken = receipts.into_iter().filter(|receipts| !receipts.as_ref().unwrap()[0].duplicate).count();
    assert_eq!((taken, waiting(&ledger).await.len()), (1, 1));
}

#[tokio::test]
async fn a_start_finds_what_waits_and_never_gives_a_number_twice() {
    let backend = MemoryBackend::new();
    let (ledger, _) = open(&backend).await;
    for id in ["a", "b", "c"] {
        accept(&ledger, id, &["one", "two"]).await;
    }
    ledger.done(number_of(&ledger, "a").await, "one").await.unwrap();
    let last = number_of(&ledger, "c").await;
    for id in ["b", "c"] {
        for endpoint in ["one", "two"] {
            ledger.done(number_of(&ledger, id).await, endpoint).await.unwrap();
            if endpoint == "two" {
                break;
            }
        }
    }
    drop(ledger);
    let (ledger, recovered) = open(&backend).await;
    assert_eq!((recovered.events, recovered.claimed, recovered.duplicates), (1, 3 - 2, 0));
    assert_eq!((ledger.counts().waiting_for("one"), ledger.counts().waiting_for("two")), (0, 1));
    accept(&ledger, "d", &["one"]).await;
    assert!(number_of(&ledger, "d").await > last);
}

#[tokio::test]
async fn what_was_written_and_not_claimed_is_claimed_by_the_next_start() {
    let backend = MemoryBackend::new();
    let (ledger, _) = open(&backend).await;
    assert!(accept(&ledger, "old", &["one"]).await);
    // The process is killed between the two writes of each of these.
    let run = ledger.sequence.begin(2).await.unwrap();
    for (seq, id) in run.numbers().zip(["new", "old"]) {
        ledger.write(seq, &entering(id, &["one"])).await.unwrap();
    }
    assert_eq!(waiting(&ledger).await.len(), 1, "what is open is not dispatched");
    drop(run);
    let (ledger, recovered) = open(&backend).await;
    assert_eq!((recovered.events, recovered.duplicates), (2, 1));
    let ids: Vec<String> = waiting(&ledger).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["old", "new"]);
    assert!(!accept(&ledger, "new", &["one"]).await);
}

#[tokio::test]
async fn a_parked_event_is_listed_and_handed_in_again() {
    let backend = MemoryBackend::new();
    let (ledger, _) = open(&backend).await;
    for id in ["a", "b", "c"] {
        accept(&ledger, id, &["one", "two"]).await;
        let seq = number_of(&ledger, id).await;
        assert!(ledger.park(seq, "one", &event(id), "410 Gone", 3).await.unwrap());
    }
    assert_eq!((ledger.counts().waiting_for("one"), ledger.counts().parked_for("one")), (0, 3));
    let (ledger, _) = open(&backend).await;
    assert_eq!(ledger.counts().parked_for("one"), 3);

    let first = ledger.parked_page("one", 0, 2).await.unwrap();
    let second = ledger.parked_page("one", first.more_after.unwrap(), 2).await.unwrap();
    let ids: Vec<&str> =
        first.parked.iter().chain(&second.parked).map(|(_, parked)| &*parked.event.id).collect();
    assert_eq!((ids, second.more_after), (vec!["a", "b", "c"], None));
    assert!(ledger.parked_page("two", 0, 2).await.unwrap().parked.is_empty());

    let (seq, parked) = first.parked.into_iter().next().unwrap();
    assert_eq!((&*parked.error, parked.attempts), ("410 Gone", 3));
    ledger.replay(seq, "one", parked.event, None).await.unwrap();
    assert_eq!((ledger.counts().waiting_for("one"), ledger.counts().parked_for("one")), (1, 2));
    let last = waiting(&ledger).await.pop().unwrap();
    assert_eq!(
        last,
        ("a".to_owned(), vec!["one".to_owned()]),
        "for that endpoint alone, at the end of the line"
    );
}

#[tokio::test]
async fn an_endpoint_with_too_much_waiting_has_the_rest_parked() {
    let (ledger, _) = open(&MemoryBackend::new()).await;
    let mut full = entering("a", &["one", "two"]);
    full.overflowing = vec!["two".to_owned()];
    ledger.accept(vec![full]).await.unwrap();
    assert_eq!(waiting(&ledger).await, [("a".to_owned(), vec!["one".to_owned()])]);
    assert_eq!((ledger.counts().waiting_for("two"), ledger.counts().parked_for("two")), (0, 1));
}

#[tokio::test]
async fn what_nobody_wants_is_not_kept() {
    let (ledger, _) = open(&MemoryBackend::new()).await;
    let receipts = ledger.accept(vec![entering("a", &[])]).await.unwrap();
    assert_eq!(receipts, [Receipt { id: "a".to_owned(), duplicate: false, endpoints: 0 }]);
    assert!(waiting(&ledger).await.is_empty() && ledger.counts().figures().events == 0);
}

#[tokio::test]
async fn room_that_is_promised_is_room_that_is_taken() {
    let (ledger, _) = open(&MemoryBackend::new()).await;
    let promise = ledger.counts().promise(3, 4).unwrap();
    assert!(ledger.counts().promise(2, 4).is_none() && ledger.counts().promise(1, 4).is_some());
    drop(promise);
    assert!(ledger.counts().promise(4, 4).is_some());
    accept(&ledger, "a", &["one"]).await;
    assert!(ledger.counts().promise(4, 4).is_none());
}
