//! Signals and figures as tracing events, spans and metrics, through a bounded queue, with OTLP export as an option.

mod client;
mod desk;
mod ends;
mod facade;
mod figures;
mod link;
mod measure;
mod memory;
mod names;
mod options;
#[cfg(feature = "otlp")]
mod otlp;
mod policy;
mod reporter;
mod tally;
mod telemetry;
mod traced;
mod watchable;

pub use client::{Client, Event, Metric, MetricUnit, MetricValue, REDACTED};
pub use facade::Facade;
pub use figures::Figures;
pub use memory::InMemory;
pub use options::TelemetryOptions;
#[cfg(feature = "otlp")]
pub use otlp::{Entered, Exports, FlushError, InstallError, OpenError, Otlp, OtlpOptions};
pub use telemetry::Telemetry;
pub use traced::{InSpan, Traced, traced};
pub use watchable::{OperationEnd, Watchable};
