//! A receiver as the relay has it: its own queue, its own circuit, its own retries. Endpoints share nothing but the ledger,
//! the clients and the signals, so one that is down costs the others nothing.

use std::sync::atomic::Ordering as Memory;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use dayfly::{CoordinatorOptions, DrainReport, Hold, KeyedCoordinator, Reconfigure, SignalSink, Stats};
use dayfly_adaptive_rate::AdaptiveRate;
use dayfly_circuit_breaker::CircuitBreaker;
use dayfly_limit::KeyedLimiter;
use dayfly_telemetry::{Telemetry, Traced, traced};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt::Clients;
use super::courier::{Job, Tally};
use super::ledger::{Disabled, Ledger};
use super::live::Live;
use super::loader::Loader;
use super::log::{Log, chain};
use super::ordering::Ordering;
use super::settings::{EndpointName, EndpointSettings};
use super::unix_millis;

/// Events in memory for one endpoint, whatever its backlog.
pub(super) const QUEUE_CAPACITY: usize = 256;
/// Of those, events of one key.
pub(super) const QUEUED_PER_KEY: usize = 64;

/// What the span of each attempt of a delivery is called.
const SPAN: &str = "delivery";

pub(super) type Lanes = KeyedCoordinator<String, Traced<Job>>;

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
    /// How often it is asked, and the pauses that it asks for.
    pub(super) rate: AdaptiveRate,
    pub(super) tally: Tally,
    pub(super) log: Log,
    /// Woken when there may be something to load.
    pub(super) wake: Arc<Notify>,
    pub(super) stop: CancellationToken,
    live: RwLock<Arc<Live>>,
    signals: SignalSink,
    disabled: Mutex<Option<(Disabled, Hold)>>,
}

/// What endpoints of one relay share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) ledger: Arc<Ledger>,
    pub(super) clients: Clients,
    pub(super) requests: KeyedLimiter<String>,
    pub(super) signals: SignalSink,
    pub(super) log: Log,
    /// Watches the lanes of each.
    pub(super) telemetry: Option<Telemetry>,
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
        let Shared { ledger, clients, requests, signals, log, telemetry } = shared;
        let inner = Arc::new(Inner {
            name: name.as_str().to_owned(),
            ordering: settings.key.clone(),
            ledger: Arc::clone(ledger),
            circuit: CircuitBreaker::new(name.as_str(), settings.breaker(), signals),
            requests: requests.clone(),
            rate: AdaptiveRate::new(name.as_str(), settings.rate_options(), signals),
            tally: Tally::default(),
            log: *log,
            wake: Arc::new(Notify::new()),
            stop: CancellationToken::new(),
            live: RwLock::new(Live::new(settings, clients, allow_private, (name.as_str(), signals))),
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
        let lanes = Lanes::spawn(options, signals, |job: &Traced<Job>| job.key.clone(), traced(SPAN, body));
        if let Some(telemetry) = telemetry {
            // Names of endpoints are few. One that is started again follows the one before it under this name.
            telemetry.watch(name.as_str(), &lanes);
        }

        let tasks = TaskTracker::new();
        tasks.spawn(Loader::new(Arc::clone(&inner), lanes.clone()).run());
        Self { inner, lanes, tasks }
    }

    /// Whether these settings can only be followed by another endpoint in its place.
    pub(super) fn needs_restart(&self, settings: &EndpointSettings) -> bool {
        self.inner.live().needs_restart(settings)
    }

    /// Follows these settings from the next attempt on, without dropping what is under way.
    ///
    /// # Cancel safety
    /// Dropped, it follows the settings; where the receiver is another one, it may still be disabled.
    pub(super) async fn follow(&self, settings: &EndpointSettings, clients: &Clients, allow_private: bool) {
        let before = self.inner.live();
        self.lanes.set_max_concurrency(settings.max_concurrency.to_usize());
        // A breaker can follow all of its options at any time.
        let _followed = self.inner.circuit.reconfigure(&settings.breaker());
        // So can a rate, but for the signals that it obeys, which are none.
        let _followed = self.inner.rate.reconfigure(&settings.rate_options());
        let live = before.followed_by(settings, clients, allow_private);
        *self.inner.live.write().unwrap_or_else(PoisonError::into_inner) = live;
        if before.settings.url != settings.url {
            self.enable().await;
        }
    }

    /// Delivers again what has been disabled. Says whether it was.
    ///
    /// # Cancel safety
    /// Dropped, it may still be disabled in this process; enabling it again is well.
    pub(super) async fn enable(&self) -> bool {
        if !self.inner.is_disabled() {
            return false;
        }
        // The store first: whoever is not told that it is enabled asks again.
        if let Err(error) = self.inner.ledger.set_disabled(self.name(), None).await {
            self.inner.log.warn(format!(
                "{}: after a restart it is disabled again: {}",
                self.name(),
                chain(&error)
            ));
        }
        let was_disabled = self.inner.lock_disabled().take().is_some();
        self.inner.log.info(format!("{}: enabled again", self.name()));
        was_disabled
    }

    /// Starts nothing more, and waits for what runs, at most this long. What has not been delivered stays in the ledger.
    /// It acts when it is called.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait and undoes nothing.
    pub(crate) fn stop(&self, limit: Duration) -> impl Future<Output = DrainReport> + Send + use<> {
        self.inner.stop.cancel();
        self.tasks.close();
        let (tasks, drained) = (self.tasks.clone(), self.lanes.drain_running_for(limit));
        async move {
            tasks.wait().await;
            drained.await
        }
    }

    /// Waits until nothing is left for this endpoint, neither in the ledger nor under way.
    pub(crate) async fn idle(&self) {
        self.inner.ledger.counts().nothing_waits_for(self.name()).await;
        self.lanes.idle().await;
    }

    /// Whether nothing of it is at work any more.
    #[cfg(test)]
    pub(super) fn has_ended(&self) -> bool {
        let Stats { closed, running, pending, .. } = self.stats();
        self.tasks.is_empty() && closed && running == 0 && pending == 0
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

    #[cfg(test)]
    pub(super) async fn disable(&self, reason: &str) {
        self.inner.disable(reason).await;
    }

    pub(super) fn disabled(&self) -> Option<Disabled> {
        self.inner.lock_disabled().as_ref().map(|(disabled, _)| disabled.clone())
    }

    pub(super) fn is_slow(&self) -> bool {
        self.inner.rate.stats().is_paused
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
            .defer_on([&*format!("circuit.open.{}", self.name), &*format!("rate.limited.{}", self.name)])
            // What has not ended by the deadline of a stop is delivered again by the next start.
            .cancel_grace(Duration::ZERO)
    }
}
