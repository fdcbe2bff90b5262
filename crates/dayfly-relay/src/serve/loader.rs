//! Brings an endpoint's events from the ledger into its queue, as many as there is room for.
//!
//! What waits in memory is bounded by the queue, whatever the backlog. It is woken by intake and by deliveries that end, and
//! looks at nothing in between.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dayfly::TryEnqueueError;

use super::courier::Job;
use super::endpoint::{Inner, Lanes, QUEUE_CAPACITY, QUEUED_PER_KEY};
use super::ledger::LedgerError;
use super::log::chain;
use super::plan::{Offered, Plan, Walk};

/// How many records are read together: as much as a page has in memory.
const PAGE: usize = 64;

/// How long a store that cannot be read is left alone.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// The loader of one endpoint.
pub(super) struct Loader {
    endpoint: Arc<Inner>,
    lanes: Lanes,
    plan: Plan,
    is_full: bool,
}

impl Loader {
    pub(super) fn new(endpoint: Arc<Inner>, lanes: Lanes) -> Self {
        Self { endpoint, lanes, plan: Plan::default(), is_full: false }
    }

    /// Works until the endpoint is stopped.
    pub(super) async fn run(mut self) {
        let endpoint = Arc::clone(&self.endpoint);
        // What is in the queue already stays there, wherever this is dropped.
        endpoint.stop.run_until_cancelled(self.work()).await;
    }

    async fn work(&mut self) {
        loop {
            match self.turn().await {
                Ok(true) => {}
                Ok(false) => self.endpoint.wake.notified().await,
                Err(error) => {
                    self.endpoint.log.warn(format!("{}: {}", self.endpoint.name, chain(&error)));
                    tokio::time::sleep(STORE_PAUSE).await;
                }
            }
        }
    }

    /// Does what there is room for. Says whether there may be more to do without anything having changed.
    async fn turn(&mut self) -> Result<bool, LedgerError> {
        // Half of the room has to be free again, so that not every end of a delivery costs a look at the store.
        if self.is_full && self.lanes.stats().pending > QUEUE_CAPACITY as u64 / 2 {
            return Ok(false);
        }
        self.is_full = false;
        let has_room = |key: &&String| self.lanes.key_stats(key).queued <= QUEUED_PER_KEY as u64 / 2;
        let freed: BTreeSet<String> = self.plan.blocked().filter(has_room).cloned().collect();
        let mut did = false;
        if !freed.is_empty() {
            did |= self.walk(Walk::Again(freed)).await?;
        }
        if !self.is_full && self.plan.may_go_on() && self.plan.next() < self.endpoint.ledger.settled() {
            did |= self.walk(Walk::Onward).await?;
        }
        Ok(did)
    }

    /// One walk; onward it goes one page far. Says whether it came anywhere.
    async fn walk(&mut self, mut walk: Walk) -> Result<bool, LedgerError> {
        let is_onward = walk == Walk::Onward;
        let (mut from, mut took) = (self.plan.start(&walk), false);
        let below = if is_onward { self.endpoint.ledger.settled() } else { self.plan.next() };
        loop {
            let page = self.endpoint.ledger.page(from, below, PAGE).await?;
            for wrong in page.corrupt.iter().filter(|_| is_onward) {
                self.endpoint.log.warn(format!("passed over: {wrong}"));
            }
            for (seq, record) in page.records {
                let key = self.endpoint.ordering.key_of(&record.event, seq);
                let is_ours = record.waiting.iter().any(|waiting| **waiting == *self.endpoint.name);
                if !is_ours || !self.plan.wants(&walk, seq, &key) {
                    self.plan.passed(&walk, seq);
                    continue;
                }
                let offered =
                    self.offer(Job { seq, key: key.clone(), event: Arc::new(record.event), fate: None });
                took |= offered == Offered::Taken;
                self.is_full = offered == Offered::Full;
                if !self.plan.offered(&mut walk, seq, key, offered) {
                    return Ok(took);
                }
            }
            let Some(next) = page.more_from else {
                self.plan.passed(&walk, below.saturating_sub(1));
                self.plan.arrived(&walk);
                return Ok(true);
            };
            self.plan.passed(&walk, next - 1);
            if is_onward {
                return Ok(true);
            }
            from = next;
        }
    }

    fn offer(&self, job: Job) -> Offered {
        match self.lanes.try_enqueue(job) {
            Ok(_) => Offered::Taken,
            Err(TryEnqueueError::KeyFull(_)) => Offered::KeyFull,
            // A closed queue takes nothing any more; whoever closed it stops the loader as well.
            Err(_) => Offered::Full,
        }
    }
}
