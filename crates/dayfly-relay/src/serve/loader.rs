//! Brings an endpoint's events from the ledger into its queue, as many as there is room for.
//!
//! What waits in memory is bounded by the queue, whatever the backlog. It is woken by intake and by room in the queue, and
//! looks at nothing in between.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use dayfly::TryEnqueueError;
use dayfly_telemetry::Traced;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::courier::Job;
use super::endpoint::{Inner, Lanes, QUEUE_CAPACITY, QUEUED_PER_KEY};
use super::ledger::LedgerError;
use super::log::chain;
use super::plan::{Offered, Plan, Walk};

/// How many records are read together: as much as a page has in memory.
const PAGE: usize = 64;

/// How long a store that cannot be read is left alone.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How many pages of what was passed are looked at before what is new has its turn.
const PAGES_BACK: usize = 16;

/// The loader of one endpoint.
pub(super) struct Loader {
    endpoint: Arc<Inner>,
    lanes: Lanes,
    plan: Plan,
    /// A walk over what was passed, and where it is.
    back: Option<(Walk, u64)>,
    /// Each key that has no room, as far as is known; it comes out when half of its part of the queue is free.
    rooms: FuturesUnordered<Room>,
    /// Keys that have room again, and of which something was passed.
    freed: BTreeSet<String>,
    is_full: bool,
    /// The queue takes nothing any more.
    is_closed: bool,
}

/// A wait for room of a key, which it yields.
type Room = Pin<Box<dyn Future<Output = String> + Send>>;

/// How far a page brought a walk.
enum Came {
    /// It goes on at this number.
    Here(u64),
    /// There is nothing more to look at.
    ToTheEnd,
    /// There is no room for more.
    ToAStop,
}

impl Loader {
    pub(super) fn new(endpoint: Arc<Inner>, lanes: Lanes) -> Self {
        Self {
            endpoint,
            lanes,
            plan: Plan::default(),
            back: None,
            rooms: FuturesUnordered::new(),
            freed: BTreeSet::new(),
            is_full: false,
            is_closed: false,
        }
    }

    /// Works until the endpoint is stopped.
    pub(super) async fn run(mut self) {
        let endpoint = Arc::clone(&self.endpoint);
        // What is in the queue already stays there, wherever this is dropped.
        endpoint.stop.run_until_cancelled(self.work()).await;
    }

    async fn work(&mut self) {
        while !self.is_closed {
            match self.turn().await {
                Ok(true) => {}
                Ok(false) => self.change().await,
                Err(error) => {
                    self.endpoint.log.warn(format!("{}: {}", self.endpoint.name, chain(&error)));
                    tokio::time::sleep(STORE_PAUSE).await;
                }
            }
        }
    }

    /// Waits until there may be something to do.
    async fn change(&mut self) {
        // Half of the room has to be free again, so that not every start of a delivery costs a look at the store.
        tokio::select! {
            () = self.endpoint.wake.notified() => {}
            () = self.lanes.room(QUEUE_CAPACITY / 2), if self.is_full => self.is_full = false,
            Some(key) = self.rooms.next() => drop(self.freed.insert(key)),
        }
    }

    /// Does what there is room for. Says whether there may be more to do without anything having changed.
    async fn turn(&mut self) -> Result<bool, LedgerError> {
        if self.is_full {
            return Ok(false);
        }
        let back = self.go_back().await?;
        let on = self.go_on().await?;
        Ok(back || on)
    }

    /// Looks again at what was passed of keys that have room now. Says whether it came anywhere.
    async fn go_back(&mut self) -> Result<bool, LedgerError> {
        let Some((mut walk, mut from)) = self.back.take().or_else(|| self.way_back()) else {
            return Ok(false);
        };
        let mut took = false;
        for _ in 0..PAGES_BACK {
            // Where the other walk is may have moved on meanwhile; this one has to come as far.
            match self.page(&mut walk, from, self.plan.next(), &mut took).await? {
                Came::Here(next) => from = next,
                Came::ToTheEnd => return Ok(true),
                Came::ToAStop => return Ok(took),
            }
        }
        self.back = Some((walk, from));
        Ok(true)
    }

    /// The walk to take over what was passed, if it is worth one.
    fn way_back(&self) -> Option<(Walk, u64)> {
        if self.freed.is_empty() {
            return None;
        }
        let walk = Walk::Again(self.freed.clone());
        let from = self.plan.start(&walk);
        Some((walk, from))
    }

    /// Looks at a page of what is new. Says whether it came anywhere.
    async fn go_on(&mut self) -> Result<bool, LedgerError> {
        let settled = self.endpoint.ledger.settled();
        if self.endpoint.ledger.counts().waiting_for(&self.endpoint.name) == 0 {
            // Looked at in this order: what was settled by then had been counted, so nothing of it is for this endpoint.
            self.plan.skip_to(settled);
        }
        if self.is_full || !self.plan.may_go_on() || self.plan.next() >= settled {
            return Ok(false);
        }
        let mut took = false;
        let came = self.page(&mut Walk::Onward, self.plan.next(), settled, &mut took).await?;
        Ok(took || !matches!(came, Came::ToAStop))
    }

    /// One page of a walk.
    async fn page(
        &mut self,
        walk: &mut Walk,
        from: u64,
        below: u64,
        took: &mut bool,
    ) -> Result<Came, LedgerError> {
        let page = self.endpoint.ledger.page(from, below, PAGE).await?;
        if *walk == Walk::Onward {
            for wrong in &page.corrupt {
                self.endpoint.log.warn(format!("passed over: {wrong}"));
            }
        }
        for (seq, record) in page.records {
            let key = self.endpoint.ordering.key_of(&record.event, seq);
            let is_ours = record.waiting.iter().any(|waiting| **waiting == *self.endpoint.name);
            if !is_ours || !self.plan.wants(walk, seq, &key) {
                self.plan.passed(walk, seq);
                continue;
            }
            let job = Job { seq, key: key.clone(), event: Arc::new(record.event), fate: None };
            let offered = self.offer(match &record.trace {
                Some(trace) => Traced::from_trace_parent(job, trace),
                None => Traced::new(job),
            });
            *took |= offered == Offered::Taken;
            self.is_full |= offered == Offered::Full;
            if offered == Offered::KeyFull {
                self.await_room_of(key.clone());
            }
            if !self.plan.offered(walk, seq, key, offered) {
                return Ok(Came::ToAStop);
            }
        }
        if let Some(next) = page.more_from {
            self.plan.passed(walk, next - 1);
            return Ok(Came::Here(next));
        }
        self.plan.passed(walk, below.saturating_sub(1));
        self.plan.arrived(walk);
        if let Walk::Again(keys) = walk {
            self.freed.retain(|key| !keys.contains(key));
        }
        Ok(Came::ToTheEnd)
    }

    /// Goes back for this key when half of its part of the queue is free.
    fn await_room_of(&mut self, key: String) {
        self.freed.remove(&key);
        let lanes = self.lanes.clone();
        self.rooms.push(Box::pin(async move {
            lanes.room_of(&key, QUEUED_PER_KEY / 2).await;
            key
        }));
    }

    fn offer(&mut self, job: Traced<Job>) -> Offered {
        match self.lanes.try_enqueue(job) {
            Ok(_) => Offered::Taken,
            Err(TryEnqueueError::KeyFull(_)) => Offered::KeyFull,
            Err(TryEnqueueError::Full(_)) => Offered::Full,
            // Whoever closed the queue stops the loader as well.
            Err(_) => {
                self.is_closed = true;
                Offered::Full
            }
        }
    }
}
