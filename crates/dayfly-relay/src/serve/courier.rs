//! The body of a delivery: one attempt, and what follows from its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dayfly::{Ended, Operation};
use dayfly_circuit_breaker::Judgement;
use dayfly_retry::GaveUp;
use reqwest::StatusCode;

use super::attempt::{Refusal, attempt};
use super::endpoint::Inner;
use super::event::Event;
use super::ledger::LedgerError;
use super::log::chain;

/// How long it is waited where there can be no request at all, which only a limiter with too many hosts says.
const REQUEST_PAUSE: Duration = Duration::from_secs(1);

/// The one key of an endpoint's rate.
const ALL: &str = "";

/// How long a store that cannot write is left alone.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// An event on its way to one endpoint.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) seq: u64,
    pub(super) key: String,
    pub(super) event: Arc<Event>,
    /// What has become of it, where only the store does not know yet.
    pub(super) fate: Option<Fate>,
}

/// What has become of an event.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    Delivered,
    Parked { error: String, attempts: u32 },
}

/// What an endpoint has done since the start.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) attempts: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) parked: AtomicU64,
}

impl Inner {
    pub(super) async fn deliver(&self, mut job: Job, op: Operation) -> Ended<Job, (), String> {
        let fate = match job.fate.take() {
            Some(fate) => fate,
            None => match self.attempt(&job, &op).await {
                Ok(fate) => fate,
                // When the relay ends meanwhile, it stays in the ledger and goes on with the next start.
                Err(after) => return op.again(job, after),
            },
        };
        if let Err(error) = self.settle(&job, &fate).await {
            self.log.warn(format!("{}: {}: {}", self.name, job.event.id, chain(&error)));
            job.fate = Some(fate);
            return op.again(job, STORE_PAUSE);
        }
        match fate {
            Fate::Delivered => {
                op.raise(&format!("event.delivered.{}", self.name));
                op.done()
            }
            Fate::Parked { error, .. } => {
                op.raise(&format!("event.parked.{}", self.name));
                op.fail(error)
            }
        }
    }

    /// One attempt. What is to be tried again comes back as an error, with the wait before it.
    async fn attempt(&self, job: &Job, op: &Operation) -> Result<Fate, Duration> {
        if self.is_disabled() {
            let error = "the endpoint is disabled".to_owned();
            return Ok(Fate::Parked { error, attempts: op.attempt() - 1 });
        }
        let live = self.live();
        let turn = async {
            if live.settings.rate.is_some() {
                self.rate.until_ready(ALL).await;
            }
            self.requests.acquire(live.host()).await
        };
        // Who waits for its turn when the endpoint stops has not begun.
        let Some(turn) = self.stop.run_until_cancelled(turn).await else { return Err(Duration::ZERO) };
        let Ok(_request) = turn else { return Err(REQUEST_PAUSE) };
        // Starts wait while the circuit is open; what was starting when it opened comes again, too.
        let permit = self.circuit.try_acquire().map_err(|open| open.retry_after)?;
        self.tally.attempts.fetch_add(1, Ordering::Relaxed);
        let attempted = match job.event.payload() {
            Ok(body) => attempt(&live.client, live.target(), &job.event.id, body).await,
            Err(error) => Err(Refusal::Connection(error.to_string())),
        };
        self.tell(&attempted);
        let Err(refusal) = attempted else {
            permit.success();
            live.retry.succeeded(op);
            return Ok(Fate::Delivered);
        };

        // What is no breakdown says nothing about the receiver's health.
        permit.record(if refusal.is_breakdown() { Judgement::Failure } else { Judgement::Ignored });
        let attempts = op.attempt();
        let error = refusal.to_string();
        if refusal.is_goodbye() {
            self.disable(&error).await;
            return Ok(Fate::Parked { error, attempts });
        }
        if let Some(pause) = live.pause_after(&refusal) {
            self.rate.retry_all_after(pause);
        }
        match live.retry.next_attempt(op, &refusal) {
            Ok(after) => Err(after),
            // What is given up only because the relay ends goes on with the next start.
            Err(GaveUp::Cancelled) => Err(Duration::ZERO),
            Err(_) => Ok(Fate::Parked { error, attempts }),
        }
    }

    /// Says in the span of the delivery how its request was answered.
    fn tell(&self, attempted: &Result<StatusCode, Refusal>) {
        let status = match attempted {
            Ok(status) | Err(Refusal::Status { status, .. }) => Some(status.as_u16()),
            Err(Refusal::Connection(_)) => None,
        };
        tracing::info!(endpoint = &*self.name, http.response.status_code = status, "answer");
    }

    async fn settle(&self, job: &Job, fate: &Fate) -> Result<(), LedgerError> {
        match fate {
            Fate::Delivered => {
                self.ledger.done(job.seq, &self.name).await?;
                self.tally.delivered.fetch_add(1, Ordering::Relaxed);
            }
            Fate::Parked { error, attempts } => {
                self.ledger.park(job.seq, &self.name, &job.event, error, *attempts).await?;
                self.tally.parked.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}
