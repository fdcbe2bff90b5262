//! A receiver as the relay has it: its own queue, its own circuit, its own retries. Endpoints share nothing but the ledger,
//! the clients and the signals, so one that is down costs the others nothing.

use std::sync::atomic::Ordering as Memory;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use dayfly::{CoordinatorOptions, DrainReport, Hold, KeyedCoordinator, Reconfigure, SignalSink, Stats};
use dayfly_circuit_breaker::CircuitBreaker;
use dayfly_limit::KeyedLimiter;
use dayfly_retry::{Retry, RetryBudget, RetryBudgetOptions, Verdict};
use reqwest::Client;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt::{Clients, Refusal, Target};
use super::courier::{Job, Tally};
use super::ledger::{Disabled, Ledger};
use super::loader::Loader;
use super::log::{Log, chain};
use super::ordering::Ordering;
use super::pace::Pace;
use super::settings::{EndpointName, EndpointSettings};
use super::unix_millis;
use crate::webhook::Secret;

/// Events in memory for one endpoint, whatever its backlog.
pub(super) const QUEUE_CAPACITY: usize = 256;
/// Of those, events of one key.
pub(super) const QUEUED_PER_KEY: usize = 64;

pub(super) type Lanes = KeyedCoordinator<String, Job>;

/// An endpoint at work. Clones are the same endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    inner: Arc<Inner>,
    lanes: Lanes,
    tasks: TaskTracker,
}

/// What the tasks of an endpoint share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) name: String,
    pub(super) ordering: Ordering,
    pub(super) ledger: Arc<Ledger>,
    pub(super) circuit: CircuitBreaker,
    /// Requests to each host, over all endpoints of the relay.
    pub(super) requests: KeyedLimiter<String>,
    pub(super) pace: Pace,
    pub(super) tally: Tally,
    pub(super) log: Log,
    /// Woken when there may be something to load.
    pub(super) wake: Arc<Notify>,
    pub(super) stop: CancellationToken,
    live: RwLock<Arc<Live>>,
    signals: SignalSink,
    disabled: Mutex<Option<(Disabled, Hold)>>,
}

/// What of an endpoint follows its settings. A delivery takes what is there when its attempt begins.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) settings: EndpointSettings,
    pub(super) retry: Retry<Refusal>,
    pub(super) client: Client,
    secrets: Vec<Secret>,
}

/// What endpoints of one relay share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) ledger: Arc<Ledger>,
    pub(super) clients: Clients,
    pub(super) requests: KeyedLimiter<String>,
    pub(super) signals: SignalSink,
    pub(super) log: Log,
}

impl Endpoint {
    /// Starts an endpoint on what waits for it. One that was disabled under the same URL stays so.
    pub(super) fn spawn(
        name: &EndpointName,
        settings: &EndpointSettings,
        allow_private: bool,
        disabled: Option<Disabled>,
        shared: &Shared,
    ) -> Self {
        let Shared { ledger, clients, requests, signals, log } = shared;
        let retry = retrier(settings);
        let inner = Arc::new(Inner {
            name: name.as_str().to_owned(),
            ordering: settings.key.clone(),
            ledger: Arc::clone(ledger),
            circuit: CircuitBreaker::new(name.as_str(), settings.breaker(), signals),
            requests: requests.clone(),
            pace: Pace::new(name.as_str(), signals),
            tally: Tally::default(),
            log: *log,
            wake: Arc::new(Notify::new()),
            stop: CancellationToken::new(),
            live: RwLock::new(Live::new(settings, retry, clients, allow_private)),
            signals: signals.clone(),
            disabled: Mutex::default(),
        });
        if let Some(disabled) = disabled {
            inner.hold_disabled(disabled);
        }
        let body = {
            let inner = Arc::clone(&inner);
            move |job: Job, op| {
                let inner = Arc::clone(&inner);
                async move { inner.deliver(job, op).await }
            }
        };
        let options = inner.options(settings);
        let lanes = Lanes::spawn(options, signals, |job: &Job| job.key.clone(), body);
        let wake = Arc::clone(&inner.wake);
        lanes.on_finish(move |_| wake.notify_one());

        let tasks = TaskTracker::new();
        tasks.spawn(Loader::new(Arc::clone(&inner), lanes.clone()).run());
        Self { inner, lanes, tasks }
    }

    /// Whether these settings can only be followed by another endpoint in its place.
    pub(super) fn needs_restart(&self, settings: &EndpointSettings) -> bool {
        let live = self.inner.live();
        live.settings.key != settings.key || live.settings.retry.budget != settings.retry.budget
    }

    /// Follows these settings from the next attempt on, without dropping what is under way.
    pub(super) async fn follow(&self, settings: &EndpointSettings, clients: &Clients, allow_private: bool) {
        let before = self.inner.live();
        // A retrier can follow all of its options at any time.
        let _followed = before.retry.reconfigure(&settings.retry.options());
        self.lanes.set_max_concurrency(settings.max_concurrency.to_usize());
        // So can a breaker.
        let _followed = self.inner.circuit.reconfigure(&settings.breaker());
        let live = Live::new(settings, before.retry.clone(), clients, allow_private);
        *self.inner.live.write().unwrap_or_else(PoisonError::into_inner) = live;
        if before.settings.url != settings.url {
            self.enable().await;
        }
    }

