//! A timeout around a service.

use dayfly_resilience::{CallError, Scope, Timeout, TimeoutLayer};
use tokio::time::Instant;
use tower_layer::Layer;

use super::probe::{Probe, ready, send};
use crate::support::seconds;

#[tokio::test(start_paused = true)]
async fn a_response_comes_in_time_or_its_work_is_dropped() {
    let probe = Probe::new([(seconds(1), Ok(1)), (seconds(9), Ok(2)), (seconds(0), Err("down"))]);
    let timeout = Timeout::per_attempt(seconds(2));
    let mut service = TimeoutLayer::new(timeout.clone()).layer(probe.view());
    let start = Instant::now();
    assert_eq!(send(&mut service).await, Ok(1));
    let late = CallError::TimedOut { after: seconds(2), scope: Scope::Attempt };
    assert_eq!(send(&mut service).await, Err(late));
    assert_eq!((start.elapsed(), probe.running()), (seconds(3), 0));
    assert_eq!(send(&mut service).await, Err(CallError::Inner("down")));
    timeout.set(seconds(60));
    assert_eq!(send(&mut service).await, Ok(4));
    probe.break_down();
    assert_eq!(ready(&mut service).await, Err(CallError::Inner("broken")));
}
