//! One delivery attempt: sign, send, and understand the answer.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url};

use super::addresses::PublicOnly;
use super::log::chain;
use super::unix_millis;
use crate::webhook::{self, Secret};

/// The most that is read of an answer. Its text is of no use, but a read answer leaves its connection usable.
const ANSWER_BYTES: usize = 16 * 1024;

/// How long is waited for the rest of an answer once its status is known.
const ANSWER_REST: Duration = Duration::from_secs(1);

/// Nobody who is well takes longer to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Who we are, to those whom we deliver to.
const AGENT: &str = concat!("dayfly-relay/", env!("CARGO_PKG_VERSION"));

/// Where an attempt goes, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) url: &'a Url,
    pub(crate) secrets: &'a [Secret],
    pub(crate) timeout: Duration,
}

/// Why an attempt did not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
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

/// The clients of all endpoints: one that connects to public addresses only, and one that connects to any.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    public: Client,
    any: Client,
}

impl Clients {
    /// Clients that do what they are told once: no redirects, no proxies, no retries of their own.
    ///
    /// # Errors
    /// When the system gives no client what it needs.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        // An error says that there is one already, which is as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        Ok(Self { public: built(|| plain().dns_resolver(PublicOnly::shared()))?, any: built(plain)? })
    }

    /// The client of an endpoint.
    pub(crate) fn get(&self, private_too: bool) -> &Client {
        if private_too { &self.any } else { &self.public }
    }
}

fn plain() -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
}

/// A machine without root certificates can still deliver over plain HTTP; there, every attempt over TLS fails.
fn built(builder: impl Fn() -> ClientBuilder) -> Result<Client, reqwest::Error> {
    builder().build().or_else(|_| builder().tls_certs_only([]).build())
}

/// Delivers a body once, signed for this attempt.
///
/// # Errors
/// When the receiver does not confirm it. It may have taken the event all the same.
///
/// # Cancel safety
/// When the future is dropped, the receiver may have the event or not, as after any error.
pub(crate) async fn attempt(
    client: &Client,
    target: Target<'_>,
    id: &str,
    body: Vec<u8>,
) -> Result<StatusCode, Refusal> {
    let timestamp = unix_millis() / 1_000;
    let request = client
        .post(target.url.clone())
        .timeout(target.timeout)
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, "application/json")
        .header(webhook::ID, id)
        .header(webhook::TIMESTAMP, timestamp)
        .header(webhook::SIGNATURE, webhook::sign(target.secrets, id, timestamp, &body))
        .body(body);
    let answer = request.send().await.map_err(Refusal::connection)?;
    let (status, retry_after) = (answer.status(), retry_after(answer.headers(), SystemTime::now()));
    // The status says it all. What comes after it may be endless, late or torn, and changes nothing.
    drop(tokio::time::timeout(ANSWER_REST, read_rest(answer)).await);
    if status.is_success() { Ok(status) } else { Err(Refusal::Status { status, retry_after }) }
}

async fn read_rest(mut answer: Response) {
    let mut read = 0;
    while let Ok(Some(part)) = answer.chunk().await {
        read += part.len();
        if read > ANSWER_BYTES {
            return;
        }
    }
}

/// How long to wait: the header says so many seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than there are numbers for is for ever.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    // A date that has passed asks for nothing more.
    Some(date.duration_since(now).unwrap_or_default())
}

impl Refusal {
    /// The URL is left out: it may have secrets in it.
    fn connection(error: reqwest::Error) -> Self {
        Self::Connection(chain(&error.without_url()))
    }

    /// Whether another attempt may fare better.
    #[must_use]
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Status { status, .. } => {
                status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
            }
        }
    }

    /// Whether it speaks against the receiver's health. One that asks for a pause is well.
    #[must_use]
    pub(crate) fn is_breakdown(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Status { status, .. } => status.is_server_error(),
        }
    }

    /// Whether the receiver wants no more events, ever.
    #[must_use]
    pub(crate) fn is_goodbye(&self) -> bool {
        matches!(self, Self::Status { status, .. } if *status == StatusCode::GONE)
    }

    /// Whether the receiver has too much to do, whatever it says about a pause.
    #[must_use]
    pub(crate) fn is_overload(&self) -> bool {
        matches!(self, Self::Status { status, .. } if matches!(status.as_u16(), 429 | 502 | 504))
    }

    /// How long the receiver asks to be left alone.
    #[must_use]
    pub(crate) fn retry_after(&self) -> Option<Duration> {
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
        assert!([408, 425, 429, 500, 502, 503, 504].iter().all(|&code| status(code).is_passing()));
        assert!(![301, 400, 401, 404, 410, 413].iter().any(|&code| status(code).is_passing()));
        assert!(Refusal::Connection(String::new()).is_passing());
        assert!(!status(429).is_breakdown() && status(503).is_breakdown());
        assert!(status(410).is_goodbye() && !status(404).is_goodbye());
        assert!([429, 502, 504].iter().all(|&code| status(code).is_overload()));
        assert!(![200, 408, 410, 500, 501, 503, 505].iter().any(|&code| status(code).is_overload()));
    }

    #[test]
    fn a_pause_is_read_in_seconds_and_as_a_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers, now).map(|pause| pause.as_secs())
        };
        assert_eq!(
            (read("2"), read(" 0 "), read("18446744073709551615")),
            (Some(2), Some(0), Some(u64::MAX))
        );
        assert_eq!(read("Wed, 21 Oct 2015 07:30:00 GMT"), Some(120));
        assert_eq!(read("Wednesday, 21-Oct-15 07:30:00 GMT"), Some(120));
        assert_eq!(read("Wed, 21 Oct 2015 07:20:00 GMT"), Some(0));
        assert_eq!(read("100000000000000000000"), Some(u64::MAX));
        for nonsense in
            ["-1", "+1", "", "soon", "1.5", "1e3", "0x10", "1, 2", "Wed, 32 Oct 2015 07:28:00 GMT"]
        {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
