//! A receiver of webhooks on loopback, over real HTTP: it believes signatures, takes each event once, and has moods.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::faults::{Conduct, Faults};
use super::inbox::{Inbox, Message};
use crate::webhook::{self, Headers, Secret};

/// An event is one path and two names; this is far more than the longest path.
const BODY_BYTES: usize = 256 * 1024;

/// A running receiver.
#[derive(Debug)]
pub(super) struct Receiver {
    address: SocketAddr,
    desk: Arc<Desk>,
    stop: CancellationToken,
    server: JoinSet<io::Result<()>>,
}

/// What a receiver has at the end.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// The events.
    pub(super) inbox: Inbox,
    /// Requests with a good signature.
    pub(super) verified: u64,
    /// Requests that were not believed.
    pub(super) rejected: u64,
    /// How often each event was asked to be taken.
    pub(super) requests: HashMap<String, u64>,
}

#[derive(Debug)]
struct Desk {
    secrets: Vec<Secret>,
    faults: Faults,
    received: Mutex<Received>,
}

impl Receiver {
    /// Opens a receiver on a free port. It drops its first `refused_connections` connections without a word.
    ///
    /// # Errors
    /// When no port can be had.
    ///
    /// # Cancel safety
    /// Nothing is left behind when the future is dropped.
    pub(super) async fn open(
        secrets: Vec<Secret>,
        faults: Faults,
        refused_connections: u64,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk { secrets, faults, received: Mutex::default() });
        let hooks = Router::new()
            .route("/hook", post(take))
            .layer(DefaultBodyLimit::max(BODY_BYTES))
            .with_state(Arc::clone(&desk));

        let stop = CancellationToken::new();
        let mut server = JoinSet::new();
        let door = Door { listener, refuse: refused_connections };
        let serving = axum::serve(door, hooks).with_graceful_shutdown(stop.clone().cancelled_owned());
        server.spawn(serving.into_future());
        Ok(Self { address, desk, stop, server })
    }

    /// Where to send events.
    #[must_use]
    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers what is under way, takes nothing more, and hands over what has arrived.
    ///
    /// # Cancel safety
    /// When the future is dropped, the receiver ends at once and what it has is lost.
    pub(super) async fn close(mut self) -> Received {
        self.stop.cancel();
        while self.server.join_next().await.is_some() {}
        std::mem::take(&mut *self.desk.received())
    }
}

impl Desk {
    /// Nothing that panics runs under this lock, so a poisoned one still guards sound figures.
    fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an authentic request for an event, and says how many there were before it.
    fn count(&self, id: &str) -> u64 {
        let mut received = self.received();
        received.verified += 1;
        let requests = received.requests.entry(id.to_owned()).or_default();
        *requests += 1;
        *requests - 1
    }
}

