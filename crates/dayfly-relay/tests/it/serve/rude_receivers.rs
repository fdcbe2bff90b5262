//! Receivers that answer as no receiver should. Each costs its own event and nobody else's time.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::receiver::Receiver;
use super::stage::{Stage, endpoint};

/// What a receiver sends in answer to whatever it gets.
#[derive(Clone, Debug)]
enum Answer {
    /// This, and then it hangs up.
    Once(Vec<u8>),
    /// The first, and then nothing more, without hanging up.
    Silence(Vec<u8>),
    /// The first, and then the second again and again, for as long as somebody listens.
    Endless(Vec<u8>, Vec<u8>),
}

/// What becomes of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    /// Given up after so many attempts.
    Parked(u64),
    Disabled,
}

const ATTEMPTS: u64 = 2;

/// More than any answer may make the relay read.
const MOST_READ: usize = 16 << 20;

struct Rude {
    url: String,
    sent: Arc<AtomicUsize>,
    _server: JoinSet<()>,
}

impl Rude {
    async fn open(answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let sent = Arc::new(AtomicUsize::new(0));
        let mut server = JoinSet::new();
        let counted = Arc::clone(&sent);
        server.spawn(async move {
            let mut talks = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // Whoever hangs up on it ends that talk and nothing else.
                let talk = talk(stream, answer.clone(), Arc::clone(&counted));
                talks.spawn(async move { drop(talk.await) });
            }
        });
        Self { url, sent, _server: server }
    }
}

async fn talk(mut stream: TcpStream, answer: Answer, sent: Arc<AtomicUsize>) -> std::io::Result<()> {
    let mut request = vec![0; 4_096];
    if stream.read(&mut request).await? == 0 {
        return Ok(());
    }
    let (first, again, hangs_up) = match answer {
        Answer::Once(first) => (first, None, true),
        Answer::Silence(first) => (first, None, false),
        Answer::Endless(first, again) => (first, Some(again), false),
    };
    stream.write_all(&first).await?;
    while let Some(again) = &again {
        stream.write_all(again).await?;
        sent.fetch_add(again.len(), Ordering::Relaxed);
    }
    if hangs_up {
        return stream.shutdown().await;
    }
    // Until the relay has had enough.
    while stream.read(&mut request).await? > 0 {}
    Ok(())
}

