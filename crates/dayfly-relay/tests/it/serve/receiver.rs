//! A receiver that keeps what it is sent and answers as the test says.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Longer than anything takes that works; only a test that fails waits for so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) id: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Got {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How a request is answered: by the number of the request for its id, 0 for the first.
type Conduct = Box<dyn Fn(&Got, usize) -> Response + Send + Sync>;

struct Desk {
    got: Mutex<Vec<Got>>,
    /// Requests for each id.
    numbers: Mutex<HashMap<String, usize>>,
    conduct: Mutex<Conduct>,
    more: Notify,
    /// While it is held, nobody is answered.
    gate: tokio::sync::RwLock<()>,
}

/// A receiver on a free port.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    desk: Arc<Desk>,
    _server: JoinSet<()>,
}

impl Receiver {
    /// One that takes everything.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let conduct: Conduct = Box::new(|_, _| StatusCode::NO_CONTENT.into_response());
        let desk = Arc::new(Desk {
            got: Mutex::default(),
            numbers: Mutex::default(),
            conduct: Mutex::new(conduct),
            more: Notify::new(),
            gate: tokio::sync::RwLock::default(),
        });
        let router = Router::new().fallback(post(take)).with_state(Arc::clone(&desk));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, desk, _server: server }
    }

    pub(crate) fn answer<R: IntoResponse>(&self, conduct: impl Fn(&Got, usize) -> R + Send + Sync + 'static) {
        *self.desk.conduct.lock().unwrap() =
            Box::new(move |got, number| conduct(got, number).into_response());
    }

    /// Answers nobody until what is returned is dropped.
    pub(crate) async fn hold(&self) -> tokio::sync::RwLockWriteGuard<'_, ()> {
        self.desk.gate.write().await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.desk.got.lock().unwrap().clone()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.got().into_iter().map(|got| got.id).collect()
    }

    /// Waits until what has come is as wanted, as long as more comes.
    pub(crate) async fn until(&self, wanted: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        loop {
            let more = self.desk.more.notified();
            let mut more = std::pin::pin!(more);
            more.as_mut().enable();
            if wanted(&self.desk.got.lock().unwrap()) {
                return self.got();
            }
            if let Err(late) = tokio::time::timeout(PATIENCE, more).await {
                let ids = self.ids();
                let last = ids.len().saturating_sub(20);
                panic!("{late}: only {} requests came, at last {:?}", ids.len(), &ids[last..]);
            }
        }
    }

    /// Waits for so many requests.
    pub(crate) async fn count(&self, wanted: usize) -> Vec<Got> {
        self.until(|got| got.len() >= wanted).await
    }
}

async fn take(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let id = headers.get("webhook-id").map(|id| id.to_str().unwrap().to_owned()).unwrap_or_default();
    let got = Got { id, headers, body };
    let number = {
        desk.got.lock().unwrap().push(got.clone());
        let mut numbers = desk.numbers.lock().unwrap();
        let number = numbers.entry(got.id.clone()).or_default();
        *number += 1;
        *number - 1
    };
    desk.more.notify_waiters();
    drop(desk.gate.read().await);
    let conduct = desk.conduct.lock().unwrap();
    conduct(&got, number)
}