    /// Delivers again what has been disabled. Says whether it was.
    pub(super) async fn enable(&self) -> bool {
        let was_disabled = self.inner.lock_disabled().take().is_some();
        if was_disabled {
            self.inner.log.info(format!("{}: enabled again", self.name()));
            if let Err(error) = self.inner.ledger.set_disabled(self.name(), None).await {
                self.inner.log.warn(format!(
                    "{}: after a restart it is disabled again: {}",
                    self.name(),
                    chain(&error)
                ));
            }
        }
        was_disabled
    }

    /// Starts nothing more, and waits for what runs, at most this long. What has not been delivered stays in the ledger.
    pub(crate) async fn stop(&self, limit: Duration) -> DrainReport {
        self.inner.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let options = self.inner.options(&self.inner.live().settings).cancel_grace(limit);
        // Only the grace is different, and that can be followed at any time.
        let _followed = self.lanes.reconfigure(&options);
        self.lanes.cancel().await
    }

    /// Waits until nothing is left for this endpoint, neither in the ledger nor under way.
    pub(crate) async fn idle(&self) {
        self.inner.ledger.counts().nothing_waits_for(self.name()).await;
        self.lanes.idle().await;
    }

    pub(super) fn wake(&self) {
        self.inner.wake.notify_one();
    }

    pub(crate) fn name(&self) -> &str {
        &self.inner.name
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lanes.stats()
    }

    pub(crate) fn circuit(&self) -> &CircuitBreaker {
        &self.inner.circuit
    }

    /// Why the first of the failed deliveries that are still remembered failed.
    pub(crate) fn first_error(&self) -> Option<String> {
        let first = self.lanes.failed().into_iter().next();
        first.and_then(|failed| failed.error).map(|error| error.to_string())
    }

    pub(super) fn live(&self) -> Arc<Live> {
        self.inner.live()
    }

    pub(super) fn disabled(&self) -> Option<Disabled> {
        self.inner.lock_disabled().as_ref().map(|(disabled, _)| disabled.clone())
    }

    pub(super) fn is_slow(&self) -> bool {
        self.inner.signals.is_raised(self.inner.pace.signal())
    }

    /// Attempts, deliveries and parked events since the start.
    pub(super) fn tally(&self) -> [u64; 3] {
        let Tally { attempts, delivered, parked } = &self.inner.tally;
        [attempts, delivered, parked].map(|figure| figure.load(Memory::Relaxed))
    }
}

impl Inner {
    pub(super) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.lock_disabled().is_some()
    }

    /// Delivers nothing more to who has said that it wants nothing more.
    pub(super) async fn disable(&self, reason: &str) {
        let url = self.live().settings.url.shown();
        let disabled = Disabled { reason: reason.to_owned(), url, since: unix_millis() };
        if !self.hold_disabled(disabled.clone()) {
            return;
        }
        self.log.warn(format!("{}: disabled, its events are parked: {reason}", self.name));
        if let Err(error) = self.ledger.set_disabled(&self.name, Some(&disabled)).await {
            self.log.warn(format!("{}: after a restart it is enabled again: {}", self.name, chain(&error)));
        }
    }

    /// Says whether it was not disabled before.
    fn hold_disabled(&self, disabled: Disabled) -> bool {
        let hold = self.signals.hold(&*format!("endpoint.disabled.{}", self.name));
        let mut state = self.lock_disabled();
        let is_new = state.is_none();
        // The other hold, whichever it is, is dropped without the lock.
        let _other = if is_new { state.replace((disabled, hold)) } else { Some((disabled, hold)) };
        drop(state);
        is_new
    }

    /// Nothing that panics runs under this lock, so a poisoned one still guards a sound state.
    fn lock_disabled(&self) -> MutexGuard<'_, Option<(Disabled, Hold)>> {
        self.disabled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn options(&self, settings: &EndpointSettings) -> CoordinatorOptions {
        CoordinatorOptions::new()
            .max_concurrency(settings.max_concurrency.to_usize())
            .queue_capacity(QUEUE_CAPACITY)
            .max_queued_per_key(QUEUED_PER_KEY)
            .defer_on([&*format!("circuit.open.{}", self.name), self.pace.signal()])
    }
}

impl Live {
    fn new(
        settings: &EndpointSettings,
        retry: Retry<Refusal>,
        clients: &Clients,
        allow_private: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            settings: settings.clone(),
            retry,
            client: clients.get(allow_private).clone(),
            secrets: settings.secrets.iter().map(|secret| secret.expose().clone()).collect(),
        })
    }

    pub(super) fn target(&self) -> Target<'_> {
        Target { url: self.settings.url.url(), secrets: &self.secrets, timeout: self.settings.timeout.0 }
    }

    /// Whose requests are bounded together: the host and port that the URL leads to.
    pub(super) fn host(&self) -> String {
        let url = self.settings.url.url();
        format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
    }

    /// How long the endpoint is left alone after an answer: as long as the receiver asks for, within the longest wait, and
    /// for a moment when it has too much to do and does not say how long.
    pub(super) fn pause_after(&self, refusal: &Refusal) -> Option<Duration> {
        let retry = &self.settings.retry;
        let asked = refusal.retry_after().or_else(|| refusal.is_overload().then_some(retry.base.0));
        asked.map(|pause| pause.min(retry.cap.0))
    }
}

fn retrier(settings: &EndpointSettings) -> Retry<Refusal> {
    let retry = Retry::new(settings.retry.options(), |refusal: &Refusal| match refusal.retry_after() {
        _ if !refusal.is_passing() => Verdict::Stop,
        Some(pause) => Verdict::RetryAfter(pause),
        None => Verdict::Retry,
    });
    match settings.retry.budget {
        Some(share) => retry.budget(&RetryBudget::new(RetryBudgetOptions::new().share(share.0))),
        None => retry,
    }
}
