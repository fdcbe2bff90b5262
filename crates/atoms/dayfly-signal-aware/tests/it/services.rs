//! The gate in front of a tower service.

use std::future::{Ready, poll_fn, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use dayfly_signal::{Draft, SignalSink};
use dayfly_signal_aware::{AdmitError, AfterDeferral, Gate, GateLayer, GateOptions, Gated, Refused};
use dayfly_testing::settle;
use tokio::runtime::Handle;
use tower_layer::Layer;
use tower_service::Service;

use crate::support::ended;

/// What the service behind the gate was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    asked: usize,
    calls: usize,
    is_busy: bool,
    is_broken: bool,
    waker: Option<Waker>,
}

/// A service whose readiness is its own: a clone has to become ready anew, and a call without readiness panics.
#[derive(Debug)]
pub(crate) struct Steady {
    log: Log,
    is_ready: bool,
}

impl Log {
    pub(crate) fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }

    fn set_busy(&self, is_busy: bool) {
        let mut inside = self.0.lock().unwrap();
        inside.is_busy = is_busy;
        let waker = inside.waker.take();
        drop(inside);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Steady {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, is_ready: false }
    }
}

impl Clone for Steady {
    fn clone(&self) -> Self {
        Self::new(self.log.clone())
    }
}

impl Service<u32> for Steady {
    type Response = u32;
    type Error = &'static str;
    type Future = Ready<Result<u32, &'static str>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let mut inside = self.log.0.lock().unwrap();
        inside.asked += 1;
        if inside.is_broken {
            return Poll::Ready(Err("broken"));
        }
        if inside.is_busy {
            inside.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u32) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without having been ready");
        self.log.0.lock().unwrap().calls += 1;
        ready(if request == 0 { Err("zero") } else { Ok(request) })
    }
}

fn gated(options: GateOptions) -> (SignalSink, Log, Gated<Steady>) {
    let (signals, log) = (SignalSink::default(), Log::default());
    let gate = Gate::new(options.cancel_on("shutdown").defer_on("busy"), &signals);
    let service = GateLayer::new(gate).layer(Steady::new(log.clone()));
    (signals, log, service)
}

async fn become_ready(service: &mut Gated<Steady>) -> Result<(), AdmitError<&'static str>> {
    poll_fn(|context| service.poll_ready(context)).await
}

#[tokio::test(start_paused = true)]
async fn it_waits_while_deferred_and_reserves_nothing_behind_the_gate() {
    let (signals, log, mut service) = gated(GateOptions::new());
    let busy = signals.hold("busy");
    let answers = Handle::current().spawn(async move {
        become_ready(&mut service).await.unwrap();
        service.call(7).await
    });
    settle().await;
    assert_eq!((log.asked(), log.calls()), (0, 0));
    drop(busy);
    assert_eq!(ended(answers).await, Ok(7));
    assert_eq!((log.asked(), log.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn it_refuses_while_cancelled_and_is_of_use_again_afterwards() {
    let (signals, log, mut service) = gated(GateOptions::new());
    signals.raise("shutdown");
    for _ in 0..2 {
        become_ready(&mut service).await.unwrap();
        assert_eq!(service.call(7).await, Err(AdmitError::Refused(Refused::Cancelled(()))));
    }
    assert_eq!((log.asked(), log.calls()), (0, 0));
    // Found cancelled, and not asked again: the inner service is not ready, so it is not called.
    become_ready(&mut service).await.unwrap();
    signals.retract("shutdown");
    assert_eq!(service.call(7).await, Err(AdmitError::Refused(Refused::Cancelled(()))));
    become_ready(&mut service).await.unwrap();
    assert_eq!(service.call(7).await, Ok(7));
    let stats = service.gate().stats();
    assert_eq!((stats.passed, stats.refused), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_signal_between_ready_and_call_refuses_and_loses_no_readiness() {
    let (signals, log, mut service) = gated(GateOptions::new());
    become_ready(&mut service).await.unwrap();
    signals.raise("shutdown");
    assert_eq!(service.call(7).await, Err(AdmitError::Refused(Refused::Cancelled(()))));
    signals.retract("shutdown");
    become_ready(&mut service).await.unwrap();
    signals.raise("busy");
    assert_eq!(service.call(7).await, Ok(7), "what was ready is not deferred any more");
    assert_eq!(log.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_shuts_while_the_inner_service_is_busy_is_waited_for_again() {
    let (signals, log, mut service) = gated(GateOptions::new());
    log.set_busy(true);
    let answers = Handle::current().spawn(async move {
        become_ready(&mut service).await.unwrap();
        service.call(7).await
    });
    settle().await;
    assert_eq!(log.asked(), 1);
    let busy = signals.hold("busy");
    log.set_busy(false);
    settle().await;
    assert_eq!((log.asked(), log.calls()), (1, 0), "the gate is looked at first");
    drop(busy);
    assert_eq!(ended(answers).await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_inner_service_come_through() {
    let (_signals, log, mut service) = gated(GateOptions::new());
    become_ready(&mut service).await.unwrap();
    let error = service.call(0).await.unwrap_err();
    assert_eq!((error, error.to_string().as_str()), (AdmitError::Inner("zero"), "zero"));
    log.0.lock().unwrap().is_broken = true;
    assert_eq!(become_ready(&mut service).await, Err(AdmitError::Inner("broken")));
}

#[tokio::test(start_paused = true)]
async fn a_maximum_deferral_counts_from_each_request_s_own_arrival() {
    let wait = Duration::from_secs(5);
    let (signals, _, mut service) = gated(GateOptions::new().max_deferral(wait, AfterDeferral::Refuse));
    let _busy = signals.hold("busy");
    let start = tokio::time::Instant::now();
    for round in 1..=2 {
        become_ready(&mut service).await.unwrap();
        assert_eq!(service.call(7).await, Err(AdmitError::Refused(Refused::Overdue(()))));
        assert_eq!(tokio::time::Instant::now() - start, wait * round);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clone_becomes_ready_by_itself_and_shares_the_gate() {
    let (signals, log, mut service) = gated(GateOptions::new().keyed(true));
    signals.raise(Draft::from("busy").key("7"));
    become_ready(&mut service).await.unwrap();
    let mut clone = service.clone();
    become_ready(&mut clone).await.unwrap();
    assert_eq!((clone.call(1).await, service.call(2).await), (Ok(1), Ok(2)));
    assert_eq!((log.calls(), clone.gate().stats().passed), (2, 2));
    assert!(format!("{service:?}").contains("Gated"));
    assert_eq!(service.get_ref().log.calls(), service.get_mut().log.calls());
    shared(&service);
    shared(&clone.call_refused());
    drop(service.into_inner());
}

fn shared<T: Send + Sync>(_: &T) {}

trait CallRefused {
    fn call_refused(&mut self) -> dayfly_signal_aware::ResponseFuture<Ready<Result<u32, &'static str>>>;
}

impl CallRefused for Gated<Steady> {
    fn call_refused(&mut self) -> dayfly_signal_aware::ResponseFuture<Ready<Result<u32, &'static str>>> {
        self.gate().signals().raise("shutdown");
        self.call(1)
    }
}
