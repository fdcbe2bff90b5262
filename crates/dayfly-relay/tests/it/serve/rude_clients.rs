//! Clients that speak as no client should: over a bare socket, byte for byte.

use reqwest::{Method, StatusCode};
use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::receiver::{PATIENCE, Receiver};
use super::stage::{HEAD, Stage, endpoint, in_time};

const ONE: &str = r#"{"type":"x","data":1}"#;

/// Sends this and hangs up on its side; gives all that is answered.
async fn say(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The relay may have had enough before it has read all of it.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    hear(stream).await
}

async fn hear(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    drop(read.expect("the connection ends"));
    String::from_utf8_lossy(&answer).into_owned()
}

fn statuses(answer: &str) -> Vec<&str> {
    // Bodies do not end with a line.
    answer.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

fn post(head: &str, body: &str) -> String {
    format!("POST /events HTTP/1.1\r\nhost: x\r\n{head}\r\n{body}")
}

#[tokio::test]
async fn what_is_said_over_a_bare_socket_is_answered_or_shown_out() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    let address = stage.service.address();
    let length = ONE.len();
    let many = "x: 1\r\n".repeat(100);
    let chunked =
        ONE.chars().fold(String::new(), |chunks, byte| chunks + "1\r\n" + &byte.to_string() + "\r\n");
    let with_length = format!("content-length: {length}\r\n");
    for (what, said, wanted) in [
        ("a body as it should be", post(&with_length, ONE), &["202"][..]),
        (
            "one byte in each chunk",
            post("transfer-encoding: chunked\r\n", &format!("{chunked}0\r\n\r\n")),
            &["202"],
        ),
        (
            "trailers",
            post("transfer-encoding: chunked\r\n", &format!("{chunked}0\r\nx: y\r\n\r\n")),
            &["202"],
        ),
        ("a body without a length", post("", ONE), &["400", "400"]),
        ("nothing", String::new(), &[]),
        ("noise", "\u{0}\u{1}\u{2}\r\n\r\n".to_owned(), &["400"]),
        ("another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[]),
        ("a length below zero", post("content-length: -1\r\n", ""), &["400"]),
        ("a length beyond all", post("content-length: 100000000000000000000\r\n", ""), &["400"]),
        ("two lengths", post("content-length: 1\r\ncontent-length: 2\r\n", "{}"), &["400"]),
        ("more than is allowed", post("content-length: 1000000000000\r\n", "{"), &["413"]),
        ("a chunk that is none", post("transfer-encoding: chunked\r\n", "zz\r\n{}\r\n"), &["400"]),
        ("a chunk without end", post("transfer-encoding: chunked\r\n", "ffffffffffffffff\r\n{"), &["400"]),
        ("a body that is torn", post("content-length: 100\r\n", "{\"type\""), &["400"]),
        ("a hundred headers", post(&many, ""), &["431"]),
        ("a folded header", "GET /healthz HTTP/1.1\r\nhost: x\r\n  y\r\n\r\n".to_owned(), &["400"]),
        ("a line feed in a path", "GET /heal\nthz HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), &["400"]),
    ] {
        let answer = say(address, said.as_bytes()).await;
        assert_eq!(statuses(&answer), wanted, "{what}: {answer}");
        assert_eq!(stage.api.get("/healthz").await.0, StatusCode::OK);
    }
    // A length and chunks at once: whichever counts, what comes behind it is no request of its own.
    let smuggled = post(
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        &format!("0\r\n\r\n{}", post(&with_length, ONE)),
    );
    let answer = say(address, smuggled.as_bytes()).await;
    assert!(!answer.contains(" 202 "), "{answer}");
    let (_, metrics) = stage.api.get("/metrics").await;
    assert!(metrics.as_str().unwrap().contains("dayfly_relay_events_accepted_total 3\n"), "{metrics}");
    receiver.count(3).await;
}

#[tokio::test]
async fn requests_that_come_at_once_are_answered_in_their_order() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    let mut said = String::new();
    for number in 0..40 {
        let body = format!(r#"{{"id":"{number}","type":"x","key":"k","data":1}}"#);
        said += &post(&format!("content-length: {}\r\n", body.len()), &body);
    }
    said += "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = say(stage.service.address(), said.as_bytes()).await;
    let mut wanted = vec!["202"; 40];
    wanted.extend(["200", "404"]);
    assert_eq!(statuses(&answer), wanted, "{answer}");
    receiver.count(40).await;
    assert_eq!(receiver.ids(), (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_its_events_whole() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    let body = (0..50)
        .map(|number| format!(r#"{{"id":"{number}","type":"x","data":1}}"#))
        .collect::<Vec<_>>()
        .join("\n");
    let said = post(&format!("content-length: {}\r\n", body.len()), &body);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(stage.service.address()).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        drop(stream);
    }
    // All of a request is taken in, or nothing: sent again, the rest of it is added, and nothing twice.
    let (_, answer) = stage.api.post("/events", body).await;
    assert_eq!(answer["events"].as_array().unwrap().len(), 50);
    stage.settled().await;
    let mut ids: Vec<u32> = receiver.ids().iter().map(|id| id.parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..50).collect::<Vec<_>>());
}

/// Whatever it still has to say: the time that is given is for all of it, and not for each byte.
#[tokio::test]
async fn a_client_that_drips_is_shown_out() {
    let limits = "[limits]\nrequest_timeout = \"300ms\"\nbody_bytes = 268435456\n";
    let stage = Stage::open_as(&format!("{HEAD}store = \"memory\"\n{limits}")).await;
    for (head, drip) in [
        ("POST /events HTTP/1.1\r\nhost: x\r\nx: ".to_owned(), "y"),
        (post("content-length: 200000000\r\n", ""), " "),
        (post("transfer-encoding: chunked\r\n", ""), "1\r\n \r\n"),
    ] {
        let stream = TcpStream::connect(stage.service.address()).await.unwrap();
        let (mut reads, mut writes) = stream.into_split();
        writes.write_all(head.as_bytes()).await.unwrap();
        let drips = async {
            while writes.write_all(drip.as_bytes()).await.is_ok() {
                tokio::task::yield_now().await;
            }
            std::future::pending::<()>().await;
        };
        let mut answer = Vec::new();
        let heard = async {
            tokio::select! {
                () = drips => {}
                read = reads.read_to_end(&mut answer) => drop(read),
            }
        };
        in_time("it is shown out", heard).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.contains(" 408 ") || answer.contains(" 431 "), "{answer}");
    }
}

#[tokio::test]
async fn bodies_of_every_kind_are_taken_as_they_are_or_not_at_all() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "key = \"/data/k\"")).await;
    let bracket = |open: &str, close: &str| open.repeat(100_000) + "1" + &close.repeat(100_000);
    for (what, body, wanted) in [
        ("100,000 arrays", bracket("[", "]").into_bytes(), "expected an event"),
        (
            "100,000 arrays as data",
            format!(r#"{{"type":"x","data":{}}}"#, bracket("[", "]")).into_bytes(),
            "nested deeper",
        ),
        (
            "100,000 arrays without end",
            format!(r#"{{"type":"x","data":{}"#, "[".repeat(200_000)).into_bytes(),
            "EOF",
        ),
        (
            "100,000 objects as a type",
            format!(r#"{{"type":{}"#, r#"{"a":"#.repeat(100_000)).into_bytes(),
            "invalid type: map",
        ),
        (
            "100,000 objects beside it",
            format!(r#"{{"more":{}"#, r#"{"a":"#.repeat(100_000)).into_bytes(),
            "unknown field",
        ),
        ("no UTF-8 in the data", b"{\"type\":\"x\",\"data\":\"\xff\xfe\"}".to_vec(), "invalid"),
        ("no UTF-8 around it", b"\xff\xfe{\"type\":\"x\",\"data\":1}".to_vec(), "expected value"),
        ("UTF-16", ONE.encode_utf16().flat_map(u16::to_le_bytes).collect(), "key must be a string"),
        ("a byte order mark", format!("\u{feff}{ONE}").into_bytes(), "expected value"),
        ("half a surrogate in a key", br#"{"type":"x","key":"\ud800","data":1}"#.to_vec(), "hex escape"),
        ("the fields in their order", br#"[[null,"x",null,1]]"#.to_vec(), "expected an event"),
        ("a number with a comma", br#"{"type":"x","data":1,5}"#.to_vec(), "key must be a string"),
    ] {
        let request = stage.api.request(Method::POST, "/events").body(body);
        let (status, answer) = stage.api.ask(request).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == StatusCode::BAD_REQUEST && error.contains(wanted), "{what}: {status} {answer}");
        assert!(error.len() < 500, "{what}: {} bytes of error", error.len());
    }
    let datas = [
        r#"{"k":1,"a":1e999999,"b":-0,"c":123456789012345678901234567890}"#,
        r#"{"k":1,"twice":1,"twice":2}"#,
        r#"{"k":1,"half":"\ud800"}"#,
        "{\t\"k\" : 1, \"\u{202e}\":\"\\u0000\u{fffd}\u{10ffff}\" }",
        r#"{"k":0.1e1}"#,
    ];
    let lines: Vec<String> = datas.iter().map(|data| format!(r#"{{"type":"x","data":{data}}}"#)).collect();
    let body = format!("\r\n\r\n{}\r\n\r\n \r\n", lines.join("\r\n"));
    let request = stage.api.request(Method::POST, "/events").header("content-type", "application/x-ndjson");
    let (_, answer) = stage.api.ask(request.body(body)).await;
    assert_eq!(answer["accepted"], datas.len(), "{answer}");
    let got = receiver.count(datas.len()).await;
    let mut bodies: Vec<String> =
        got.into_iter().map(|got| String::from_utf8(got.body.to_vec()).unwrap()).collect();
    // Those with the key 1 in their order; the last one has the key 1.0, which is another.
    let last = bodies.iter().position(|body| body.ends_with(&format!("\"data\":{}}}", datas[4]))).unwrap();
    bodies.remove(last);
    for (body, data) in bodies.iter().zip(datas) {
        assert!(body.ends_with(&format!("\"data\":{data}}}")), "{body}");
    }
}

#[tokio::test]
async fn names_that_look_like_others_are_nobodys() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    let long = "a".repeat(9_000);
    for name in [
        "%6fne%00",
        "o%6ee/",
        "%D0%BEne",
        "%EF%BD%8Fne",
        "one%20",
        "%2e%2e",
        "..%2fone",
        "One",
        "one%E2%80%8B",
        "%ff",
        "%",
        "%zz",
        &long,
    ] {
        let path = format!(
            "POST /endpoints/{name}/enable HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let answer = say(stage.service.address(), path.as_bytes()).await;
        let status = statuses(&answer);
        assert!(status == ["404"] || status == ["400"], "{name}: {answer}");
        assert!(answer.contains("{\"error\":"), "{name}: {answer}");
        let request = json!({ "endpoint": name });
        let (status, answer) = stage.api.post("/events/replay", request.to_string()).await;
        assert!(status == StatusCode::NOT_FOUND && answer["error"].is_string(), "{name}: {answer}");
    }
    // Its own name, in another spelling of the same bytes.
    let (status, _) = stage.api.post("/endpoints/%6f%6e%65/enable", "").await;
    assert_eq!(status, StatusCode::OK);
}
