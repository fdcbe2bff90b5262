//! Spans and metrics of an application to a collector, as OTLP over HTTP.
//!
//! ```text
//! spans   -> layer of tracing-opentelemetry -> batches, a thread  -+
//!                                                                  +-> Courier -> own runtime -> collector
//! figures -> Bridge, a recorder of `metrics` -> reader, a thread  -+
//! ```

mod bridge;
mod courier;
mod error;
mod options;

use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use dayfly::contain::contain;
use metrics::Recorder;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tracing::Dispatch;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use self::bridge::Bridge;
use self::courier::Courier;
pub use self::courier::Exports;
pub use self::error::{FlushError, OpenError};
pub use self::options::OtlpOptions;
use crate::install::InstallError;
#[cfg(feature = "prometheus")]
use crate::page::PrometheusPage;

/// What the library of this crate calls itself to the collector.
const SCOPE: &str = "dayfly";

/// Sends an application's spans and metrics to a collector, over OTLP/HTTP with protobuf.
///
/// Open it first, [`install`](Self::install) it, and [`shutdown`](Self::shutdown) it last, after the
/// [`Telemetry`](crate::Telemetry) whose figures it is to carry. It works on threads of its own, so it does not matter what
/// the application's runtime does, and whether there is one. What waits for the collector is bounded (2,048 spans; metrics
/// are sums, so none is lost by waiting), and nobody waits for it: a collector that is down costs spans, not time.
///
/// Dropping it asks for the same end as `shutdown`, without waiting for it.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dayfly_signal::SignalSink;
/// use dayfly_telemetry::{Otlp, OtlpOptions, Telemetry, TelemetryOptions};
///
/// let otlp = Otlp::open(&OtlpOptions::new("http://localhost:4318").service_name("relay"))?;
/// otlp.install()?;
/// let telemetry = Telemetry::spawn(TelemetryOptions::new(), &SignalSink::default());
/// // ... the application ...
/// telemetry.shutdown().await;
/// if let Err(error) = otlp.shutdown().await {
///     eprintln!("{error}");                   // the collector was down: a reason to say so, none to fail
/// }
/// # Ok(()) }
/// ```
pub struct Otlp {
    pipes: Arc<Pipes>,
    spans: Dispatch,
    figures: Bridge,
    courier: Courier,
}

/// What leads to the collector. Whoever ends it holds it until that is done.
struct Pipes {
    tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
    /// How it ended. The lock is held meanwhile, so that a second call waits for the first.
    ended: Mutex<Option<Result<(), FlushError>>>,
    options: OtlpOptions,
    _runtime: Own,
}

/// A runtime that may be dropped anywhere: it does not block whoever drops it.
struct Own(Option<Runtime>);

impl Otlp {
    /// Makes everything ready. It does not need the collector to be there, nor a runtime.
    ///
    /// # Errors
    /// When the endpoint is no `http` or `https` URL, a filter cannot be read, or the system gives no thread.
    pub fn open(options: &OtlpOptions) -> Result<Self, OpenError> {
        let endpoint = options.base()?;
        let exported = filter(&options.filter)?;
        let logged = options.log.as_deref().map(filter).transpose()?;
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(8).thread_name("dayfly-otlp").enable_all();
        let runtime = builder.build().map_err(OpenError::Thread)?;
        let courier = Courier::new(runtime.handle().clone(), options.timeout);
        let runtime = Own(Some(runtime));
        let courier = courier?;

        let resource = Resource::builder().with_service_name(options.service_name.clone()).build();
        let span_exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(courier.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{endpoint}/v1/traces"))
            .with_timeout(options.timeout)
            .build()
            .map_err(|error| OpenError::Exporter(error.to_string()))?;
        let metric_exporter = MetricExporter::builder()
            .with_http()
            .with_http_client(courier.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{endpoint}/v1/metrics"))
            .with_timeout(options.timeout)
            .build()
            .map_err(|error| OpenError::Exporter(error.to_string()))?;
        let share = Sampler::TraceIdRatioBased(options.sample);
        let tracers = SdkTracerProvider::builder().with_resource(resource.clone());
        let tracers = tracers.with_sampler(Sampler::ParentBased(Box::new(share)));
        // The SDK panics when the system gives no thread.
        let tracers = contain(|| tracers.with_batch_exporter(span_exporter).build());
        let tracers = tracers.ok_or_else(|| OpenError::Thread(io::Error::other("the system gives none")))?;
        let reader = PeriodicReader::builder(metric_exporter).with_interval(options.interval).build();
        let meters = SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build();

        let layer = tracing_opentelemetry::layer().with_tracer(tracers.tracer(SCOPE)).with_location(false);
        let log = logged.map(|logged| {
            let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(io::stderr);
            layer.with_filter(logged)
        });
        let spans = Dispatch::new(Registry::default().with(layer.with_filter(exported)).with(log));
        let figures = Bridge::new(meters.meter(SCOPE));
        let ended = Mutex::new(None);
        let pipes = Pipes { tracers, meters, ended, options: options.clone(), _runtime: runtime };
        Ok(Self { pipes: Arc::new(pipes), spans, figures, courier })
    }

    /// Makes this the subscriber of `tracing` and the recorder of `metrics` for the whole process.
    ///
    /// # Errors
    /// When there is another subscriber already: then nothing was installed. When there is another recorder only: then
    /// spans go this way, and figures the other's.
    pub fn install(&self) -> Result<(), InstallError> {
        self.install_recorder(self.figures.clone())
    }

    /// Like [`install`](Self::install), and every figure stands on a page as well, for Prometheus to scrape.
    ///
    /// # Errors
    /// As for [`install`](Self::install); then the page stays empty.
    #[cfg(feature = "prometheus")]
    pub fn install_with(&self, page: &PrometheusPage) -> Result<(), InstallError> {
        self.install_recorder(page.before(Box::new(self.figures.clone())))
    }

    fn install_recorder(&self, recorder: impl Recorder + Send + Sync + 'static) -> Result<(), InstallError> {
        tracing::dispatcher::set_global_default(self.spans.clone())
            .map_err(|_| InstallError::TracingInUse)?;
        metrics::set_global_recorder(recorder).map_err(|_| InstallError::MetricsInUse)
    }

    /// Makes this the subscriber and the recorder of the current thread, until the guard is dropped: for tests, which share
    /// a process.
    pub fn enter(&self) -> Entered<'_> {
        Entered {
            _spans: tracing::dispatcher::set_default(&self.spans),
            _figures: metrics::set_default_local_recorder(&self.figures),
        }
    }

    /// What has become of the requests to the collector.
    #[must_use]
    pub fn exports(&self) -> Exports {
        self.watch_exports().borrow().clone()
    }

    /// The same for who waits for it to change: it does after each request, and the channel closes with the last part of
    /// this that could send one.
    #[must_use]
    pub fn watch_exports(&self) -> watch::Receiver<Exports> {
        self.courier.exports()
    }

    /// Sends what waits. Asking happens when this is called, not when the future is polled.
    ///
    /// # Errors
    /// When the collector did not take all of it: the spans of that are lost, metrics come again with the next interval.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub fn flush(&self) -> impl Future<Output = Result<(), FlushError>> + Send + use<> {
        self.ask(Pipes::flush)
    }

