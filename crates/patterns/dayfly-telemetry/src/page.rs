//! The figures of the process as a page for Prometheus to scrape.
//!
//! ```text
//! counter!(..) -> Writer, a recorder of `metrics` -> Families -> text()
//!                    |
//!                    +-> the recorder after it, if there is one: the bridge to a collector
//! ```

mod families;
mod text;
mod writer;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use self::families::Families;
use self::writer::Writer;
use crate::install::InstallError;

/// The figures of the process as a page for Prometheus to scrape: everything that is told to the facade `metrics`, by
/// Dayfly or anybody else.
///
/// [`install`](Self::install) it before what tells figures is made, and answer a request with its [`text`](Self::text). Where
/// the figures go to a collector too, it is `Otlp::install_with` that installs both. Clones are the same page.
///
/// Names and units become what Prometheus takes, as OpenTelemetry says: `dayfly.retry.attempts` is
/// `dayfly_retry_attempts_total` there, and a distribution in seconds ends in `_seconds`. Distributions are buckets. At most
/// 4,096 series are shown; what is told of further ones is not.
///
/// ```
/// use dayfly_telemetry::PrometheusPage;
///
/// let page = PrometheusPage::new();
/// page.install()?;
/// // ... the application ...
/// let (content_type, body) = (PrometheusPage::CONTENT_TYPE, page.text());
/// # assert!(content_type.starts_with("text/plain") && body.is_empty());
/// # Ok::<(), dayfly_telemetry::InstallError>(())
/// ```
#[derive(Clone, Default)]
pub struct PrometheusPage {
    families: Arc<Mutex<Families>>,
}

impl PrometheusPage {
    /// What kind of text it is, for the header `Content-Type`.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// A page that nothing has been told of.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes this the recorder of `metrics` for the whole process.
    ///
    /// # Errors
    /// When there is another recorder already: then figures go that way.
    pub fn install(&self) -> Result<(), InstallError> {
        metrics::set_global_recorder(self.writer()).map_err(|_| InstallError::MetricsInUse)
    }

    /// Every figure as it is now, families and series in order.
    #[must_use]
    pub fn text(&self) -> String {
        self.families.lock().unwrap_or_else(PoisonError::into_inner).text()
    }

    fn writer(&self) -> Writer {
        Writer::new(Arc::clone(&self.families), None)
    }

    /// The recorder that writes this page and tells `next` the same.
    #[cfg(feature = "otlp")]
    pub(crate) fn before(
        &self,
        next: Box<dyn metrics::Recorder + Send + Sync>,
    ) -> impl metrics::Recorder + Send + Sync + use<> {
        Writer::new(Arc::clone(&self.families), Some(next))
    }
}

impl fmt::Debug for PrometheusPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusPage").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