/// One request, from its signature to its answer.
async fn take(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let id = header(webhook::ID);
    let headers =
        Headers { id, timestamp: header(webhook::TIMESTAMP), signature: header(webhook::SIGNATURE) };
    if let Err(doubt) = webhook::verify(&desk.secrets, headers, &body, unix_time()) {
        desk.received().rejected += 1;
        return (StatusCode::UNAUTHORIZED, doubt.to_string()).into_response();
    }

    let request = desk.count(id);
    let conduct = desk.faults.conduct(id, request);
    match conduct {
        Conduct::Unavailable => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Conduct::TooMany { retry_after } => {
            return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, retry_after.to_string())]).into_response();
        }
        Conduct::ServeSlowly(pause) => tokio::time::sleep(pause).await,
        Conduct::Serve | Conduct::ServeAndDeny | Conduct::ServeAndHangUp => {}
    }

    let message: Message = match serde_json::from_slice(&body) {
        Ok(message) => message,
        Err(wrong) => return (StatusCode::BAD_REQUEST, wrong.to_string()).into_response(),
    };
    if let Err(wrong) = desk.received().inbox.take(id, message) {
        return (StatusCode::BAD_REQUEST, wrong.to_string()).into_response();
    }
    match conduct {
        Conduct::ServeAndDeny => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Conduct::ServeAndHangUp => hang_up(),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

/// An answer whose body fails before its first byte: the connection ends instead.
fn hang_up() -> Response {
    let failure = io::Error::other("the receiver hangs up");
    Body::from_stream(futures_util::stream::once(async { Err::<Bytes, _>(failure) })).into_response()
}

/// Seconds of Unix time, as signatures have them.
fn unix_time() -> u64 {
    crate::serve::unix_millis() / 1_000
}

/// Lets connections in, after it has dropped the first ones. It counts, so an outage ends however fast it is tried.
struct Door {
    listener: TcpListener,
    refuse: u64,
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let accepted = Listener::accept(&mut self.listener).await;
            if self.refuse == 0 {
                return accepted;
            }
            self.refuse -= 1;
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults::TEMPERS;
    use super::*;
    use crate::event::{Change, Event, ObjectId, RepoPath};
    use crate::serve::attempt::{self, Clients, Refusal};

    /// One attempt as the relay makes it.
    async fn attempt(clients: &Clients, url: &str, secrets: &[Secret], event: &Event) -> Result<(), Refusal> {
        let url = url.parse().unwrap();
        let target = attempt::Target { url: &url, secrets, timeout: std::time::Duration::from_secs(10) };
        let body = serde_json::to_vec(&Message::from(event)).unwrap();
        attempt::attempt(clients.get(true), target, &event.id, body).await.map(drop)
    }

    fn client() -> Result<Clients, reqwest::Error> {
        Clients::new()
    }

    fn secrets(byte: u8) -> Vec<Secret> {
        vec![Secret::new(&[byte; 32]).unwrap()]
    }

    fn event(path: &str) -> Event {
        let commit = ObjectId::parse(&"a".repeat(40)).unwrap();
        Event::new(commit, RepoPath::new(path.as_bytes()), 1, Change::Delete)
    }

    /// An event whose first request meets this conduct.
    fn event_that_meets(faults: &Faults, conduct: Conduct) -> Event {
        let mut events = (0..).map(|number| event(&number.to_string()));
        events.find(|event| faults.conduct(&event.id, 0) == conduct).unwrap()
    }

    #[tokio::test]
    async fn a_forged_signature_is_counted_and_nothing_is_taken() {
        let calm = Faults::new(TEMPERS[0], 0.0, 1);
        let receiver = Receiver::open(secrets(1), calm, 0).await.unwrap();
        let refusal =
            attempt(&client().unwrap(), &receiver.url(), &secrets(2), &event("a")).await.unwrap_err();
        assert!(matches!(refusal, Refusal::Status { status: StatusCode::UNAUTHORIZED, .. }));
        assert!(!refusal.is_passing());
        let taken = receiver.close().await;
        assert_eq!((taken.verified, taken.rejected, taken.inbox.taken().len()), (0, 1, 0));
    }

    #[tokio::test]
    async fn an_event_that_was_taken_without_an_answer_is_a_duplicate_the_next_time() {
        let wild = Faults::new(TEMPERS[0], 1.0, 1);
        for conduct in [Conduct::ServeAndHangUp, Conduct::ServeAndDeny] {
            let event = event_that_meets(&wild, conduct);
            let receiver = Receiver::open(secrets(1), wild.clone(), 0).await.unwrap();
            let (client, url) = (client().unwrap(), receiver.url());
            let refusal = attempt(&client, &url, &secrets(1), &event).await.unwrap_err();
            assert_eq!(matches!(refusal, Refusal::Connection(_)), conduct == Conduct::ServeAndHangUp);
            let mut attempts = 2;
            while attempt(&client, &url, &secrets(1), &event).await.is_err() {
                attempts += 1;
            }
            let taken = receiver.close().await;
            assert_eq!((taken.verified, taken.inbox.taken().len()), (attempts, 1));
            assert!((1..attempts).contains(&taken.inbox.duplicates()));
        }
    }

    #[tokio::test]
    async fn an_outage_ends_after_so_many_connections() {
        let receiver = Receiver::open(secrets(1), Faults::new(TEMPERS[0], 0.0, 1), 3).await.unwrap();
        let client = client().unwrap();
        for _ in 0..3 {
            let refusal = attempt(&client, &receiver.url(), &secrets(1), &event("a")).await.unwrap_err();
            assert!(matches!(refusal, Refusal::Connection(_)), "{refusal}");
        }
        assert_eq!(attempt(&client, &receiver.url(), &secrets(1), &event("a")).await, Ok(()));
        assert_eq!(receiver.close().await.verified, 1);
    }

    #[tokio::test]
    async fn what_is_authentic_and_still_no_event_is_refused() {
        let receiver = Receiver::open(secrets(1), Faults::new(TEMPERS[0], 0.0, 1), 0).await.unwrap();
        let now = unix_time();
        let request = client().unwrap().get(true).post(receiver.url()).body("{}");
        let signature = webhook::sign(&secrets(1), "evt_1", now, b"{}");
        let request = request.header(webhook::ID, "evt_1").header(webhook::TIMESTAMP, now);
        let answer = request.header(webhook::SIGNATURE, signature).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert!(receiver.close().await.inbox.taken().is_empty());
    }
}
