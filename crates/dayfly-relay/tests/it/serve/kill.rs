//! `kill -9` at any moment: everything that was acknowledged arrives, in the order of its key, and adds up to HEAD.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dayfly_relay::event::Change;
use dayfly_relay::history::History;
use serde_json::{Value, json};

use super::endings::Program;
use super::receiver::{Got, Receiver};
use super::stage::{HEAD, Place, endpoint};
use crate::support::Repo;

/// A history that is long enough to be killed in the middle of.
fn history() -> (Repo, History) {
    let repo = Repo::new();
    for round in 0..25 {
        for path in 0..12 {
            if (round + path) % 3 != 0 {
                repo.write(&format!("path {path}"), &format!("round {round}, path {path}"));
            }
        }
        if round == 20 {
            repo.git(&["rm", "--quiet", "path 1"]);
        }
        repo.commit();
    }
    let history = History::load(Some(repo.path())).unwrap();
    (repo, history)
}

fn what_stands(change: &Change) -> Value {
    match change {
        Change::Set(entry) => json!(entry.to_string()),
        Change::Delete => Value::Null,
    }
}

/// What the requests of a receiver add up to when each id counts once, and how often they came out of order.
fn fold(got: &[Got]) -> (BTreeMap<String, Value>, BTreeSet<String>, usize) {
    let (mut tree, mut ids, mut newest) = (BTreeMap::new(), BTreeSet::new(), HashMap::<String, u64>::new());
    let mut violations = 0;
    for got in got {
        if !ids.insert(got.id.clone()) {
            continue;
        }
        let body = got.json();
        let (path, sequence) =
            (body["key"].as_str().unwrap().to_owned(), body["data"]["sequence"].as_u64().unwrap());
        let before = newest.insert(path.clone(), sequence).unwrap_or(0);
        violations += usize::from(sequence != before + 1);
        match &body["data"]["entry"] {
            Value::Null => tree.remove(&path),
            entry => tree.insert(path, entry.clone()),
        };
    }
    (tree, ids, violations)
}

#[tokio::test]
async fn killed_again_and_again_it_loses_nothing_and_keeps_each_order() {
    let (_repo, history) = tokio::task::spawn_blocking(history).await.unwrap();
    let (steady, flaky) = (Receiver::open().await, Receiver::open().await);
    flaky.answer(|got, number| {
        let fails = number == 0 && got.id.ends_with(['0', '1', '2', '3']);
        if fails { axum::http::StatusCode::SERVICE_UNAVAILABLE } else { axum::http::StatusCode::OK }
    });
    let file = endpoint("steady", &steady.url(), "") + &endpoint("flaky", &flaky.url(), "");
    let place = Place::new(&format!("{HEAD}store = \"redb:relay.db\"\n{file}"));

    let mut program = Program::start(&place);
    let mut kills = 0;
    let batches: Vec<_> = history.events.chunks(10).collect();
    for (number, batch) in batches.iter().enumerate() {
        let lines: Vec<String> = batch
            .iter()
            .map(|event| {
                let data = json!({ "sequence": event.sequence, "entry": what_stands(&event.change) });
                json!({ "id": event.id, "type": "path.changed", "key": event.path.to_string(), "data": data })
                    .to_string()
            })
            .collect();
        if number % 4 == 3 {
            // Killed while this very request is under way: whether it was taken is not known, so it is sent again.
            let request = program.api.request(reqwest::Method::POST, "/events").body(lines.join("\n"));
            let (answer, ()) = tokio::join!(request.send(), async {
                if number % 8 == 3 {
                    tokio::task::yield_now().await;
                } else {
                    steady.count(steady.got().len() + 1).await;
                }
                program.signal("KILL");
            });
            drop(answer);
            program.ended().await;
            kills += 1;
            program = Program::start(&place);
        }
        let (status, answer) = program.api.post("/events", lines.join("\n")).await;
        assert_eq!(status.as_u16(), 202, "{answer}");
    }
    // And once more with everything taken in.
    program.signal("KILL");
    program.ended().await;
    let program = Program::start(&place);
    program.api.settled().await;

    let sent: BTreeSet<String> = history.events.iter().map(|event| event.id.clone()).collect();
    let head: BTreeMap<String, Value> =
        history.tree.iter().map(|(path, entry)| (path.to_string(), json!(entry.to_string()))).collect();
    for receiver in [&steady, &flaky] {
        let (tree, ids, violations) = fold(&receiver.got());
        assert_eq!((ids == sent, tree == head, violations), (true, true, 0));
    }
    assert!(kills >= 4, "{kills}");
    program.signal("TERM");
    let (status, log) = program.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test]
async fn a_folder_of_files_serves_as_well() {
    let receiver = Receiver::open().await;
    let hold = receiver.hold().await;
    let place =
        Place::new(&format!("{HEAD}store = \"file:events\"\n{}", endpoint("one", &receiver.url(), "")));
    let program = Program::start(&place);
    for id in ["a", "b"] {
        program.api.hand_in(id, "k").await;
    }
    receiver.count(1).await;
    program.signal("KILL");
    program.ended().await;
    drop(hold);
    let program = Program::start(&place);
    receiver.until(|got| got.iter().any(|got| got.id == "b")).await;
    program.api.settled().await;
    program.signal("TERM");
    program.ended().await;
}

#[tokio::test]
async fn what_is_disabled_or_parked_is_so_after_a_kill() {
    let receiver = Receiver::open().await;
    receiver.answer(|_, _| axum::http::StatusCode::GONE);
    let file = endpoint("one", &receiver.url(), "");
    let place = Place::new(&format!("{HEAD}store = \"redb:relay.db\"\n{file}"));
    let program = Program::start(&place);
    program.api.hand_in("a", "k").await;
    program.api.settled().await;
    program.api.until("/endpoints", |told| told["endpoints"][0]["disabled"].is_object()).await;
    program.signal("KILL");
    let (_, log) = program.ended().await;
    assert!(log.contains("one: disabled, its events are parked: the receiver answered 410 Gone"), "{log}");

    let program = Program::start(&place);
    let told = program.api.endpoint("one").await;
    assert_eq!(
        (&told["disabled"]["reason"], &told["parked"]),
        (&"the receiver answered 410 Gone".into(), &1.into())
    );
    let (_, answer) = program.api.post("/events", r#"{"id":"a","type":"x","data":1}"#).await;
    assert_eq!(answer["duplicates"], 1, "ids are known after a kill, too");
    program.signal("KILL");
    program.ended().await;
    // Under another address it is another receiver.
    let other = Receiver::open().await;
    place.write(&format!("{HEAD}store = \"redb:relay.db\"\n{}", endpoint("one", &other.url(), "")));
    let program = Program::start(&place);
    assert!(program.api.endpoint("one").await["disabled"].is_null());
    program.api.post("/events/replay", r#"{"endpoint":"one"}"#).await;
    other.count(1).await;
    program.signal("TERM");
    program.ended().await;
}

#[tokio::test]
async fn a_store_that_is_in_use_is_told() {
    let place = Place::new(&format!("{HEAD}store = \"redb:relay.db\"\n"));
    let program = Program::start(&place);
    let path = place.path().to_owned();
    let second = tokio::task::spawn_blocking(move || crate::support::relay(&path, &["serve"])).await.unwrap();
    assert_eq!(second.status.code(), Some(2));
    let error = crate::support::text(&second.stderr);
    assert!(error.contains("relay.db") && error.contains("in use"), "{error}");
    program.signal("TERM");
    program.ended().await;
}