    /// Sends what waits, and then nothing more. Ending happens when this is called, not when the future is polled, and only
    /// once: whoever calls later gets the same answer.
    ///
    /// It takes a few times [`timeout`](OtlpOptions::timeout) at most, however the collector behaves.
    ///
    /// # Errors
    /// When the collector did not take all of it.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait and undoes nothing.
    pub fn shutdown(&self) -> impl Future<Output = Result<(), FlushError>> + Send + use<> {
        self.ask(Pipes::end)
    }

    /// Has something done that blocks, on a thread that may be blocked.
    fn ask(
        &self,
        job: fn(&Pipes) -> Result<(), FlushError>,
    ) -> impl Future<Output = Result<(), FlushError>> + Send + use<> {
        let pipes = Arc::clone(&self.pipes);
        let done = self.courier.runtime().spawn_blocking(move || job(&pipes));
        // The job runs to its end, or the process does.
        async move { done.await.unwrap_or_else(|error| Err(FlushError::NotDelivered(error.to_string()))) }
    }
}

impl Pipes {
    fn flush(&self) -> Result<(), FlushError> {
        // After the end there is nothing to send, and during it nothing to add.
        if let Some(ended) = &*self.ended.lock().unwrap_or_else(PoisonError::into_inner) {
            return ended.clone();
        }
        // Both are sent, whatever becomes of the one.
        let (spans, figures) = (self.tracers.force_flush(), self.meters.force_flush());
        delivered(spans).and(delivered(figures))
    }

    fn end(&self) -> Result<(), FlushError> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let end = || {
            let spans = self.tracers.shutdown_with_timeout(self.options.timeout.saturating_mul(2));
            delivered(spans).and(delivered(self.meters.shutdown()))
        };
        ended.get_or_insert_with(end).clone()
    }
}

fn delivered(result: OTelSdkResult) -> Result<(), FlushError> {
    match result {
        Ok(()) | Err(OTelSdkError::AlreadyShutdown) => Ok(()),
        Err(error) => Err(FlushError::NotDelivered(error.to_string())),
    }
}

fn filter(text: &str) -> Result<Targets, OpenError> {
    text.parse().map_err(|_| OpenError::Filter { filter: text.to_owned() })
}

impl Drop for Otlp {
    fn drop(&mut self) {
        // The job goes on by itself.
        drop(self.shutdown());
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp")
            .field("options", &self.pipes.options)
            .field("exports", &self.exports())
            .finish_non_exhaustive()
    }
}

/// Keeps an [`Otlp`] the subscriber and the recorder of a thread.
#[must_use = "the thread's own subscriber and recorder come back when this is dropped"]
pub struct Entered<'a> {
    _spans: tracing::dispatcher::DefaultGuard,
    _figures: metrics::LocalRecorderGuard<'a>,
}

impl fmt::Debug for Entered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}
