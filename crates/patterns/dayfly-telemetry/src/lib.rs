//! Signals and figures as tracing events, spans and metrics, through a bounded queue, with OTLP export as an option.
//!
//! Three decisions stand here once. What watches must never slow down what it watches, so reports go through a queue that
//! has a bound, drops the oldest and says how many. What is shown must be safe to show, so payloads and keys are redacted
//! before any client sees them, and no metric has a key, a URL or an id for a label. And an operation runs long after the
//! request that asked for it, so its span is a root that is *linked* to the enqueuer's, and does not keep that one open.
//!
//! | what happens | what is reported |
//! |---|---|
//! | a signal is raised or taken back | an event |
//! | `error.*` is raised | an exception as well, its payload the message |
//! | `perf.*` is raised with a payload | a metric of that name: a duration in seconds (`35ms`, `1h 30m`), or a number |
//! | an interval passes | `dayfly.coordinator.operations` by `outcome`, `.active_operations`, `.queue.size` of every coordinator that is watched; `dayfly.signal.raised` (by `signal` where [asked for](TelemetryOptions::count_by_name)), `dayfly.signal.dropped` |
//! | an operation of one ends | `dayfly.coordinator.operation.time_in_queue`, `.operation.duration` by `outcome`, in seconds |
//! | a [`traced`] body runs | a span, linked to the one that its item was [`Traced`] in |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use dayfly::{Coordinator, CoordinatorOptions, Operation, SignalSink};
//! use dayfly_telemetry::{Telemetry, TelemetryOptions, Traced, traced};
//!
//! const REPORTS: TelemetryOptions = TelemetryOptions::new().queue_capacity(4_096);
//!
//! let signals = SignalSink::default();
//! // To `tracing` and `metrics`; `spawn_with` takes a client of your own, such as `InMemory` in tests.
//! let telemetry = Telemetry::spawn(REPORTS.redact_payload_like("*token=*").sample("cache.*", 100), &signals);
//!
//! let work = Coordinator::spawn(
//!     CoordinatorOptions::new(),
//!     &signals,
//!     traced("thumbnail", |picture: u32, op: Operation| async move {
//!         op.raise("perf.render:35ms");
//!         if picture == 0 { op.raise("error.render:empty"); Err("empty") } else { Ok(()) }
//!     }),
//! );
//! telemetry.watch("thumbnails", &work);
//! for picture in [0, 1, 2] {
//!     work.enqueue(Traced::new(picture)).await.unwrap();   // linked to the span that is current here
//! }
//! work.drain().await;
//!
//! let figures = telemetry.shutdown().await;                // what waits is reported, and then all figures once more
//! assert_eq!((figures.processed, figures.dropped), (4, 0));
//! # }
//! ```
//!
//! # Guarantees
//! - A raise costs one push into a queue for being reported, and never waits for a report. What the queue cannot hold is
//!   dropped, the oldest first, and counted: [`Figures::received`] is `queued + processed + dropped` at any moment.
//! - Counts of operations are exact: they come from the coordinator's own figures, to its last operation, also when its
//!   last handle is gone long before that. Watching keeps nothing open.
//! - Figures come at each interval of Tokio's clock, whatever floods the queue, and once more at the end.
//! - What is redacted reaches no client, neither as an event, nor as an exception, nor as a metric. Sampling thins events
//!   only.
//! - The client is called from one task, one call after the other. Its panic costs one report.
//! - Memory is bounded: the queue, the ends of operations, the series of `perf.*` names and of names that are counted
//!   apart, and what waits for a collector.
//!
//! # Features
//! - `serde` (off by default): options are read from configuration, and written to it.
//! - `opentelemetry` (off by default): links hold also when the enqueuer's span has ended before the operation starts, and
//!   in another process: [`Traced::trace_parent`] is a link as text, for queues on disk.
//! - `otlp` (off by default): `Otlp` sets up `tracing` and `metrics` of an application and sends both to a collector, over
//!   HTTP with protobuf, with rustls and ring for `https`. Its timers are real ones, not Tokio's.
//! - `prometheus` (off by default): `PrometheusPage`, everything that is told to `metrics` as a page for Prometheus to
//!   scrape, beside a collector or alone. It brings no other crate.
//!
//! # Limits
//! - A client that blocks, blocks a thread of the runtime. One that raises signals of its own is told of them, for ever.
//! - Signals are reported after the fact and out of their operation's span, under its id. A collector gets spans, events
//!   *in* spans and metrics over OTLP; what is outside of spans goes to the other layers, such as the log on stderr.
//! - The time in the queue is told for operations with one attempt. Ends beyond the bound are dropped, so distributions are
//!   samples under great load; counts are not.
//! - Redaction is about signals: what an operation's error says stands in its span.
//! - `perf.*` names are names of metrics: what a recorder or OpenTelemetry does not take as a name is lost there.
//!
//! # When to use something else
//! - `tracing::instrument` and `follows_from` by hand, where there is one queue and no figures are wanted.
//! - `metrics-exporter-prometheus` for summaries, a push gateway, or series that go when they are idle: [`Telemetry`]
//!   feeds it as it feeds any recorder.
//! - `opentelemetry` alone, where logs have to be exported too, or over gRPC.

#[cfg(any(feature = "otlp", feature = "prometheus"))]
mod buckets;
mod client;
mod desk;
mod ends;
mod facade;
mod figures;
#[cfg(any(feature = "otlp", feature = "prometheus"))]
mod install;
mod link;
mod measure;
mod memory;
mod names;
mod options;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "prometheus")]
mod page;
mod policy;
mod reporter;
mod tally;
mod telemetry;
mod traced;
mod watchable;

pub use client::{Client, Event, Metric, MetricUnit, MetricValue, REDACTED};
pub use facade::Facade;
pub use figures::Figures;
#[cfg(any(feature = "otlp", feature = "prometheus"))]
pub use install::InstallError;
pub use memory::InMemory;
pub use options::TelemetryOptions;
#[cfg(feature = "otlp")]
pub use otlp::{Entered, Exports, FlushError, OpenError, Otlp, OtlpOptions};
#[cfg(feature = "prometheus")]
pub use page::PrometheusPage;
pub use telemetry::Telemetry;
pub use traced::{InSpan, Traced, traced};
pub use watchable::{OperationEnd, Watchable};
