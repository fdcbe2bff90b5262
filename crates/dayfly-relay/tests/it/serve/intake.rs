//! What is taken in, what is not, and what is said of it.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::receiver::Receiver;
use super::stage::{HEAD, Stage, endpoint};

const ONE: &str = r#"{"type":"x","data":1}"#;

#[tokio::test]
async fn one_event_an_array_and_lines_are_delivered() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    let (status, answer) = stage.api.post("/events", r#"{"id":"a","type":"x","data":{"n":1}}"#).await;
    let receipt = json!({ "id": "a", "duplicate": false, "endpoints": 1 });
    let expected = json!({ "accepted": 1, "duplicates": 0, "events": [receipt] });
    assert_eq!((status, answer), (StatusCode::ACCEPTED, expected));
    let (_, answer) = stage.api.post("/events", format!("[{ONE},{ONE}]")).await;
    assert_eq!(answer["accepted"], 2);
    let request = stage.api.request(Method::POST, "/events").header("content-type", "application/x-ndjson");
    let (_, answer) = stage.api.ask(request.body(format!("{ONE}\n{ONE}\n\n{ONE}\n"))).await;
    assert_eq!(answer["accepted"], 3);
    receiver.count(6).await;
}

#[tokio::test]
async fn an_id_is_delivered_once_however_often_it_is_handed_in() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    let event = |id: &str| format!(r#"{{"id":"{id}","type":"x","data":1}}"#);
    let (_, first) =
        stage.api.post("/events", format!("[{},{},{}]", event("a"), event("b"), event("a"))).await;
    assert_eq!((&first["accepted"], &first["duplicates"]), (&2.into(), &1.into()));
    let (status, again) = stage.api.post("/events", event("a")).await;
    assert_eq!((status, &again["events"][0]["duplicate"]), (StatusCode::ACCEPTED, &true.into()));
    let asks = (0..20).map(|_| stage.api.post("/events", event("c")));
    let answers = futures_util::future::join_all(asks).await;
    assert_eq!(answers.iter().filter(|(_, answer)| answer["accepted"] == 1).count(), 1);
    stage.settled().await;
    let mut ids = receiver.ids();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "b", "c"]);
}

