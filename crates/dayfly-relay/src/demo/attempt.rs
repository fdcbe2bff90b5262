//! One delivery attempt: sign, send, and understand the answer.

use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode};

use super::inbox::Message;
use super::receiver::unix_time;
use crate::event::Event;
use crate::webhook::{self, Secret};

/// Longer than any slow answer of the demo; whoever takes longer is taken for gone.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The most that is read of an answer. Its text is of no use, but a read answer leaves its connection usable.
const ANSWER_BYTES: usize = 16 * 1024;

/// Why an attempt did not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The receiver answered, and not with success.
    Status {
        /// Its status.
        status: StatusCode,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// No answer, or none that could be read.
    Connection(String),
}

/// A client that does what it is told once: no redirects, no proxies, no retries of its own.
///
/// # Errors
/// When the system gives no client what it needs.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(TIMEOUT)
        .build()
}

/// Delivers an event once, signed for this attempt.
///
/// # Errors
/// When the receiver does not confirm it. It may have taken the event all the same.
///
/// # Cancel safety
/// When the future is dropped, the receiver may have the event or not, as after any error.
pub(super) async fn attempt(
    client: &Client,
    url: &str,
    secrets: &[Secret],
    event: &Event,
) -> Result<(), Refusal> {
    let body = serde_json::to_vec(&Message::from(event)).map_err(|error| Refusal::connection(&error))?;
    let timestamp = unix_time();
    let request = client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(webhook::ID, &event.id)
        .header(webhook::TIMESTAMP, timestamp)
        .header(webhook::SIGNATURE, webhook::sign(secrets, &event.id, timestamp, &body))
        .body(body);
    let mut answer = request.send().await.map_err(|error| Refusal::connection(&error))?;

    let mut read = 0;
    while let Some(part) = answer.chunk().await.map_err(|error| Refusal::connection(&error))? {
        read += part.len();
        if read > ANSWER_BYTES {
            break;
        }
    }
    if answer.status().is_success() {
        return Ok(());
    }
    Err(Refusal::Status { status: answer.status(), retry_after: retry_after(answer.headers()) })
}

/// The header's form in seconds. A date is not understood here, and the usual schedule applies.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

impl Refusal {
    fn connection(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(deeper) = source {
            text = format!("{text}: {deeper}");
            source = deeper.source();
        }
        Self::Connection(text)
    }

    /// Whether another attempt may fare better.
    #[must_use]
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Status { status, .. } => status.is_server_error() || matches!(status.as_u16(), 408 | 429),
        }
    }

    /// Whether it speaks against the receiver's health. One that asks for a pause is well.
    #[must_use]
    pub(super) fn is_breakdown(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Status { status, .. } => status.is_server_error(),
        }
    }

    /// How long the receiver asks to be left alone.
    #[must_use]
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Connection(_) => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { status, .. } => write!(f, "the receiver answered {status}"),
            Self::Connection(error) => write!(f, "no answer: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> Refusal {
        Refusal::Status { status: StatusCode::from_u16(code).unwrap(), retry_after: None }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        assert!([408, 429, 500, 502, 503, 504].iter().all(|&code| status(code).is_passing()));
        assert!(![301, 400, 401, 404, 410, 413].iter().any(|&code| status(code).is_passing()));
        assert!(Refusal::Connection(String::new()).is_passing());
        assert!(!status(429).is_breakdown() && status(503).is_breakdown());
    }

    #[test]
    fn a_pause_is_read_in_seconds() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(read("2"), Some(Duration::from_secs(2)));
        assert_eq!((read("-1"), read("Wed, 21 Oct 2015 07:28:00 GMT"), read("")), (None, None, None));
    }
}