fn status(line: &str, headers: &str) -> Answer {
    Answer::Once(format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n{headers}\r\n").into_bytes())
}

/// Each with a name of its own.
fn answers(elsewhere: &str) -> Vec<(&'static str, Answer, Fate)> {
    use Answer::{Endless, Once, Silence};
    let text = |text: &str| text.as_bytes().to_vec();
    let late = |pause: &str| status("429 Too Many Requests", &format!("retry-after: {pause}\r\n"));
    let mut answers = vec![
        ("silent", Silence(vec![]), Fate::Parked(ATTEMPTS)),
        ("hangs-up", Once(vec![]), Fate::Parked(ATTEMPTS)),
        ("torn-status", Once(text("HTTP/1.1 20")), Fate::Parked(ATTEMPTS)),
        ("torn-head", Once(text("HTTP/1.1 200 OK\r\ncontent-le")), Fate::Parked(ATTEMPTS)),
        ("noise", Once(vec![0xff; 64]), Fate::Parked(ATTEMPTS)),
        ("endless-noise", Endless(vec![], vec![0xff; 4_096]), Fate::Parked(ATTEMPTS)),
        ("other-protocol", Once(text("HTTP/9.9 200 OK\r\n\r\n")), Fate::Parked(ATTEMPTS)),
        (
            "two-lengths",
            Once(text("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab")),
            Fate::Parked(ATTEMPTS),
        ),
        (
            "endless-head",
            Endless(text("HTTP/1.1 200 OK\r\n"), text(&format!("x: {}\r\n", "x".repeat(4_000)))),
            Fate::Parked(ATTEMPTS),
        ),
        ("endless-status", Endless(text("HTTP/1.1 200 "), vec![b'x'; 4_096]), Fate::Parked(ATTEMPTS)),
        (
            "endless-hints",
            Endless(vec![], text("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")),
            Fate::Parked(ATTEMPTS),
        ),
        ("continues", Silence(text("HTTP/1.1 100 Continue\r\n\r\n")), Fate::Parked(ATTEMPTS)),
        // Once the status is there, it counts, whatever becomes of the rest.
        (
            "hint-then-well",
            Once(text("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")),
            Fate::Delivered,
        ),
        ("torn-body", Once(text("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")), Fate::Delivered),
        ("late-body", Silence(text("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")), Fate::Delivered),
        (
            "torn-chunk",
            Once(text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")),
            Fate::Delivered,
        ),
        (
            "endless-body",
            Endless(
                text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
                text(&format!("1000\r\n{}\r\n", "x".repeat(4_096))),
            ),
            Fate::Delivered,
        ),
        (
            "endless-failure",
            Endless(
                text("HTTP/1.1 404 Not Found\r\ncontent-length: 1000000000000\r\n\r\n"),
                vec![b'x'; 4_096],
            ),
            Fate::Parked(1),
        ),
        (
            "no-content-and-some",
            Once(text("HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\nabc")),
            Fate::Delivered,
        ),
        ("other-success", status("299 Fine", ""), Fate::Delivered),
        (
            "switches",
            status("101 Switching Protocols", "upgrade: x\r\nconnection: upgrade\r\n"),
            Fate::Parked(1),
        ),
        ("moved", status("302 Found", &format!("location: {elsewhere}\r\n")), Fate::Parked(1)),
        (
            "moved-for-good",
            status("308 Permanent Redirect", &format!("location: {elsewhere}\r\n")),
            Fate::Parked(1),
        ),
        ("strange", status("999 Whatever", ""), Fate::Parked(1)),
        ("goodbye", status("410 Gone", "retry-after: 100000000000000000000\r\n"), Fate::Disabled),
        (
            "two-pauses",
            status("503 Busy", "retry-after: 0\r\nretry-after: 100000\r\n"),
            Fate::Parked(ATTEMPTS),
        ),
        (
            "pause-in-no-text",
            Once([&b"HTTP/1.1 429 No\r\ncontent-length: 0\r\nretry-after: \xff\xfe\r\n\r\n"[..]].concat()),
            Fate::Parked(ATTEMPTS),
        ),
    ];
    for (name, pause) in [
        ("pause-below-zero", "-1"),
        ("pause-beyond-all", "100000000000000000000"),
        ("pause-at-the-end", "18446744073709551615"),
        ("pause-in-the-past", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("pause-far-off", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("pause-nowhere", "Wed, 32 Oct 2015 07:28:00 GMT"),
        ("pause-in-words", "soon"),
        ("pause-of-nothing", ""),
    ] {
        answers.push((name, late(pause), Fate::Parked(ATTEMPTS)));
    }
    answers
}

#[tokio::test]
async fn whatever_a_receiver_answers_it_costs_its_own_event_alone() {
    let well = Receiver::open().await;
    let mut file = endpoint("well", &well.url(), "");
    let mut rude = BTreeMap::new();
    for (name, answer, fate) in answers(&well.url()) {
        let receiver = Rude::open(answer).await;
        let more = "timeout = \"400ms\"";
        let one = endpoint(name, &receiver.url, more);
        file += &one.replace("attempts = 3", &format!("attempts = {ATTEMPTS}")).replace("\"2s\"", "\"20ms\"");
        rude.insert(name, (receiver, fate));
    }
    let stage = Stage::open(&file).await;
    stage.api.hand_in("a", "k").await;
    well.count(1).await;
    stage.settled().await;
    let (_, told) = stage.api.get("/endpoints").await;
    for told in told["endpoints"].as_array().unwrap() {
        let name = told["name"].as_str().unwrap();
        let Some((receiver, fate)) = rude.get(name) else { continue };
        let is = match (&told["disabled"], told["delivered"].as_u64(), told["attempts"].as_u64()) {
            (Value::Null, Some(1), _) => Fate::Delivered,
            (Value::Null, _, attempts) => Fate::Parked(attempts.unwrap()),
            _ => Fate::Disabled,
        };
        assert_eq!(is, *fate, "{name}: {told}");
        let sent = receiver.sent.load(Ordering::Relaxed);
        assert!(sent < MOST_READ, "{name} could send {sent} bytes");
        if *fate != Fate::Delivered {
            let (_, listed) = stage.api.get(&format!("/events?state=parked&endpoint={name}")).await;
            let error = listed["events"][0]["error"].as_str().unwrap();
            assert!(error.len() < 1_000, "{name}: {error}");
        }
    }
    assert_eq!(well.got().len(), 1, "nobody is redirected to it");
    stage.api.hand_in("b", "k").await;
    well.count(2).await;
}
