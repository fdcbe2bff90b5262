//! From the spans and figures of the process to a collector.

use std::time::Duration;

use dayfly::SignalSink;
use dayfly_telemetry::{Otlp, OtlpOptions, Telemetry, TelemetryOptions};
use tokio::time::{sleep, timeout};

use super::health::{Change, Health};
use super::{TelemetryError, page};
use crate::serve::log::Log;
use crate::serve::settings::TelemetrySettings;

/// Whose spans are sent: those of deliveries and those of requests. No library's own: nobody here knows what is in them.
const SPANS: &str = "dayfly::operation=info,dayfly_relay=info";

/// The signals that are counted by name, which are those that say how an endpoint is. Endpoints are few.
const COUNTED: &str = "circuit.open.*, rate.limited.*, endpoint.disabled.*";

/// How many names are counted so.
const MOST_NAMES: usize = 1_024;

/// Everything that a collector is sent goes through it.
#[derive(Debug)]
pub(in crate::serve) struct Exporter {
    telemetry: Telemetry,
    otlp: Otlp,
    interval: Duration,
}

impl Exporter {
    /// Starts to send what the settings ask for: without a collector, nothing.
    ///
    /// # Errors
    /// When the system does not give what it takes, or the process sends its spans elsewhere already.
    pub(in crate::serve) fn start(
        settings: &TelemetrySettings,
        signals: &SignalSink,
    ) -> Result<Option<Self>, TelemetryError> {
        let TelemetrySettings { otlp, service_name, interval } = settings;
        let Some(collector) = otlp else { return Ok(None) };
        let options = OtlpOptions::new(collector.as_str())
            .service_name(service_name.as_str())
            .interval(interval.0)
            .filter(SPANS);
        let otlp = Otlp::open(&options)?;
        otlp.install_with(page())?;
        // Signals are counted. Their payloads and keys go nowhere: this is no log.
        let options =
            TelemetryOptions::new().interval(interval.0).count_by_name(COUNTED).max_series(MOST_NAMES);
        let telemetry = Telemetry::spawn(options, signals);
        Ok(Some(Self { telemetry, otlp, interval: interval.0 }))
    }

    /// What watches queues.
    pub(in crate::serve) fn telemetry(&self) -> Telemetry {
        self.telemetry.clone()
    }

    /// Tells the operator when the collector takes nothing any more, and when it does again.
    pub(in crate::serve) fn watch(&self, log: Log) -> impl Future<Output = ()> + Send + use<> {
        let (mut exports, interval, mut health) =
            (self.otlp.watch_exports(), self.interval, Health::default());
        async move {
            while exports.changed().await.is_ok() {
                // Spans and figures are sent by themselves: what becomes of both is looked at together.
                sleep(interval).await;
                let exports = exports.borrow_and_update().clone();
                match health.seen(exports.delivered, exports.failed) {
                    Some(Change::Down) => {
                        let why = exports.last_error.unwrap_or_default();
                        log.warn(format!("telemetry: the collector takes nothing, spans are lost: {why}"));
                    }
                    Some(Change::Up) => log.info("telemetry: the collector takes spans and figures again"),
                    None => {}
                }
            }
        }
    }

    /// Sends what there is, and then nothing more; what the collector has not taken by the limit is lost, and told.
    ///
    /// # Cancel safety
    /// Nothing is lost that the collector takes while the process lives.
    pub(in crate::serve) async fn end(self, limit: Duration, log: Log) {
        let Self { telemetry, otlp, .. } = self;
        let end = async {
            // The last figures first: they go the same way.
            telemetry.shutdown().await;
            otlp.shutdown().await
        };
        match timeout(limit, end).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log.warn(format!("telemetry: {error}")),
            Err(_) => log.warn("telemetry: the collector did not take the rest by the deadline"),
        }
    }
}
