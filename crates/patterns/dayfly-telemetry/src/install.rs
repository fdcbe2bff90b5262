//! Why figures and spans do not go this way.

use thiserror::Error;

/// Why spans and metrics do not go this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The process has a subscriber of `tracing` already. Nothing was installed.
    #[error("the process has another subscriber of tracing already")]
    TracingInUse,
    /// The process has a recorder of `metrics` already. Spans go this way all the same.
    #[error("the process has another recorder of metrics already")]
    MetricsInUse,
}
