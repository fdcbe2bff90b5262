//! Carries requests to the collector, on a runtime of its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use reqwest::Client;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use super::OpenError;

/// The most of an answer that is read.
const MOST_BYTES: usize = 64 * 1024;

/// What has become of the requests to a collector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exports {
    /// Requests that the collector took.
    pub delivered: u64,
    /// Requests that it refused, or that did not reach it, or not in time. Some are tried again.
    pub failed: u64,
    /// Why the last of these failed.
    pub last_error: Option<Arc<str>>,
}

/// A client of HTTP that any thread may wait for, whether or not it has a runtime.
#[derive(Clone, Debug)]
pub(super) struct Courier {
    client: Client,
    runtime: Handle,
    exports: Arc<watch::Sender<Exports>>,
}

impl Courier {
    pub(super) fn new(runtime: Handle, timeout: Duration) -> Result<Self, OpenError> {
        // An error says that there is one already, which is as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = || {
            let builder = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
            builder.retry(reqwest::retry::never()).timeout(timeout)
        };
        // A machine without root certificates can still reach a collector over plain HTTP.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let client = client.map_err(|error| OpenError::Client(error.to_string()))?;
        Ok(Self { client, runtime, exports: Arc::default() })
    }

    pub(super) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(super) fn exports(&self) -> watch::Receiver<Exports> {
        self.exports.subscribe()
    }

    fn note(&self, failure: Option<Arc<str>>) {
        self.exports.send_modify(|exports| match failure {
            None => exports.delivered += 1,
            Some(failure) => {
                exports.failed += 1;
                exports.last_error = Some(failure);
            }
        });
    }
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // What the client traces about this must not become the next thing to send.
        let sent = send(self.client.clone(), request).with_subscriber(NoSubscriber::default());
        let answer = match self.runtime.spawn(sent).await {
            Ok(answer) => answer,
            Err(ended) => Err(ended.into()),
        };
        self.note(match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the collector answered {}", answer.status()).into()),
            Err(error) => Some(whole(&**error)),
        });
        answer
    }
}

async fn send(client: Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    // The collector's URL may have a secret in its path, and what failed is told on.
    let mut answer = client.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err("the collector's answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(response.body(body.freeze())?)
}

/// An error with what caused it: "error sending request" alone helps nobody.
fn whole(error: &(dyn std::error::Error + 'static)) -> Arc<str> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    dayfly::contain::brief(&texts.join(": "))
}
