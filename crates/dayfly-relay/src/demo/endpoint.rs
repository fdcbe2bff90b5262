//! The relay's side of a receiver: its own lanes, its own circuit, its own backlog. Endpoints share nothing but the
//! client and the signals, so one that is down costs the others nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, Ended, EnqueueError, KeyedCoordinator};
use dayfly::{DrainReport, Operation, OperationId, SignalSink, Stats};
use dayfly_limit::KeyedLimiter;
use dayfly_retry::{Backoff, Jitter, Retry, RetryOptions, Verdict};
use reqwest::Client;
use tokio::time::Instant;

use super::attempt::{Refusal, attempt};
use super::circuit::Circuit;
use crate::event::{Event, RepoPath};
use crate::webhook::Secret;

/// More than all faults of an event and the whole outage of a receiver, if it all fell on one event.
const ATTEMPTS: u32 = 100;

const QUEUE_CAPACITY: usize = 256;
const QUEUED_PER_KEY: usize = 64;

/// With full jitter, so that those that failed together do not come back together.
/// A second is the shortest pause that a receiver can ask for, so no wait is cut below it.
const BACKOFF: Backoff =
    Backoff::exponential(Duration::from_millis(10)).cap(Duration::from_secs(1)).jitter(Jitter::Full);

/// Where an endpoint's events go.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) url: String,
    pub(super) secrets: Vec<Secret>,
}

/// How an endpoint works.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// In the order of each path; otherwise in the order of handing in, whatever the path.
    pub(super) keyed: bool,
    pub(super) concurrency: usize,
    pub(super) seed: u64,
    /// How many events are going to be delivered.
    pub(super) total: u64,
}

/// An endpoint at work. Clones are the same endpoint.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) name: &'static str,
    pub(super) circuit: Circuit,
    lanes: Lanes,
}

/// How a delivery went, as the relay saw it.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    pub(super) drained: DrainReport,
    pub(super) retries: u64,
    pub(super) openings: u64,
    pub(super) peak_backlog: u64,
    pub(super) first_error: Option<String>,
    pub(super) time: Duration,
}

/// The one difference that `--unordered` makes.
#[derive(Clone, Debug)]
enum Lanes {
    Keyed(KeyedCoordinator<RepoPath, Arc<Event>>),
    Unordered(Coordinator<Arc<Event>>),
}

/// What the body of a delivery needs.
struct Courier {
    target: Target,
    client: Client,
    circuit: Circuit,
    retry: Retry<Refusal>,
    requests: KeyedLimiter<&'static str>,
    manner: Manner,
    delivered: AtomicU64,
}

impl Endpoint {
    /// `requests` bounds the requests of each endpoint, and those of all together.
    pub(super) fn spawn(
        target: Target,
        manner: Manner,
        client: Client,
        requests: KeyedLimiter<&'static str>,
        signals: &SignalSink,
    ) -> Self {
        let name = target.name;
        let circuit = Circuit::new(name, signals);
        let options = CoordinatorOptions::new()
            .max_concurrency(manner.concurrency)
            .queue_capacity(QUEUE_CAPACITY)
            .max_queued_per_key(QUEUED_PER_KEY)
            .defer_on(circuit.signal());

        let retry = RetryOptions::new().attempts(ATTEMPTS).backoff(BACKOFF).seed(manner.seed);
        let courier = Arc::new(Courier {
            target,
            client,
            circuit: circuit.clone(),
            retry: Retry::new(retry, verdict).named(name, signals),
            requests,
            manner,
            delivered: AtomicU64::new(0),
        });
        let body = move |event: Arc<Event>, op: Operation| {
            let courier = Arc::clone(&courier);
            async move { courier.deliver(event, op).await }
        };
        let lanes = if manner.keyed {
            let key_of = |event: &Arc<Event>| event.path.clone();
            Lanes::Keyed(KeyedCoordinator::spawn(options, signals, key_of, body))
        } else {
            Lanes::Unordered(Coordinator::spawn(options, signals, body))
        };
        Self { name, circuit, lanes }
    }

    pub(super) fn stats(&self) -> Stats {
        match &self.lanes {
            Lanes::Keyed(lanes) => lanes.stats(),
            Lanes::Unordered(lanes) => lanes.stats(),
        }
    }

    /// Hands all events in, waiting for room wherever there is none, and waits until every one has ended.
    pub(super) async fn deliver(self, events: Arc<[Arc<Event>]>) -> Delivered {
        let start = Instant::now();
        for event in events.iter() {
            if self.enqueue(Arc::clone(event)).await.is_err() {
                // Nobody closes the lanes before `drain`; if somebody did, the report would miss the rest.
                break;
            }
        }
        let drained = self.drain().await;
        let Stats { again, peak_pending, .. } = self.stats();
        Delivered {
            drained,
            retries: again,
            openings: self.circuit.openings(),
            peak_backlog: peak_pending,
            first_error: self.first_error(),
            time: start.elapsed(),
        }
    }

