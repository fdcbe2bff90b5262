//! What is said at the end, as data. `--json` prints it as it is; the text for people is made from it.

use std::time::Duration;

use serde::Serialize;

use super::DemoOptions;
use super::check::{Findings, WrongPath};
use super::delivery::Delivered;
use super::receiver::Received;
use crate::history::{History, Source};

/// How many wrong paths are named.
const NAMED: usize = 10;

/// The whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether everything holds, at every receiver.
    pub ok: bool,
    /// Whether each path's order was kept (`keyed`) or the events were shuffled (`unordered`).
    pub order: &'static str,
    /// What all chance depended on.
    pub seed: u64,
    /// The share of faults that was added.
    pub chaos: f64,
    /// Deliveries at once, for each endpoint.
    pub concurrency: usize,
    /// What was delivered.
    pub source: SourceReport,
    /// Each receiver.
    pub receivers: Vec<ReceiverReport>,
    /// How long the deliveries took.
    pub seconds: f64,
}

/// What was delivered.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// The repository, or where the bundled events were recorded.
    pub name: String,
    /// Why the bundled events were used, if they were.
    pub bundled_because: Option<String>,
    /// The commit whose tree is the truth.
    pub head: String,
    /// Commits in the history.
    pub commits: u64,
    /// Events, one for each path that a commit changed.
    pub events: usize,
    /// Paths that ever were.
    pub paths: usize,
    /// Paths that changed more than once.
    pub paths_changed_again: usize,
    /// Paths in the tree of HEAD.
    pub paths_of_head: usize,
}

/// One receiver and its endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiverReport {
    /// Its name.
    pub name: &'static str,
    /// Whether everything holds here.
    pub ok: bool,
    /// Events that the receiver confirmed.
    pub delivered: u64,
    /// Events that were given up.
    pub failed: u64,
    /// Why the first of them was.
    pub first_error: Option<String>,
    /// Requests that the relay made.
    pub attempts: u64,
    /// Attempts after which there was another.
    pub retries: u64,
    /// Events that came again and were taken once.
    pub duplicates_suppressed: u64,
    /// Events that did not follow on the one before them of the same path.
    pub order_violations: u64,
    /// Requests with a good signature.
    pub signatures_verified: u64,
    /// Requests that were not believed.
    pub signatures_rejected: u64,
    /// How often the circuit opened.
    pub circuit_openings: u64,
    /// The most events that were accepted and not yet ended.
    pub peak_backlog: u64,
    /// Whether the ids taken are the ids sent.
    pub ids_equal: bool,
    /// Ids that were sent and not taken.
    pub missing: usize,
    /// Ids that were taken and not sent.
    pub unexpected: usize,
    /// Whether the events add up to the tree of HEAD.
    pub tree_equals_head: bool,
    /// How many paths differ.
    pub wrong_paths: usize,
    /// The first of them.
    pub first_wrong_paths: Vec<WrongPathReport>,
    /// How long it took.
    pub seconds: f64,
}

/// A path that differs from HEAD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrongPathReport {
    /// The path; quoted when it is no plain text.
    pub path: String,
    /// Mode and object as git has them; `null` where there is nothing.
    pub expected: Option<String>,
    /// Mode and object as the receiver has them.
    pub got: Option<String>,
}

impl Report {
    pub(super) fn new(
        options: &DemoOptions,
        history: &History,
        receivers: Vec<ReceiverReport>,
        time: Duration,
    ) -> Self {
        Self {
            ok: receivers.iter().all(|receiver| receiver.ok),
            order: if options.unordered { "unordered" } else { "keyed" },
            seed: options.seed,
            chaos: options.chaos,
            concurrency: options.concurrency,
            source: SourceReport::new(history),
            receivers,
            seconds: time.as_secs_f64(),
        }
    }
}

impl SourceReport {
    fn new(history: &History) -> Self {
        let (name, bundled_because) = match &history.source {
            Source::Repository(path) => (path.display().to_string(), None),
            Source::Bundled { recorded_from, reason } => (recorded_from.clone(), Some(reason.clone())),
        };
        Self {
            name,
            bundled_because,
            head: history.head.as_str().to_owned(),
            commits: history.commits,
            events: history.events.len(),
            paths: history.paths,
            paths_changed_again: history.paths_changed_again,
            paths_of_head: history.tree.len(),
        }
    }
}

