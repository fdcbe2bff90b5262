//! Why a measured call gave nothing.

use thiserror::Error;

/// Why [`measure_within`](crate::AdaptiveLimit::measure_within) gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MeasureError<E> {
    /// It took too long, was dropped, and counts as a drop.
    #[error("the call took too long")]
    TimedOut,
    /// The call itself failed, which says nothing about load.
    #[error(transparent)]
    Inner(E),
}
