//! A service with a file of its own, and what a client does with it.

use std::path::PathBuf;

use dayfly_relay::serve::log::Log;
use dayfly_relay::serve::service::Service;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::receiver::PATIENCE;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How the file begins: whatever port is free, receivers on loopback.
pub(crate) const HEAD: &str = "listen = \"127.0.0.1:0\"\nallow_private_addresses = true\n";

/// The part of a file that names an endpoint, with a retry schedule for tests.
pub(crate) fn endpoint(name: &str, url: &str, more: &str) -> String {
    format!(
        "\n[endpoints.{name}]\nurl = \"{url}\"\nsecrets = [\"{SECRET}\"]\n\
         retry = {{ attempts = 3, base = \"1ms\", cap = \"2s\" }}\n\
         circuit = {{ failure_threshold = 1000, open_for = \"10ms\" }}\n{more}\n"
    )
}

/// A folder with a `relay.toml` in it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new(text: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write(text);
        place
    }

    /// Replaces the file at one stroke, as editors and deployments do.
    pub(crate) fn write(&self, text: &str) {
        let new = self.folder.path().join("new.toml");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("relay.toml")
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// A service in this process, on a store in memory.
pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) service: Service,
    pub(crate) api: Asking,
}

/// Waits for what comes soon where everything works.
pub(crate) async fn in_time<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(came) => came,
        Err(late) => panic!("{late}: {what}"),
    }
}

/// A client of the API.
#[derive(Clone)]
pub(crate) struct Asking {
    client: Client,
    base: String,
}

impl Stage {
    pub(crate) async fn open(endpoints: &str) -> Self {
        Self::open_as(&format!("{HEAD}store = \"memory\"\n{endpoints}")).await
    }

    pub(crate) async fn open_as(text: &str) -> Self {
        let place = Place::new(text);
        let service = Service::start(&place.file(), Log::Silent).await.unwrap();
        let api = Asking::new(&format!("http://{}", service.address()));
        Self { place, service, api }
    }

    /// Waits until nothing waits for any endpoint.
    pub(crate) async fn settled(&self) {
        in_time("nothing waits any more", self.service.relay().idle()).await;
    }

    /// Waits until the configuration of this generation is in force.
    pub(crate) async fn applied(&self, generation: u64) {
        in_time("the configuration is in force", self.service.applied(generation)).await;
    }

    /// Waits until this signal is raised.
    pub(crate) async fn raised(&self, name: &str) {
        in_time(name, self.service.signals().raised(name)).await;
    }
}

impl Asking {
    pub(crate) fn new(base: &str) -> Self {
        // The service has set up TLS for the process by then.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { client, base: base.to_owned() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// The status of an answer and its JSON.
    pub(crate) async fn ask(&self, request: reqwest::RequestBuilder) -> (StatusCode, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body = answer.text().await.unwrap();
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<String>) -> (StatusCode, Value) {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.ask(request.body(body.into())).await
    }

    /// Hands an event in that is taken.
    pub(crate) async fn hand_in(&self, id: &str, key: &str) {
        let event = json!({ "id": id, "type": "order.paid", "key": key, "data": { "id": id } });
        let (status, answer) = self.post("/events", event.to_string()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    }

    /// Hands many in with one request, each with an id and a key.
    pub(crate) async fn hand_in_all(&self, events: impl IntoIterator<Item = (String, String)>) {
        let event = |(id, key)| json!({ "id": id, "type": "order.paid", "key": key, "data": { "id": id } });
        let events: Vec<Value> = events.into_iter().map(event).collect();
        let (status, answer) = self.post("/events", Value::from(events).to_string()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    }

    /// What is told of an endpoint.
    pub(crate) async fn endpoint(&self, name: &str) -> Value {
        let (_, answer) = self.get("/endpoints").await;
        let endpoints = answer["endpoints"].as_array().unwrap();
        endpoints.iter().find(|endpoint| endpoint["name"] == name).cloned().unwrap_or_default()
    }

    /// Asks a program again and again until the answer is as wanted: what changes by itself in another process has no event
    /// to wait for over HTTP. What a service in this process does is waited for at the [`Stage`].
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let (_, answer) = self.get(path).await;
                if wanted(&answer) {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(answer) => answer,
            Err(late) => panic!("{late}: {path} did not become what was wanted: {}", self.get(path).await.1),
        }
    }

    /// Asks a program until nothing waits for any endpoint.
    pub(crate) async fn settled(&self) {
        self.until("/metrics", |text| {
            text.as_str().unwrap().lines().any(|line| line == "dayfly_relay_events_waiting 0")
        })
        .await;
    }
}
