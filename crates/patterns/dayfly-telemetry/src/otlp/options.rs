//! Where a collector is, and what goes there.

use std::time::Duration;

use dayfly_signal::setting::kept;
use http::Uri;

use super::OpenError;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// Where an [`Otlp`](super::Otlp) sends to, and what.
///
/// | option | default | what it says |
/// |---|---|---|
/// | [`new`](Self::new) | | the collector's URL, without `/v1/...`; `https` goes through rustls with ring |
/// | [`service_name`](Self::service_name) | `dayfly` | the application's name, `service.name` |
/// | [`interval`](Self::interval) | 10 s | how often metrics are sent; spans go every 5 s, or when 512 wait |
/// | [`timeout`](Self::timeout) | 5 s | how long one request may take |
/// | [`sample`](Self::sample) | 1.0 | which share of traces is sent |
/// | [`filter`](Self::filter) | `info` | which spans, and which events in them, are sent |
/// | [`log`](Self::log) | none | which events are written to stderr as well |
///
/// The variable `OTEL_EXPORTER_OTLP_HEADERS` adds headers, `OTEL_RESOURCE_ATTRIBUTES` attributes; what stands here wins.
///
/// With the feature `serde` they are read from configuration, and written to it. `endpoint` has no default:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly_telemetry::OtlpOptions;
/// let read: OtlpOptions = toml::from_str(
///     r#"
///     endpoint = "http://localhost:4318"
///     service_name = "relay"
///     interval = "30s"
///     "#,
/// ).unwrap();
/// let same = OtlpOptions::new("http://localhost:4318").service_name("relay").interval(Duration::from_secs(30));
/// assert_eq!(read, same);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpOptions {
    pub(super) endpoint: String,
    pub(super) service_name: String,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) sample: f64,
    pub(super) filter: String,
    pub(super) log: Option<String>,
}

impl OtlpOptions {
    /// The defaults of the table above, for the collector at this URL, such as `http://localhost:4318`.
    ///
    /// Whether it is a URL is looked at by [`open`](super::Otlp::open).
    #[must_use]
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            service_name: "dayfly".to_owned(),
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            sample: 1.0,
            filter: "info".to_owned(),
            log: None,
        }
    }

    /// Sets the application's name.
    #[must_use]
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = name.into();
        self
    }

    /// Sets how often metrics are sent, in real time.
    ///
    /// # Panics
    /// When `interval` is zero.
    #[must_use]
    #[track_caller]
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = kept(rules::interval(interval));
        self
    }

    /// Sets how long one request may take, in real time.
    ///
    /// # Panics
    /// When `timeout` is zero.
    #[must_use]
    #[track_caller]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = kept(rules::timeout(timeout));
        self
    }

    /// Sets which share of traces is sent: 0.0 none, 1.0 all. A trace is sent as a whole or not at all.
    ///
    /// # Panics
    /// When `share` does not lie between 0 and 1.
    #[must_use]
    #[track_caller]
    pub const fn sample(mut self, share: f64) -> Self {
        self.sample = kept(rules::sample(share));
        self
    }

    /// Sets which spans, and which events in them, are sent: a level, or levels by target (`info,my_crate=debug`).
    #[must_use]
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Writes the events that this filter means to stderr as well.
    #[must_use]
    pub fn log(mut self, filter: impl Into<String>) -> Self {
        self.log = Some(filter.into());
        self
    }

    /// Writes nothing to stderr.
    #[must_use]
    pub fn without_log(mut self) -> Self {
        self.log = None;
        self
    }

    /// The collector's URL, to which the paths of OTLP are added.
    pub(super) fn base(&self) -> Result<&str, OpenError> {
        let wrong = || OpenError::Endpoint { endpoint: self.endpoint.clone() };
        let uri: Uri = self.endpoint.parse().map_err(|_| wrong())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        // A query cannot be followed by a path.
        let is_base = is_http && has_host && uri.query().is_none();
        if is_base { Ok(self.endpoint.trim_end_matches('/')) } else { Err(wrong()) }
    }
}
