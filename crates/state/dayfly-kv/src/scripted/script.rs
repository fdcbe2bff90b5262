//! What is to go wrong, and when. It has no lock and no clock itself.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use crate::error::Unavailable;
use crate::key::Key;

/// A call that a store may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// `get`.
    Get,
    /// `contains`.
    Contains,
    /// `get_many`.
    GetMany,
    /// `put`.
    Put,
    /// `delete`.
    Delete,
    /// `scan`.
    Scan,
    /// `watch`.
    Watch,
    /// `sweep`.
    Sweep,
    /// `clear`.
    Clear,
}

/// What happens to a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// It fails, and nothing is done.
    Fail(Unavailable),
    /// It is done, and the answer is lost: a write ends as unknown, another call as unavailable.
    LoseAnswer,
    /// It is never done, and the answer is lost.
    LoseRequest,
    /// The answer is lost, and a write is done right after so many further calls: it lands late. Another call is lost.
    LandAfter(u64),
    /// It is done after so long.
    Delay(Duration),
    /// It is done, and answered after so long: whoever gives up meanwhile does not know.
    DelayAnswer(Duration),
    /// It is never done and never answered.
    Hang,
}

/// How many calls are remembered.
pub(super) const REMEMBERED: usize = 1_024;

/// What is to go wrong, and what was called.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// By call, by its number counted from 1.
    faults: HashMap<Call, BTreeMap<u64, Fault>>,
    always: HashMap<Call, Fault>,
    counts: HashMap<Call, u64>,
    all: u64,
    calls: VecDeque<(Call, Option<Key>)>,
}

impl Script {
    /// Sets what happens to the `nth` of these calls from now on, the next one being the first.
    pub(super) fn nth(&mut self, call: Call, nth: u64, fault: Fault) {
        let at = self.count(call).saturating_add(nth.max(1));
        self.faults.entry(call).or_default().insert(at, fault);
    }

    pub(super) fn every(&mut self, call: Call, fault: Fault) {
        self.always.insert(call, fault);
    }

    pub(super) fn heal(&mut self) {
        self.faults.clear();
        self.always.clear();
    }

    /// Notes a call, and gives what happens to it and the number that it has among all calls.
    pub(super) fn called(&mut self, call: Call, key: Option<&Key>) -> (Option<Fault>, u64) {
        let count = self.counts.entry(call).or_default();
        *count += 1;
        self.all += 1;
        if self.calls.len() == REMEMBERED {
            self.calls.pop_front();
        }
        self.calls.push_back((call, key.cloned()));
        let once = self.faults.get_mut(&call).and_then(|faults| faults.remove(count));
        (once.or_else(|| self.always.get(&call).cloned()), self.all)
    }

    pub(super) fn count(&self, call: Call) -> u64 {
        self.counts.get(&call).copied().unwrap_or(0)
    }

    pub(super) fn calls(&self) -> Vec<(Call, Option<Key>)> {
        self.calls.iter().cloned().collect()
    }
}
