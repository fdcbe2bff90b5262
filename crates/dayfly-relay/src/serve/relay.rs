//! The relay itself, without a process and without HTTP around it: events in, deliveries out, settings followed.

mod changes;
mod replay;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dayfly::SignalSink;
use dayfly_kv::Backend;
use dayfly_limit::KeyedLimiter;
use dayfly_telemetry::Telemetry;
use thiserror::Error;
use tokio_util::task::TaskTracker;

pub(super) use self::replay::Replay;
use super::attempt::Clients;
use super::endpoint::{Endpoint, Shared};
use super::event::{Event, Submission};
use super::ledger::{Entering, Keep, Ledger, LedgerError, Receipt};
use super::log::{Log, chain};
use super::settings::{EndpointName, Settings};
use super::telemetry::current_span;
use super::unix_millis;

/// How long who hands in is asked to wait when the backlog is full.
pub(super) const BACKLOG_PAUSE: Duration = Duration::from_secs(5);

/// More than a record has besides its data: its id, type, key and the names of its endpoints.
pub(super) const RECORD_BYTES: usize = 32 * 1024;

/// A running relay. Clones are the same relay.
#[derive(Clone, Debug)]
pub struct Relay {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Shared,
    settings: RwLock<Arc<Settings>>,
    endpoints: RwLock<BTreeMap<EndpointName, Endpoint>>,
    is_draining: std::sync::atomic::AtomicBool,
    /// What is being taken in. It goes on when who asked for it has gone.
    intake: TaskTracker,
    /// Settings that are being applied. They go on as well.
    changes: TaskTracker,
    /// Held while settings are applied, so that one change comes after the other.
    applying: tokio::sync::Mutex<()>,
    /// Held while parked events are handed in again.
    replaying: tokio::sync::Mutex<()>,
    tally: IntakeTally,
}

/// What intake has done since the start.
#[derive(Debug, Default)]
pub(super) struct IntakeTally {
    pub(super) accepted: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) rejected_settings: AtomicU64,
    pub(super) reloads: AtomicU64,
}

/// Why a relay cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[from] reqwest::Error),
    /// An event may be larger than the store takes.
    #[error("limits.event_bytes: the store takes values of {most} bytes, so an event has at most {room}")]
    EventTooLarge {
        /// What the store takes.
        most: usize,
        /// What is left of that for an event's data.
        room: usize,
    },
}

/// Why events are not taken in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// As much waits as may wait.
    #[error("the backlog is full")]
    Backlog,
    /// The relay ends.
    #[error("the relay is shutting down")]
    Draining,
    /// The store does not write.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Taking in has failed in a way that nobody expected.
    #[error("taking in ended before its time")]
    Ended(#[from] tokio::task::JoinError),
}

impl Relay {
    /// Opens the ledger, finishes what an earlier process left half done, and starts every endpoint.
    ///
    /// # Errors
    /// When the store or the client cannot be had.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was begun is left to the next start.
    pub async fn start(
        backend: &dyn Backend,
        settings: Settings,
        signals: &SignalSink,
        log: Log,
    ) -> Result<Self, StartError> {
        Self::start_watched(backend, settings, signals, log, None).await
    }