impl ReceiverReport {
    /// What both sides say of one endpoint, and whether it is what was promised.
    pub(super) fn new(
        name: &'static str,
        sent: &Delivered,
        received: &Received,
        findings: &Findings,
    ) -> Self {
        let drained = sent.drained;
        let ids_equal = findings.missing == 0 && findings.unexpected == 0;
        let tree_equals_head = findings.wrong_paths.is_empty();
        let order_violations = received.inbox.order_violations();
        // Whatever did not complete was not delivered, whether it failed or was lost in some other way.
        let all_completed = drained.completed == drained.accepted;
        Self {
            name,
            ok: ids_equal
                && tree_equals_head
                && all_completed
                && order_violations == 0
                && received.rejected == 0,
            delivered: drained.completed,
            failed: drained.accepted - drained.completed,
            first_error: sent.first_error.clone(),
            attempts: drained.completed + drained.failed + sent.retries,
            retries: sent.retries,
            duplicates_suppressed: received.inbox.duplicates(),
            order_violations,
            signatures_verified: received.verified,
            signatures_rejected: received.rejected,
            circuit_openings: sent.openings,
            peak_backlog: sent.peak_backlog,
            ids_equal,
            missing: findings.missing,
            unexpected: findings.unexpected,
            tree_equals_head,
            wrong_paths: findings.wrong_paths.len(),
            first_wrong_paths: findings.wrong_paths.iter().take(NAMED).map(WrongPathReport::from).collect(),
            seconds: sent.time.as_secs_f64(),
        }
    }
}

impl From<&WrongPath> for WrongPathReport {
    fn from(wrong: &WrongPath) -> Self {
        Self {
            path: wrong.path.to_string(),
            expected: wrong.expected.as_ref().map(ToString::to_string),
            got: wrong.got.as_ref().map(ToString::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::inbox::Message;
    use super::*;
    use crate::event::{Change, Event, ObjectId, RepoPath};
    use dayfly::DrainReport;

    fn commit() -> ObjectId {
        ObjectId::parse(&"a".repeat(40)).unwrap()
    }

    fn sent(accepted: u64, completed: u64) -> Delivered {
        let mut drained = DrainReport::default();
        (drained.accepted, drained.completed) = (accepted, completed);
        let time = Duration::from_secs(1);
        Delivered { drained, retries: 0, openings: 0, peak_backlog: 1, first_error: None, time }
    }

    fn is_ok(sent: &Delivered, received: &Received, findings: &Findings) -> bool {
        ReceiverReport::new("x", sent, received, findings).ok
    }

    #[test]
    fn each_broken_promise_is_enough() {
        let (fine, clean) = (Received::default(), Findings::default());
        assert!(is_ok(&sent(2, 2), &fine, &clean));
        assert!(!is_ok(&sent(2, 1), &fine, &clean), "an event was given up");
        let forged = Received { rejected: 1, ..Received::default() };
        assert!(!is_ok(&sent(2, 2), &forged, &clean), "a request was not authentic");
        let late = Event::new(commit(), RepoPath::new(b"a"), 2, Change::Delete);
        let mut out_of_order = Received::default();
        out_of_order.inbox.take(&late.id, Message::from(&late)).unwrap();
        assert!(!is_ok(&sent(2, 2), &out_of_order, &clean), "an event came out of order");
        let lost = Findings { missing: 1, ..Findings::default() };
        assert!(!is_ok(&sent(2, 2), &fine, &lost), "an event was lost");
        let smuggled = Findings { unexpected: 1, ..Findings::default() };
        assert!(!is_ok(&sent(2, 2), &fine, &smuggled), "an event came from elsewhere");
        let path = RepoPath::new(b"a");
        let wrong = Findings {
            wrong_paths: vec![WrongPath { path, expected: None, got: None }],
            ..Findings::default()
        };
        assert!(!is_ok(&sent(2, 2), &fine, &wrong), "a path is wrong");
    }
}
