//! How much may wait, and that it does not wait in memory.

use reqwest::StatusCode;

use super::receiver::Receiver;
use super::stage::{HEAD, Stage, endpoint};

fn events(from: usize, count: usize) -> String {
    let event = |number| format!(r#"{{"id":"{number}","type":"x","key":"{}","data":{number}}}"#, number % 97);
    (from..from + count).map(event).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_full_backlog_asks_for_patience() {
    let receiver = Receiver::open().await;
    let hold = receiver.hold().await;
    let text =
        format!("{HEAD}store = \"memory\"\n[limits]\nbacklog = 5\n{}", endpoint("one", &receiver.url(), ""));
    let stage = Stage::open_as(&text).await;
    assert_eq!(stage.api.post("/events", events(0, 5)).await.0, StatusCode::ACCEPTED);
    let request = stage.api.request(reqwest::Method::POST, "/events").body(events(5, 1));
    let answer = request.send().await.unwrap();
    assert_eq!(
        (answer.status(), answer.headers()["retry-after"].to_str().unwrap()),
        (StatusCode::TOO_MANY_REQUESTS, "5")
    );
    drop(hold);
    stage.settled().await;
    assert_eq!(stage.api.post("/events", events(5, 1)).await.0, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn what_is_too_much_for_one_endpoint_is_parked_for_it_alone() {
    let (well, sick) = (Receiver::open().await, Receiver::open().await);
    let hold = sick.hold().await;
    let file = endpoint("well", &well.url(), "") + &endpoint("sick", &sick.url(), "max_waiting = 10");
    let stage = Stage::open(&file).await;
    for number in 0..30 {
        stage.api.hand_in(&number.to_string(), "k").await;
    }
    well.count(30).await;
    let told = stage.api.endpoint("sick").await;
    assert_eq!((&told["waiting"], &told["parked"]), (&10.into(), &20.into()));
    drop(hold);
    stage.settled().await;
    let (_, replayed) = stage.api.post("/events/replay", r#"{"endpoint":"sick"}"#).await;
    assert_eq!(replayed["replayed"], 20);
    stage.settled().await;
    assert_eq!(sick.count(30).await.len(), 30);
}

#[tokio::test]
async fn a_replay_hands_in_as_much_as_there_is_room_for() {
    let receiver = Receiver::open().await;
    receiver.answer(|_, _| StatusCode::BAD_REQUEST);
    let text =
        format!("{HEAD}store = \"memory\"\n[limits]\nbacklog = 3\n{}", endpoint("one", &receiver.url(), ""));
    let stage = Stage::open_as(&text).await;
    for number in 0..5 {
        assert_eq!(stage.api.post("/events", events(number, 1)).await.0, StatusCode::ACCEPTED);
        stage.settled().await;
    }
    receiver.answer(|_, _| StatusCode::OK);
    let hold = receiver.hold().await;
    // More are wanted than the whole backlog holds; those that fit go, and the rest is told of.
    let (_, replayed) = stage.api.post("/events/replay", r#"{"endpoint":"one"}"#).await;
    assert_eq!(replayed["replayed"], 3);
    let rest = serde_json::json!({ "endpoint": "one", "after": replayed["next"] }).to_string();
    let (status, answer) = stage.api.post("/events/replay", &*rest).await;
    assert_eq!((status, &answer["error"]), (StatusCode::TOO_MANY_REQUESTS, &"the backlog is full".into()));
    drop(hold);
    stage.settled().await;
    let (_, replayed) = stage.api.post("/events/replay", rest).await;
    assert_eq!((&replayed["replayed"], replayed["next"].is_null()), (&2.into(), true));
    stage.settled().await;
    let told = stage.api.endpoint("one").await;
    assert_eq!((&told["parked"], &told["delivered"]), (&0.into(), &5.into()));
}

/// A dozen times as many as are in memory; a million in the full form: `DAYFLY_FULL=1`.
#[tokio::test]
async fn a_long_backlog_is_delivered_in_order_and_is_never_in_memory() {
    let total = dayfly_testing::times(4_000, 1_000_000);
    let receiver = Receiver::open().await;
    let hold = receiver.hold().await;
    let file = endpoint("one", &receiver.url(), "max_concurrency = 64\nmax_waiting = 2000000");
    let text = format!("{HEAD}store = \"memory\"\n[limits]\nbacklog = 2000000\n{file}");
    let stage = Stage::open_as(&text).await;
    for from in (0..total).step_by(1_000) {
        let (status, answer) = stage.api.post("/events", events(from, 1_000)).await;
        assert_eq!((status, &answer["accepted"]), (StatusCode::ACCEPTED, &1_000.into()));
    }
    let told = stage.api.endpoint("one").await;
    let queued = told["queued"].as_u64().unwrap() + told["running"].as_u64().unwrap();
    assert!(told["waiting"] == total && queued <= 256 + 64, "{told}");
    drop(hold);
    receiver.count(total).await;
    stage.settled().await;
    let mut last = vec![0; 97];
    for id in receiver.ids() {
        let number: usize = id.parse().unwrap();
        assert!(number == 0 || last[number % 97] <= number, "{number} came late");
        last[number % 97] = number;
    }
    assert_eq!(receiver.got().len(), total);
}

#[tokio::test]
async fn what_was_passed_of_a_full_key_is_gone_back_for_when_the_key_has_room() {
    let receiver = Receiver::open().await;
    let hold = receiver.hold().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "max_concurrency = 2")).await;
    let event = |id: String, key: &str| format!(r#"{{"id":"{id}","type":"x","key":"{key}","data":1}}"#);
    let mut lines: Vec<String> = (0..500).map(|number| event(format!("hot-{number}"), "hot")).collect();
    lines.push(event("cold".to_owned(), "cold"));
    assert_eq!(stage.api.post("/events", lines.join("\n")).await.0, StatusCode::ACCEPTED);
    // The cold one is not behind the hot ones, of which few are in the queue.
    receiver.until(|got| got.iter().any(|got| got.id == "cold")).await;
    let told = stage.api.endpoint("one").await;
    assert!(told["waiting"] == 501 && told["queued"].as_u64().unwrap() <= 64, "{told}");
    drop(hold);
    stage.settled().await;
    let hot: Vec<String> = receiver.ids().into_iter().filter(|id| id != "cold").collect();
    assert_eq!(hot, (0..500).map(|number| format!("hot-{number}")).collect::<Vec<_>>());
}
