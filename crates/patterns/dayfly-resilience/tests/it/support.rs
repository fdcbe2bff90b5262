//! What several modules need.

use std::future::ready;
use std::time::Duration;

use dayfly_circuit_breaker::BreakerOptions;
use dayfly_resilience::{CallError, Pipeline, PipelineOptions};
use dayfly_retry::Backoff;
use dayfly_signal::SignalSink;

/// Delays that are not spread.
pub(crate) const PLAIN: PipelineOptions =
    PipelineOptions::new().backoff(Backoff::constant(seconds(1)).cap(seconds(60)));

/// The third failure in a row opens it for ten seconds.
pub(crate) const BREAKER: BreakerOptions = BreakerOptions::new().failure_threshold(3).open_for(seconds(10));

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn pipeline(options: PipelineOptions) -> Pipeline<&'static str> {
    Pipeline::new("bank", options, &SignalSink::default())
}

/// A call whose attempts all fail, and how many there were.
pub(crate) async fn fail(pipeline: &Pipeline<&'static str>) -> (CallError<&'static str>, u32) {
    let mut made = 0;
    let ended = pipeline.call(|_| {
        made += 1;
        ready(Err::<(), _>("down"))
    });
    (ended.await.unwrap_err(), made)
}

/// A call that never ends by itself.
pub(crate) async fn hang(pipeline: &Pipeline<&'static str>) -> CallError<&'static str> {
    pipeline.call(|_| std::future::pending::<Result<(), _>>()).await.unwrap_err()
}

pub(crate) async fn succeed(pipeline: &Pipeline<&'static str>) -> Result<(), CallError<&'static str>> {
    pipeline.call(|_| ready(Ok(()))).await
}

/// Whether a future that is polled once has to wait.
pub(crate) fn waits<F: Future>(future: F) -> bool {
    use futures_util::FutureExt;
    future.now_or_never().is_none()
}
