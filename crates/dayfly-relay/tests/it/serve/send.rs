//! `dayfly-relay send`

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use super::endings::Program;
use super::receiver::Receiver;
use super::stage::{HEAD, Place, Stage, endpoint};
use crate::support::{relay, text};

fn lines(count: usize) -> String {
    let line = |number| format!(r#"{{"type":"x","key":"k","data":{number}}}"#);
    (0..count).map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// Runs the program in a thread, so that the service in this process can answer.
async fn send(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let (path, arguments) =
        (place.path().to_owned(), arguments.iter().map(|&one| one.to_owned()).collect::<Vec<_>>());
    let run = tokio::task::spawn_blocking(move || {
        relay(&path, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let output = run.await.unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn a_file_arrives_in_its_order_and_sent_again_it_is_known() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    std::fs::write(stage.place.path().join("events.jsonl"), lines(250)).unwrap();
    let to = format!("http://{}", stage.service.address());
    let arguments = ["send", "events.jsonl", "--to", &to, "--batch", "30"];
    let (status, said, error) = send(&stage.place, &arguments).await;
    assert_eq!((status, &*said), (0, "250 events taken in, 0 known already\n"), "{error}");
    let got = receiver.count(250).await;
    let numbers: Vec<u64> = got.iter().map(|got| got.json()["data"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..250).collect::<Vec<_>>());
    let (status, said, _) = send(&stage.place, &arguments).await;
    assert_eq!((status, &*said), (0, "0 events taken in, 250 known already\n"));
    stage.settled().await;
    assert_eq!(receiver.got().len(), 250);
}

#[tokio::test]
async fn what_is_too_large_for_one_request_is_sent_in_parts_and_in_order() {
    let receiver = Receiver::open().await;
    let limits = "[limits]\nevents_per_request = 3\n";
    let text = format!("{HEAD}store = \"memory\"\n{limits}{}", endpoint("one", &receiver.url(), ""));
    let stage = Stage::open_as(&text).await;
    std::fs::write(stage.place.path().join("events.jsonl"), lines(50)).unwrap();
    let to = format!("http://{}/events", stage.service.address());
    let (status, _, error) = send(&stage.place, &["send", "events.jsonl", "--to", &to]).await;
    assert_eq!(status, 0, "{error}");
    let got = receiver.count(50).await;
    let numbers: Vec<u64> = got.iter().map(|got| got.json()["data"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
}

/// A relay with room for a few, which has room again once somebody was told that it has none for even one.
#[derive(Debug, Default)]
struct Crowded {
    taken: usize,
    got: Vec<u64>,
    refused: usize,
}

const ROOM: usize = 4;

async fn take(State(relay): State<Arc<Mutex<Crowded>>>, body: String) -> Response {
    let numbers: Vec<u64> = body
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["data"].as_u64().unwrap())
        .collect();
    let mut relay = relay.lock().unwrap();
    if numbers.len() > ROOM - relay.taken {
        relay.refused += 1;
        if numbers.len() == 1 {
            relay.taken = 0;
        }
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], "no room").into_response();
    }
    relay.taken += numbers.len();
    let answer = json!({ "accepted": numbers.len(), "duplicates": 0 }).to_string();
    relay.got.extend(numbers);
    (StatusCode::ACCEPTED, answer).into_response()
}

#[tokio::test]
async fn a_relay_without_room_is_waited_for_also_with_more_than_it_ever_has_room_for() {
    let crowded = Arc::new(Mutex::new(Crowded::default()));
    let router = Router::new().route("/events", post(take)).with_state(Arc::clone(&crowded));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}", listener.local_addr().unwrap());
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let place = Place::new("");
    std::fs::write(place.path().join("events.jsonl"), lines(30)).unwrap();
    let (status, said, error) = send(&place, &["send", "events.jsonl", "--to", &to, "--attempts", "2"]).await;
    assert_eq!((status, &*said), (0, "30 events taken in, 0 known already\n"), "{error}");
    let crowded = crowded.lock().unwrap();
    assert_eq!(crowded.got, (0..30).collect::<Vec<_>>(), "each once, in its order");
    assert!(crowded.refused > 0);
}

#[tokio::test]
async fn a_wrong_line_is_told_and_what_came_before_it_is_sent() {
    let receiver = Receiver::open().await;
    let place = Place::new(&format!("{HEAD}store = \"memory\"\n{}", endpoint("one", &receiver.url(), "")));
    let program = Program::start(&place);
    std::fs::write(place.path().join("events.jsonl"), lines(3) + "{\"type\":7}\n" + &lines(1)).unwrap();
    let to = program.address.clone();
    let (status, _, error) = send(&place, &["send", "events.jsonl", "--to", &to]).await;
    assert_eq!(status, 1);
    assert!(error.starts_with("error: line 4: invalid type: integer `7`"), "{error}");
    assert!(error.contains("3 events are with the relay"), "{error}");
    receiver.count(3).await;
    let (status, _, error) = send(&place, &["send", "nowhere.jsonl", "--to", &to]).await;
    assert!(status == 2 && error.contains("nowhere.jsonl"), "{error}");
    let (status, _, error) =
        send(&place, &["send", "events.jsonl", "--to", "http://127.0.0.1:1/", "--attempts", "1"]).await;
    assert!(status == 1 && error.contains("the relay cannot be reached"), "{error}");
    program.signal("TERM");
    program.ended().await;
}

#[tokio::test]
async fn standard_input_is_taken_as_well() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    let to = format!("http://{}", stage.service.address());
    let run = tokio::task::spawn_blocking(move || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dayfly-relay"))
            .args(["send", "-", "--to", &to])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines(5).as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let output = run.await.unwrap();
    assert_eq!(text(&output.stdout), "5 events taken in, 0 known already\n");
    receiver.count(5).await;
}
