//! The program ends when it is asked to, and says what is wrong when it cannot begin.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

use super::receiver::Receiver;
use super::stage::{Asking, HEAD, Place, endpoint, in_time};
use crate::support::{relay, text};

/// The program at work.
pub(crate) struct Program {
    child: Option<Child>,
    pub(crate) api: Asking,
    pub(crate) address: String,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Program {
    /// Starts the program on a file, and waits until it listens.
    pub(crate) fn start(place: &Place) -> Self {
        Self::start_in(place, &[])
    }

    /// Like [`start`](Self::start), with these variables in its environment.
    pub(crate) fn start_in(place: &Place, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dayfly-relay"))
            .args(["serve", "relay.toml"])
            .current_dir(place.path())
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let address = loop {
            let Some(line) = lines.next() else { panic!("it did not start: {log}") };
            let line = line.unwrap();
            log += &line;
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.to_owned();
            }
        };
        // Somebody has to read what it says, or it would wait for that in the end.
        let log =
            std::thread::spawn(move || lines.map_while(Result::ok).fold(log, |log, line| log + "\n" + &line));
        Self { child: Some(child), api: Asking::new(&address), address, log: Some(log) }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.as_ref().unwrap().id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end; gives its status and what it said.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        let (mut child, log) = (self.child.take().unwrap(), self.log.take().unwrap());
        let wait = tokio::task::spawn_blocking(move || (child.wait().unwrap(), log.join().unwrap()));
        wait.await.unwrap()
    }
}

/// A test that fails leaves no process behind.
impl Drop for Program {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

#[tokio::test]
async fn asked_to_end_it_finishes_what_runs_and_refuses_the_rest() {
    let receiver = Receiver::open().await;
    let hold = receiver.hold().await;
    let place = Place::new(&format!(
        "{HEAD}store = \"memory\"\n{}",
        endpoint("one", &receiver.url(), "max_concurrency = 2")
    ));
    let program = Program::start(&place);
    for number in 0..10 {
        program.api.hand_in(&number.to_string(), &number.to_string()).await;
    }
    receiver.count(2).await;
    program.signal("TERM");
    program.api.until("/readyz", |told| told["ready"] == false).await;
    let (status, answer) = program.api.post("/events", r#"{"type":"x","data":1}"#).await;
    assert_eq!((status.as_u16(), &answer["error"]), (503, &"the relay is shutting down".into()));
    drop(hold);
    let (status, log) = program.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(receiver.got().len(), 2, "nothing new is started");
    assert!(log.contains("asked to end") && log.contains("ended"), "{log}");
}

#[tokio::test]
async fn the_deadline_ends_what_does_not_end_by_itself() {
    let receiver = Receiver::open().await;
    let _hold = receiver.hold().await;
    // Nothing but the deadline ends a request that may take an hour.
    let file = endpoint("one", &receiver.url(), "timeout = \"1h\"");
    let place = Place::new(&format!("{HEAD}store = \"memory\"\ndrain_deadline = \"100ms\"\n{file}"));
    let program = Program::start(&place);
    program.api.hand_in("a", "k").await;
    receiver.count(1).await;
    program.signal("INT");
    let (status, log) = in_time("it ends by its deadline", program.ended()).await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test]
async fn asked_twice_it_ends_at_once_and_keeps_what_was_under_way() {
    let receiver = Receiver::open().await;
    let hold = receiver.hold().await;
    let file = endpoint("one", &receiver.url(), "");
    let place = Place::new(&format!("{HEAD}store = \"redb:relay.db\"\ndrain_deadline = \"1h\"\n{file}"));
    let program = Program::start(&place);
    program.api.hand_in("a", "k").await;
    receiver.count(1).await;
    program.signal("TERM");
    program.api.until("/readyz", |told| told["ready"] == false).await;
    program.signal("TERM");
    let (status, log) = program.ended().await;
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("asked again, they may not"), "{log}");
    drop(hold);
    let program = Program::start(&place);
    program.api.settled().await;
    assert_eq!(receiver.ids(), ["a", "a"]);
    program.signal("TERM");
    assert_eq!(program.ended().await.0.code(), Some(0));
}

#[tokio::test]
async fn what_fails_while_it_ends_is_tried_again_by_the_next_start() {
    let receiver = Receiver::open().await;
    receiver.answer(|_, number| {
        if number == 0 { axum::http::StatusCode::SERVICE_UNAVAILABLE } else { axum::http::StatusCode::OK }
    });
    let hold = receiver.hold().await;
    let place =
        Place::new(&format!("{HEAD}store = \"redb:relay.db\"\n{}", endpoint("one", &receiver.url(), "")));
    let program = Program::start(&place);
    program.api.hand_in("a", "k").await;
    receiver.count(1).await;
    program.signal("TERM");
    program.api.until("/readyz", |told| told["ready"] == false).await;
    drop(hold);
    program.ended().await;
    let program = Program::start(&place);
    program.api.settled().await;
    assert_eq!((receiver.got().len(), &program.api.endpoint("one").await["parked"]), (2, &0.into()));
    program.signal("TERM");
    program.ended().await;
}

#[test]
fn a_wrong_file_is_told_with_its_place() {
    let secret = super::stage::SECRET;
    let bad = format!(
        "store = \"memory\"\n[endpoints.one]\nurl = \"ftp://example.org/s3cr3t\"\nsecrets = [\"{secret}\"]\n"
    );
    for (text_of_file, wanted) in [
        (bad.clone(), "relay.toml:3:7: endpoints.one.url: a URL such as"),
        (
            bad.replace("ftp", "https").replace(&format!("[\"{secret}\"]"), "\"whsec_X\""),
            "endpoints.one.secrets",
        ),
        ("stroe = \"memory\"".to_owned(), "relay.toml:1:1: stroe: unknown key"),
        ("store = ".to_owned(), "relay.toml:1"),
    ] {
        let place = Place::new(&text_of_file);
        for arguments in [&["serve"][..], &["serve", "relay.toml", "--check"]] {
            let output = relay(place.path(), arguments);
            let error = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{error}");
            assert!(error.contains(wanted), "{error}");
            assert!(!error.contains("s3cr3t") && !error.contains("whsec_"), "{error}");
        }
    }
    let place = Place::new("store = \"memory\"");
    assert_eq!(relay(place.path(), &["serve", "--check"]).status.code(), Some(0));
    let missing = relay(place.path(), &["serve", "nowhere.toml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("nowhere.toml"), "{}", text(&missing.stderr));
}

#[test]
fn the_file_that_shows_every_setting_is_right() {
    let shown = include_str!("../../../relay.toml");
    let place = Place::new(shown);
    let output = relay(place.path(), &["serve", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    // The defaults that it shows as comments are values that the file may say.
    let said = shown.replace("# [", "[").replace("\n# ", "\n");
    let said: String = said
        .lines()
        .filter(|line| line.contains(" = ") || line.starts_with('['))
        // A relay that was built without telemetry says so.
        .filter(|line| cfg!(feature = "otlp") || !line.starts_with("otlp = "))
        .fold(String::new(), |said, line| said + line + "\n");
    let place = Place::new(&said);
    let output = relay(place.path(), &["serve", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}\n{said}", text(&output.stderr));
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let place = Place::new(&format!("store = \"memory\"\nlisten = \"{address}\""));
    let output = relay(place.path(), &["serve"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains(&format!("{address} cannot be listened on")),
        "{}",
        text(&output.stderr)
    );
}