    async fn enqueue(&self, event: Arc<Event>) -> Result<OperationId, EnqueueError<Arc<Event>>> {
        match &self.lanes {
            Lanes::Keyed(lanes) => lanes.enqueue(event).await,
            Lanes::Unordered(lanes) => lanes.enqueue(event).await,
        }
    }

    async fn drain(&self) -> DrainReport {
        match &self.lanes {
            Lanes::Keyed(lanes) => lanes.drain().await,
            Lanes::Unordered(lanes) => lanes.drain().await,
        }
    }

    /// Why the first of the failed events that are still remembered failed.
    fn first_error(&self) -> Option<String> {
        let error = match &self.lanes {
            Lanes::Keyed(lanes) => lanes.failed().into_iter().next().and_then(|failed| failed.error),
            Lanes::Unordered(lanes) => lanes.failed().into_iter().next().and_then(|failed| failed.error),
        };
        error.map(|error| error.to_string())
    }
}

impl Courier {
    /// The body: one attempt, and what follows from its end.
    async fn deliver(&self, event: Arc<Event>, op: Operation) -> Ended<Arc<Event>, (), Refusal> {
        let Ok(_permit) = self.requests.acquire(self.target.name).await else {
            return op.fail(Refusal::Connection("the relay takes no more requests".to_owned()));
        };
        let refusal = match attempt(&self.client, &self.target.url, &self.target.secrets, &event).await {
            Ok(()) => {
                self.circuit.succeeded();
                self.count(&op);
                return op.done();
            }
            Err(refusal) => refusal,
        };
        if refusal.is_breakdown() {
            self.circuit.failed();
        }
        self.retry.decide(&op, event, refusal)
    }

    /// Raises a signal at each quarter of the way, for whoever wants to tell.
    fn count(&self, op: &Operation) {
        let quarter = |delivered: u64| delivered * 4 / self.manner.total.max(1);
        let before = self.delivered.fetch_add(1, Ordering::Relaxed);
        if quarter(before) != quarter(before + 1) {
            let percent = quarter(before + 1) * 25;
            op.raise(&format!("delivery.reached.{}:{percent}", self.target.name));
        }
    }
}

/// What a refusal is worth: what may pass is tried again, when the receiver asks for it.
fn verdict(refusal: &Refusal) -> Verdict {
    match refusal.retry_after() {
        _ if !refusal.is_passing() => Verdict::Stop,
        Some(pause) => Verdict::RetryAfter(pause),
        None => Verdict::Retry,
    }
}

#[cfg(test)]
mod tests {
    use super::super::attempt::client;
    use super::super::faults::{Faults, TEMPERS};
    use super::super::receiver::Receiver;
    use super::*;
    use crate::event::{Change, ObjectId};
    use dayfly_limit::KeyedLimiterOptions;

    fn events() -> Arc<[Arc<Event>]> {
        let commit = ObjectId::parse(&"a".repeat(40)).unwrap();
        let path = |number: u32| RepoPath::new(number.to_string().as_bytes());
        (0..20).map(|number| Arc::new(Event::new(commit.clone(), path(number), 1, Change::Delete))).collect()
    }

    async fn open(name: &'static str, signals: &SignalSink) -> (Receiver, Endpoint) {
        let secrets = vec![Secret::new(&[1; 32]).unwrap()];
        let receiver = Receiver::open(secrets.clone(), Faults::new(TEMPERS[0], 0.0, 1), 0).await.unwrap();
        let target = Target { name, url: receiver.url(), secrets };
        let manner = Manner { keyed: true, concurrency: 2, seed: 1, total: 20 };
        let requests = KeyedLimiter::new(KeyedLimiterOptions::new());
        (receiver, Endpoint::spawn(target, manner, client().unwrap(), requests, signals))
    }

    #[tokio::test]
    async fn while_a_circuit_is_open_its_endpoint_starts_nothing_and_the_others_go_on() {
        let signals = SignalSink::default();
        let (_healthy, healthy) = open("healthy", &signals).await;
        let (_sick, sick) = open("sick", &signals).await;
        let hold = signals.hold(sick.circuit.signal());
        let mut waiting = std::pin::pin!(sick.clone().deliver(events()));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("an open circuit delivered"),
            delivered = healthy.deliver(events()) => assert_eq!(delivered.drained.completed, 20),
        }
        let Stats { pending, running, completed, again, .. } = sick.stats();
        assert_eq!((pending, running, completed, again), (20, 0, 0, 0));
        drop(hold);
        assert_eq!(waiting.await.drained.completed, 20);
    }
}
