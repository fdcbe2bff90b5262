//! What is parked, for one endpoint or for all of them, in the order in which it came in.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use serde_json::{Value, json};

use super::{AT_ONCE, LOOKED_AT, Listed, Which, described};
use crate::serve::api::Api;
use crate::serve::ledger::{Ledger, LedgerError};

/// What is parked for one endpoint, read piece by piece.
struct Line {
    endpoint: String,
    found: VecDeque<Found>,
    /// The number to go on after, if there is more.
    more_after: Option<u64>,
}

/// An event that was read.
struct Found {
    number: u64,
    event: Value,
    is_wanted: bool,
}

/// A page of it. One event may be parked for several endpoints, under one number: a page does not end between them, and so
/// may be longer than was asked for.
pub(super) async fn parked(api: &Api, which: &Which) -> Result<Listed, LedgerError> {
    let ledger = &**api.relay.ledger();
    let mut lines: Vec<Line> =
        endpoints(ledger, which).into_iter().map(|endpoint| Line::new(endpoint, which.after)).collect();
    // All of them together have about as much in memory as one would have by itself.
    let at_once = (AT_ONCE / lines.len().max(1)).max(1);
    let mut heads = BinaryHeap::with_capacity(lines.len());
    for (place, line) in lines.iter_mut().enumerate() {
        heads.extend(line.head(ledger, which, at_once).await?.map(|number| Reverse((number, place))));
    }
    let (mut events, mut looked_at, mut last) = (Vec::new(), 0, None);
    while let Some(Reverse((number, place))) = heads.pop() {
        let is_full = events.len() >= which.limit || looked_at >= LOOKED_AT;
        if is_full && last != Some(number) {
            return Ok((events, last));
        }
        last = Some(number);
        looked_at += 1;
        let line = &mut lines[place];
        events.extend(line.found.pop_front().filter(|found| found.is_wanted).map(|found| found.event));
        heads.extend(line.head(ledger, which, at_once).await?.map(|number| Reverse((number, place))));
    }
    Ok((events, None))
}

/// The one that is asked for, or all that have something parked, also those that are gone.
fn endpoints(ledger: &Ledger, which: &Which) -> Vec<String> {
    if let Some(endpoint) = &which.endpoint {
        return vec![endpoint.clone()];
    }
    let parked = ledger.counts().figures().parked;
    parked.into_iter().filter_map(|(endpoint, count)| (count > 0).then_some(endpoint)).collect()
}

impl Line {
    fn new(endpoint: String, after: u64) -> Self {
        Self { endpoint, found: VecDeque::new(), more_after: Some(after) }
    }

    /// The number that is next in it.
    async fn head(
        &mut self,
        ledger: &Ledger,
        which: &Which,
        at_once: usize,
    ) -> Result<Option<u64>, LedgerError> {
        while self.found.is_empty()
            && let Some(after) = self.more_after
        {
            let page = ledger.parked_page(&self.endpoint, after, at_once).await?;
            self.more_after = page.more_after;
            for (number, parked) in page.parked {
                let mut event = described(number, &parked.event);
                event["endpoint"] = json!(self.endpoint);
                event["error"] = json!(parked.error);
                event["attempts"] = json!(parked.attempts);
                event["since"] = json!(parked.since);
                self.found.push_back(Found { number, event, is_wanted: which.wants(&parked.event) });
            }
        }
        Ok(self.found.front().map(|found| found.number))
    }
}