    /// Like [`start`](Self::start), with telemetry that watches every endpoint.
    ///
    /// # Errors
    /// When the store or the client cannot be had.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was begun is left to the next start.
    pub(super) async fn start_watched(
        backend: &dyn Backend,
        settings: Settings,
        signals: &SignalSink,
        log: Log,
        telemetry: Option<Telemetry>,
    ) -> Result<Self, StartError> {
        let clients = Clients::new()?;
        let keep = Keep { ids: settings.idempotency_window.0, parked: settings.keep_parked.0 };
        let (ledger, recovered) = Ledger::open(backend, keep, signals).await?;
        let (most, wanted) = (ledger.max_value_bytes(), settings.limits.event_bytes.to_usize());
        let room = most.saturating_sub(RECORD_BYTES);
        if wanted > room {
            return Err(StartError::EventTooLarge { most, room });
        }
        for wrong in &recovered.corrupt {
            log.warn(format!("passed over: {wrong}"));
        }
        if recovered.events > 0 {
            log.info(format!("{} events are waiting from before", recovered.events));
        }
        let mut disabled = ledger.disabled().await?;
        let requests = KeyedLimiter::new(settings.limits.of_requests());
        let (ledger, signals) = (Arc::new(ledger), signals.clone());
        let shared = Shared { ledger, clients, requests, signals, log, telemetry };
        let mut endpoints = BTreeMap::new();
        for (name, endpoint) in &settings.endpoints {
            let disabled = disabled.remove(name.as_str()).filter(|was| was.url == endpoint.url.shown());
            let spawned =
                Endpoint::spawn(name, endpoint, settings.allow_private_addresses, disabled, &shared);
            endpoints.insert(name.clone(), spawned);
        }
        let inner = Inner {
            shared,
            settings: RwLock::new(Arc::new(settings)),
            endpoints: RwLock::new(endpoints),
            is_draining: false.into(),
            intake: TaskTracker::new(),
            changes: TaskTracker::new(),
            applying: tokio::sync::Mutex::default(),
            replaying: tokio::sync::Mutex::default(),
            tally: IntakeTally::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Takes events in, all or none. When this returns, each is durable or was known already.
    ///
    /// # Errors
    /// When there is no room, when the relay ends, and when the store does not write.
    ///
    /// # Cancel safety
    /// Dropped, the events are taken in all the same, or not at all.
    pub async fn accept(&self, submissions: Vec<Submission>) -> Result<Vec<Receipt>, AcceptError> {
        let (relay, trace) = (self.clone(), current_span());
        // Who hands in may go away in the middle of it; the ledger is not left half written for that.
        let accepted = self.inner.intake.spawn(async move {
            let accepted = relay.take_in(submissions, trace).await;
            if accepted.is_err() {
                relay.inner.tally.refused.fetch_add(1, Ordering::Relaxed);
            }
            accepted
        });
        accepted.await?
    }

    async fn take_in(
        &self,
        submissions: Vec<Submission>,
        trace: Option<String>,
    ) -> Result<Vec<Receipt>, AcceptError> {
        if self.is_draining() {
            return Err(AcceptError::Draining);
        }
        let settings = self.settings();
        let counts = self.ledger().counts();
        let promise = counts.promise(submissions.len() as u64, settings.limits.backlog.0);
        let promise = promise.ok_or(AcceptError::Backlog)?;

        // An id that stands twice in one request is taken in once: the first of them.
        let mut first = HashMap::new();
        let mut places = Vec::with_capacity(submissions.len());
        let mut entering = Vec::with_capacity(submissions.len());
        let received = unix_millis();
        for submission in submissions {
            let (event, named) = submission.into_event(received);
            let at = *first.entry(event.id.clone()).or_insert(entering.len());
            places.push((at, at < entering.len()));
            if at == entering.len() {
                entering.push(Entering { trace: trace.clone(), ..self.entering(event, named, &settings) });
            }
        }
        let receipts = self.ledger().accept(entering).await;
        drop(promise);
        // Also after a failure: others may have been taken in behind it, and wait for its numbers to be settled.
        self.wake();
        let receipts = receipts?;
        let receipt = |(at, again): &(usize, bool)| {
            let receipt = &receipts[*at];
            if *again {
                Receipt { duplicate: true, endpoints: 0, ..receipt.clone() }
            } else {
                receipt.clone()
            }
        };
        let receipts: Vec<Receipt> = places.iter().map(receipt).collect();
        let duplicates = receipts.iter().filter(|receipt| receipt.duplicate).count() as u64;
        self.inner.tally.duplicates.fetch_add(duplicates, Ordering::Relaxed);
        self.inner.tally.accepted.fetch_add(receipts.len() as u64 - duplicates, Ordering::Relaxed);
        Ok(receipts)
    }

    fn entering(&self, event: Event, named: bool, settings: &Settings) -> Entering {
        let (mut waiting, mut overflowing) = (Vec::new(), Vec::new());
        for (name, endpoint) in &settings.endpoints {
            if !endpoint.wants(&event.kind) {
                continue;
            }
            waiting.push(name.as_str().to_owned());
            if self.ledger().counts().waiting_for(name.as_str()) >= endpoint.max_waiting.0 {
                overflowing.push(name.as_str().to_owned());
            }
        }
        Entering { event, named, waiting, overflowing, trace: None }
    }

    /// Waits until no event waits for a delivery and none is under way. Intake stays open, so this may pass before anybody
    /// notices.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn idle(&self) {
        self.ledger().counts().nothing_waits().await;
        // The store knows of an end before those do who count it.
        for endpoint in self.endpoints().values() {
            endpoint.idle().await;
        }
    }

    /// Like [`idle`](Self::idle), for one endpoint; at once where there is none of this name.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn idle_for(&self, endpoint: &str) {
        if let Some(endpoint) = self.endpoint(endpoint) {
            endpoint.idle().await;
        }
    }

    /// Forgets ids and parked events that are too old.
    ///
    /// # Cancel safety
    /// Nothing is lost: the next time goes on.
    pub async fn sweep(&self) {
        if let Err(error) = self.ledger().sweep().await {
            self.inner.shared.log.warn(chain(&error));
        }
    }

    /// Whether it takes nothing in any more.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.inner.is_draining.load(Ordering::Acquire)
    }

    /// The settings that it follows.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.inner.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn endpoints(&self) -> BTreeMap<EndpointName, Endpoint> {
        self.inner.endpoints.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn endpoint(&self, name: &str) -> Option<Endpoint> {
        self.inner.endpoints.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn endpoints_mut(&self, change: impl FnOnce(&mut BTreeMap<EndpointName, Endpoint>)) {
        change(&mut self.inner.endpoints.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Has every endpoint look for what is new.
    pub(super) fn wake(&self) {
        for endpoint in self.inner.endpoints.read().unwrap_or_else(PoisonError::into_inner).values() {
            endpoint.wake();
        }
    }

    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        &self.inner.shared.ledger
    }

    pub(super) fn tally(&self) -> &IntakeTally {
        &self.inner.tally
    }

    pub(super) fn log(&self) -> Log {
        self.inner.shared.log
    }
}

#[cfg(test)]
mod tests;
