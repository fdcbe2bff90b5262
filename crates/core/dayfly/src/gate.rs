//! The pure part of the gates: which starts the raised signals allow.

use std::collections::HashMap;

use dayfly_signal::{PatternSet, Raised, SignalId};
use tokio::time::Instant;

use crate::LaneOptions;

/// Which signals gate, and how.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) cancel: PatternSet,
    pub(crate) defer: PatternSet,
    pub(crate) resume: PatternSet,
    /// Whether a keyed signal gates its key only. Where there are no keys, it gates everything.
    pub(crate) keyed: bool,
}

/// What may happen to an operation whose turn has come.
/// The later, the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gate {
    Open,
    Deferred,
    Cancelled,
}

/// What the raised signals say, until one of them changes or `recheck_at` has come.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    all: Marks,
    keys: HashMap<String, Marks>,
    /// Since when everything is deferred, and since when single keys are.
    all_since: Option<Instant>,
    keys_since: HashMap<String, Instant>,
    pub(crate) recheck_at: Option<Instant>,
}

/// The newest signals of each kind. A resume lifts the deferral when it is newer than every defer.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    cancelled: bool,
    deferred: Option<SignalId>,
    resumed: Option<SignalId>,
}

impl Rules {
    /// A lane's own rules. A keyed signal gates the whole lane.
    pub(crate) fn of_lane(lane: LaneOptions) -> Self {
        Self { cancel: lane.cancel_on, defer: lane.defer_on, resume: lane.resume_on, keyed: false }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cancel.is_empty() && self.defer.is_empty()
    }

    /// Every pattern that has to be watched.
    pub(crate) fn patterns(&self) -> PatternSet {
        self.cancel.clone().and(&self.defer).and(&self.resume)
    }

    /// What `raised` means now; what `before` deferred already is deferred since then.
    pub(crate) fn judge(&self, raised: &[Raised], before: &Verdict, now: Instant) -> Verdict {
        let mut verdict = Verdict::default();
        for signal in raised {
            let marks = match signal.key().filter(|_| self.keyed) {
                Some(key) => verdict.keys.entry(key.to_owned()).or_default(),
                None => &mut verdict.all,
            };
            marks.cancelled |= self.cancel.matches(signal.name());
            if self.defer.matches(signal.name()) {
                marks.deferred = marks.deferred.max(Some(signal.newest()));
            }
            if self.resume.matches(signal.name()) {
                marks.resumed = marks.resumed.max(Some(signal.newest()));
            }
            verdict.recheck_at = earlier(verdict.recheck_at, signal.expires_at());
        }
        if verdict.of_all() == Gate::Deferred {
            verdict.all_since = before.all_since.or(Some(now));
        }
        let deferred = verdict.keys.keys().filter(|key| verdict.of_key(key) == Gate::Deferred);
        let since = |key: &String| (key.clone(), before.deferred_at(Some(key)).unwrap_or(now));
        verdict.keys_since = deferred.map(since).collect();
        verdict
    }
}

impl Verdict {
    /// The gate for an operation without a key, and for every key that no keyed signal names.
    pub(crate) fn of_all(&self) -> Gate {
        self.all.gate()
    }

    /// Whether some keys have a verdict of their own, so that a key's text is needed.
    pub(crate) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    pub(crate) fn of_key(&self, key: &str) -> Gate {
        let Some(own) = self.keys.get(key) else { return self.of_all() };
        let both = Marks {
            cancelled: own.cancelled || self.all.cancelled,
            deferred: own.deferred.max(self.all.deferred),
            resumed: own.resumed.max(self.all.resumed),
        };
        both.gate()
    }

    /// Since when a key, or everything, is deferred; `None` when it is not.
    pub(crate) fn deferred_at(&self, key: Option<&str>) -> Option<Instant> {
        match key.filter(|key| self.keys.contains_key(*key)) {
            Some(key) => self.keys_since.get(key).copied(),
            None => self.all_since,
        }
    }

    /// Whether everything may start, whatever its key.
    pub(crate) fn is_open(&self) -> bool {
        self.keys.is_empty() && self.of_all() == Gate::Open
    }

    /// Whether nothing at all may start or be skipped, whatever its key.
    pub(crate) fn is_shut(&self) -> bool {
        self.of_all() == Gate::Deferred && self.keys.is_empty()
    }
}

impl Marks {
    fn gate(self) -> Gate {
        match (self.cancelled, self.deferred) {
            (true, _) => Gate::Cancelled,
            (false, Some(_)) if self.deferred > self.resumed => Gate::Deferred,
            (false, _) => Gate::Open,
        }
    }
}

/// The earlier of two instants that may be missing.
pub(crate) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dayfly_signal::{Draft, SignalSink};

    fn verdict(keyed: bool, raises: &[(&str, Option<&str>)]) -> Verdict {
        let signals = SignalSink::default();
        for (name, key) in raises {
            match key {
                Some(key) => signals.raise(Draft::from(*name).key(key)),
                None => signals.raise(*name),
            };
        }
        let rules = Rules { cancel: "stop".into(), defer: "wait.*".into(), resume: "go".into(), keyed };
        rules.judge(&signals.state("*"), &Verdict::default(), Instant::now())
    }

    #[test]
    fn a_resume_lifts_only_older_deferrals() {
        assert_eq!(verdict(true, &[("wait.a", None)]).of_all(), Gate::Deferred);
        assert_eq!(verdict(true, &[("wait.a", None), ("wait.b", None), ("go", None)]).of_all(), Gate::Open);
        assert_eq!(
            verdict(true, &[("wait.a", None), ("go", None), ("wait.b", None)]).of_all(),
            Gate::Deferred
        );
    }

    #[test]
    fn a_cancel_signal_comes_before_a_deferral() {
        assert_eq!(verdict(true, &[("stop", None), ("wait.a", None)]).of_all(), Gate::Cancelled);
    }

    #[test]
    fn a_keyed_signal_gates_its_key_where_there_are_keys() {
        let keyed = verdict(true, &[("wait.a", Some("k"))]);
        assert_eq!(
            (keyed.of_all(), keyed.of_key("k"), keyed.of_key("l")),
            (Gate::Open, Gate::Deferred, Gate::Open)
        );
        assert_eq!(verdict(false, &[("wait.a", Some("k"))]).of_all(), Gate::Deferred);
    }

    #[test]
    fn a_keyed_resume_lifts_a_general_deferral_for_its_key() {
        let verdict = verdict(true, &[("wait.a", None), ("go", Some("k"))]);
        assert_eq!((verdict.of_key("k"), verdict.of_key("l")), (Gate::Open, Gate::Deferred));
        assert!(!verdict.is_shut());
    }
}
