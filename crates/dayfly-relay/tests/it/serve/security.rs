//! Who is not connected to, what is not told, and who is not waited for.

use std::io::Read;

use super::endings::Program;
use super::receiver::{PATIENCE, Receiver};
use super::stage::{HEAD, Place, SECRET, Stage, endpoint, in_time};
use dayfly_relay::serve::log::Log;
use dayfly_relay::serve::service::Service;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_name_that_leads_into_the_own_network_is_not_followed() {
    let receiver = Receiver::open().await;
    let port = receiver.address.port();
    let file = endpoint("one", &format!("http://localhost:{port}/"), "");
    let stage = Stage::open_as(&format!("listen = \"127.0.0.1:0\"\nstore = \"memory\"\n{file}")).await;
    stage.api.hand_in("a", "k").await;
    stage.settled().await;
    let (_, listed) = stage.api.get("/events?state=parked&endpoint=one").await;
    let error = listed["events"][0]["error"].as_str().unwrap();
    assert!(error.contains("localhost has no public address"), "{error}");
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn an_address_in_the_own_network_is_refused_with_the_file() {
    for address in ["127.0.0.1", "[::1]", "10.0.0.1", "0x7f.1", "2130706433", "[::ffff:192.168.0.1]"] {
        let file = endpoint("one", &format!("http://{address}/"), "");
        let place = Place::new(&format!("store = \"memory\"\n{file}"));
        let error = Service::start(&place.file(), Log::Silent).await.unwrap_err().to_string();
        assert!(error.contains("endpoints.one.url") && error.contains("is no public address"), "{error}");
    }
}

#[tokio::test]
async fn nothing_tells_a_secret() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &format!("{}?token=t0ps3cret", receiver.url()), "")).await;
    stage.api.hand_in("a", "k").await;
    stage.settled().await;
    for path in ["/endpoints", "/metrics", "/readyz", "/events", "/events?state=parked&endpoint=one"] {
        let (_, answer) = stage.api.get(path).await;
        let text = answer.to_string();
        assert!(!text.contains("MfKQ9") && !text.contains("t0ps3cret"), "{path}: {text}");
    }
    assert!(!format!("{:?}", stage.service).contains("t0ps3cret"));
}

/// The log of a program to which all that it logs about has happened.
#[tokio::test]
async fn no_line_of_the_log_tells_a_secret() {
    let receiver = Receiver::open().await;
    receiver.answer(|_, _| axum::http::StatusCode::GONE);
    // One says goodbye, and to the other there is no connection.
    let one = endpoint("one", &format!("{}?token=t0ps3cret", receiver.url()), "");
    let two = endpoint("two", "http://127.0.0.1:1/t0ps3cret", "");
    let file = format!("{HEAD}store = \"memory\"\n{one}");
    let place = Place::new(&format!("{file}{two}"));
    let program = Program::start(&place);
    program.api.hand_in("a", "k").await;
    program.api.settled().await;
    let (_, listed) = program.api.get("/events?state=failed").await;
    assert_eq!(listed["events"].as_array().unwrap().len(), 2, "{listed}");
    let stands_for = |told: &serde_json::Value| told.to_string().contains("t0ps3cret");
    assert!(!stands_for(&listed), "{listed}");
    place.write(&one.replace(SECRET, "whsec_t0ps3cret"));
    program.api.until("/readyz", |told| told["configuration"]["rejected"].is_array()).await;
    place.write(&format!("{file}# t0ps3cret"));
    program.api.until("/endpoints", |told| told["endpoints"].as_array().unwrap().len() == 1).await;
    program.api.post("/endpoints/one/enable", "").await;
    program.signal("TERM");
    let (_, log) = in_time("it ends", program.ended()).await;
    for said in
        ["one: disabled", "is not taken, the last good one stays", "two: stopped", "one: enabled again"]
    {
        assert!(log.contains(said), "{said} is not in {log}");
    }
    assert!(!log.contains("t0ps3cret") && !log.contains("MfKQ9"), "{log}");
}

#[tokio::test]
async fn a_client_that_does_not_speak_is_not_waited_for() {
    let limits = "[limits]\nrequest_timeout = \"200ms\"\nconnections = 2\n";
    let stage = Stage::open_as(&format!("{HEAD}store = \"memory\"\n{limits}")).await;
    for begun in ["", "POST /events HT", "POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{"] {
        // As many as there are places; the next client is served all the same, because these are shown out.
        let mut silent = Vec::new();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(stage.service.address()).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            silent.push(stream);
        }
        assert_eq!(stage.api.get("/healthz").await.0.as_u16(), 200);
        for mut stream in silent {
            let mut answer = Vec::new();
            let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
            drop(read.expect("the connection ends"));
            let answer = String::from_utf8_lossy(&answer).into_owned();
            assert!(answer.is_empty() || answer.contains(" 408 "), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let stage = Stage::open("").await;
    let address = stage.service.address();
    let refused = tokio::task::spawn_blocking(move || {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let head = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "x".repeat(100_000));
        // The service may hang up before it has read all of it.
        drop(stream.write_all(head.as_bytes()));
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer));
        answer
    });
    let answer = refused.await.unwrap();
    assert!(answer.is_empty() || answer.contains(" 431 "), "{answer}");
    assert_eq!(stage.api.get("/healthz").await.0.as_u16(), 200);
}