#[tokio::test]
async fn hostile_requests_get_a_clear_answer_and_change_nothing() {
    let receiver = Receiver::open().await;
    let limits = "[limits]\nbody_bytes = 2000\nevent_bytes = 100\nevents_per_request = 3\n";
    let text = format!("{HEAD}store = \"memory\"\n{limits}{}", endpoint("one", &receiver.url(), ""));
    let stage = Stage::open_as(&text).await;
    let long = "x".repeat(200);
    let deep = "[".repeat(65);
    for (body, status, wanted) in [
        (String::new(), 400, "the body is empty"),
        ("   \n".to_owned(), 400, "the body is empty"),
        ("[]".to_owned(), 400, "the array is empty"),
        ("17".to_owned(), 400, "invalid type: integer"),
        ("null".to_owned(), 400, "invalid type: null"),
        ("{".to_owned(), 400, "EOF"),
        (format!("{ONE}]"), 400, "expected value"),
        (format!("[{ONE}"), 400, "EOF"),
        (format!("{ONE},{ONE}"), 400, "expected value"),
        (r#"{"data":1}"#.to_owned(), 400, "missing field `type`"),
        (r#"{"type":"x"}"#.to_owned(), 400, "missing field `data`"),
        (r#"{"type":"x","data":1,"extra":2}"#.to_owned(), 400, "unknown field `extra`"),
        (r#"{"type":"x","data":1,"data":2}"#.to_owned(), 400, "duplicate field `data`"),
        (r#"{"type":"","data":1}"#.to_owned(), 400, "a type has 1 to 128 bytes"),
        (r#"{"type":7,"data":1}"#.to_owned(), 400, "invalid type: integer"),
        (r#"{"id":"a.b","type":"x","data":1}"#.to_owned(), 400, "an id has no full stop"),
        (r#"{"id":"a\r\nx-evil: 1","type":"x","data":1}"#.to_owned(), 400, "visible ASCII"),
        (r#"{"id":"","type":"x","data":1}"#.to_owned(), 400, "an id has 1 to 128 characters"),
        (format!(r#"{{"id":"{long}","type":"x","data":1}}"#), 400, "an id has 1 to 128 characters"),
        (r#"{"key":"","type":"x","data":1}"#.to_owned(), 400, "a key has 1 to 4,096 bytes"),
        (r#"{"type":"x","data":NaN}"#.to_owned(), 400, "expected value"),
        (format!(r#"{{"type":"x","data":{deep}}}"#), 400, "expected"),
        (format!(r#"{{"type":"x","data":{deep}{}}}"#, "]".repeat(65)), 413, "data has at most 100 bytes"),
        ("\u{feff}{}".to_owned(), 400, "expected value"),
        (format!(r#"{{"type":"x","data":"{long}"}}"#), 413, "data has at most 100 bytes, not 202"),
        (format!("[{ONE},{ONE},{ONE},{ONE}]"), 413, "more than 3 events in one request"),
        ([ONE; 4].join("\n"), 413, "more than 3 events in one request"),
        (" ".repeat(2001), 413, "a body has at most 2000 bytes"),
    ] {
        let (got, answer) = stage.api.post("/events", body.clone()).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(got.as_u16() == status && error.contains(wanted), "{body}: {got} {answer}");
    }
    let (_, answer) = stage.api.post("/events", format!("{ONE}\n{{\"type\":1}}")).await;
    let place = (&answer["event"], &answer["line"], &answer["column"]);
    assert_eq!(place, (&2.into(), &2.into(), &9.into()));

    let send = |kind: &str, name: &'static str| {
        let request = stage.api.request(Method::POST, "/events").header(name, kind);
        stage.api.ask(request.body(ONE))
    };
    assert_eq!(send("application/x-www-form-urlencoded", "content-type").await.0.as_u16(), 415);
    assert_eq!(send("Text/Plain; charset=utf-8", "content-type").await.0.as_u16(), 415);
    assert_eq!(send("gzip", "content-encoding").await.0.as_u16(), 415);
    // A body without a length in front is counted as it comes.
    let parts = futures_util::stream::iter((0..30).map(|_| Ok::<_, std::io::Error>(" ".repeat(100))));
    let request = stage.api.request(Method::POST, "/events").body(reqwest::Body::wrap_stream(parts));
    assert_eq!(stage.api.ask(request).await.0.as_u16(), 413);
    for (method, path, status) in [
        (Method::GET, "/", 404),
        (Method::GET, "/events/../../etc/passwd", 404),
        (Method::DELETE, "/events", 405),
        (Method::POST, "/healthz", 405),
        (Method::GET, "/events?limit=0", 400),
        (Method::GET, "/events?limit=many", 400),
        (Method::GET, "/events?state=lost", 400),
        (Method::GET, "/events?limit=1001", 400),
        (Method::GET, "/events?limit=1&limit=2", 400),
        (Method::GET, "/events?after=-1", 400),
        (Method::GET, "/events?after=18446744073709551616", 400),
        (Method::GET, "/events?state=parked&endpoint=", 400),
        (Method::GET, "/events?state=parked&endpoint=one%2F..%2Ftwo", 400),
        (Method::GET, "/events?endpoint=%00", 400),
        (Method::GET, "/events?type=%20", 400),
        (Method::GET, "/events?colour=red", 400),
        (Method::POST, "/endpoints/nobody/enable", 404),
    ] {
        let (got, answer) = stage.api.ask(stage.api.request(method, path)).await;
        assert!(got.as_u16() == status && answer["error"].is_string(), "{path}: {got} {answer}");
    }
    // The end of all numbers, and an endpoint that nothing is known of, have nothing after them.
    for path in ["/events?after=18446744073709551615", "/events?state=failed&endpoint=nobody&limit=1000"] {
        let (got, answer) = stage.api.get(path).await;
        assert_eq!((got.as_u16(), answer), (200, json!({ "events": [], "next": null })), "{path}");
    }
    for (body, status) in [
        ("", 400),
        (r#"{"endpoint":"nobody"}"#, 404),
        (r#"{"endpoint":"one","limit":0}"#, 400),
        (r#"{"endpoint":"one","colour":1}"#, 400),
        (r#"{"endpoint":"one","type":" "}"#, 400),
        (r#"{"endpoint":"one","after":-1}"#, 400),
        (r#"{"endpoint":7}"#, 400),
    ] {
        let (got, answer) = stage.api.post("/events/replay", body).await;
        assert!(got.as_u16() == status && answer["error"].is_string(), "{body}: {got} {answer}");
    }
    let (_, metrics) = stage.api.get("/metrics").await;
    assert!(metrics.as_str().unwrap().contains("dayfly_relay_events_accepted_total 0\n"), "{metrics}");
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn events_that_nobody_wants_are_taken_and_not_kept() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "events = [\"order.*\"]")).await;
    let (status, answer) = stage.api.post("/events", r#"{"type":"user.born","data":1}"#).await;
    assert_eq!((status, &answer["events"][0]["endpoints"]), (StatusCode::ACCEPTED, &0.into()));
    stage.settled().await;
    assert!(receiver.got().is_empty());
}
