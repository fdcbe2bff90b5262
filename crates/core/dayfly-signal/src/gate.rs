//! What raised signals allow: the rules that every gate of the house goes by.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::{PatternSet, Raised, SignalId};

/// Which signals gate, and how: the pure part of every gate, without a lock, a clock or a task.
///
/// A signal that `cancel_on` means refuses. One that `defer_on` means makes wait, until it is retracted or ages out, or
/// until a signal that `resume_on` means is newer than every one that defers. Refusing comes before waiting. Only the
/// raised state counts, never the history.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_signal::{Draft, GateRules, Ruling, SignalSink, Verdict};
/// use tokio::time::Instant;
///
/// let rules = GateRules::new().cancel_on("shutdown").defer_on("backpressure.*").keyed(true);
/// let signals = SignalSink::default();
/// signals.raise(Draft::from("backpressure.disk").key("acme"));
///
/// let ruling = rules.judge(&signals.state(rules.patterns()), &Ruling::default(), Instant::now());
/// assert_eq!(ruling.of_key("acme"), Verdict::Deferred);
/// assert_eq!(ruling.of_all(), Verdict::Open);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GateRules {
    cancel: PatternSet,
    defer: PatternSet,
    resume: PatternSet,
    keyed: bool,
}

/// What a gate says to whom it is asked about. The later, the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It may go on.
    Open,
    /// It has to wait.
    Deferred,
    /// It is refused.
    Cancelled,
}

/// What the raised signals say, until one of them changes or [`recheck_at`](Self::recheck_at) has come.
#[derive(Clone, Debug, Default)]
pub struct Ruling {
    all: Marks,
    keys: HashMap<String, Marks>,
    /// Since when everything is deferred.
    all_since: Option<Instant>,
    /// Since when single keys are: those that signals name now, and those that were deferred before everything was. Of
    /// the latter there are never more than there were names raised when that began.
    keys_since: HashMap<String, Instant>,
    recheck_at: Option<Instant>,
}

/// The newest signals of each kind. A resume lifts the deferral when it is newer than every defer.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    cancelled: bool,
    deferred: Option<SignalId>,
    resumed: Option<SignalId>,
}

impl GateRules {
    /// Rules by which nothing gates.
    #[must_use]
    pub const fn new() -> Self {
        Self { cancel: PatternSet::new(), defer: PatternSet::new(), resume: PatternSet::new(), keyed: false }
    }

    /// Adds signals that refuse while they are raised.
    #[must_use]
    pub fn cancel_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.cancel = self.cancel.and(patterns);
        self
    }

    /// Adds signals that make wait while they are raised.
    #[must_use]
    pub fn defer_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.defer = self.defer.and(patterns);
        self
    }

    /// Adds signals that lift a deferral when they are newer than every signal that defers.
    #[must_use]
    pub fn resume_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.resume = self.resume.and(patterns);
        self
    }

    /// Sets whether a keyed signal gates its key only. Otherwise it gates everything, as it does from the start.
    #[must_use]
    pub const fn keyed(mut self, keyed: bool) -> Self {
        self.keyed = keyed;
        self
    }

    /// Whether nothing gates, whatever is raised.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cancel.is_empty() && self.defer.is_empty()
    }

    /// Every pattern that has to be watched.
    #[must_use]
    pub fn patterns(&self) -> PatternSet {
        self.cancel.clone().and(&self.defer).and(&self.resume)
    }

    /// What `raised` means now; what `before` deferred already is deferred since then.
    #[must_use]
    pub fn judge(&self, raised: &[Raised], before: &Ruling, now: Instant) -> Ruling {
        let mut ruling = Ruling::default();
        for signal in raised {
            let marks = match signal.key().filter(|_| self.keyed) {
                Some(key) => ruling.keys.entry(key.to_owned()).or_default(),
                None => &mut ruling.all,
            };
            marks.cancelled |= self.cancel.matches(signal.name());
            if self.defer.matches(signal.name()) {
                marks.deferred = marks.deferred.max(Some(signal.newest()));
            }
            if self.resume.matches(signal.name()) {
                marks.resumed = marks.resumed.max(Some(signal.newest()));
            }
            ruling.recheck_at = [ruling.recheck_at, signal.expires_at()].into_iter().flatten().min();
        }
        if ruling.of_all() == Verdict::Deferred {
            ruling.all_since = before.all_since.or(Some(now));
        }
        let named = ruling.keys.keys().chain(before.keys_since.keys());
        let deferred = named.filter(|key| ruling.of_key(key) == Verdict::Deferred);
        let since = |key: &String| (key.clone(), before.deferred_at(Some(key)).unwrap_or(now));
        // One signal that takes over from another prolongs nothing.
        let tells_more = |(key, since): &(String, Instant)| {
            ruling.keys.contains_key(key) || ruling.all_since.is_none_or(|all| *since < all)
        };
        ruling.keys_since = deferred.map(since).filter(tells_more).collect();
        ruling
    }
}

impl Ruling {
    /// What holds without a key, and for every key that no keyed signal names.
    #[inline]
    #[must_use]
    pub fn of_all(&self) -> Verdict {
        self.all.verdict()
    }

    /// What holds for a key.
    #[must_use]
    pub fn of_key(&self, key: &str) -> Verdict {
        let Some(own) = self.keys.get(key) else { return self.of_all() };
        let both = Marks {
            cancelled: own.cancelled || self.all.cancelled,
            deferred: own.deferred.max(self.all.deferred),
            resumed: own.resumed.max(self.all.resumed),
        };
        both.verdict()
    }

    /// Whether some keys have a verdict or a time of their own, so that a key's text is needed.
    #[inline]
    #[must_use]
    pub fn has_keys(&self) -> bool {
        !(self.keys.is_empty() && self.keys_since.is_empty())
    }

    /// Since when a key, or everything, is deferred; `None` when it is not.
    #[must_use]
    pub fn deferred_at(&self, key: Option<&str>) -> Option<Instant> {
        let own = key.and_then(|key| self.keys_since.get(key)).copied();
        let is_named = key.is_some_and(|key| self.keys.contains_key(key));
        own.or_else(|| self.all_since.filter(|_| !is_named))
    }

    /// When this has to be judged anew if no signal changes before, because one will have aged out.
    #[must_use]
    pub const fn recheck_at(&self) -> Option<Instant> {
        self.recheck_at
    }

    /// Whether everything may go on, whatever its key.
    #[inline]
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.keys.is_empty() && self.of_all() == Verdict::Open
    }

    /// Whether everything has to wait, whatever its key.
    #[inline]
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.keys.is_empty() && self.of_all() == Verdict::Deferred
    }
}

impl Marks {
    fn verdict(self) -> Verdict {
        match (self.cancelled, self.deferred) {
            (true, _) => Verdict::Cancelled,
            (false, Some(_)) if self.deferred > self.resumed => Verdict::Deferred,
            (false, _) => Verdict::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Draft, SignalSink};

    fn ruling(keyed: bool, raises: &[(&str, Option<&str>)]) -> Ruling {
        let signals = SignalSink::default();
        for (name, key) in raises {
            match key {
                Some(key) => signals.raise(Draft::from(*name).key(key)),
                None => signals.raise(*name),
            };
        }
        let rules = GateRules::new().cancel_on("stop").defer_on("wait.*").resume_on("go").keyed(keyed);
        rules.judge(&signals.state("*"), &Ruling::default(), Instant::now())
    }

    #[test]
    fn a_resume_lifts_only_older_deferrals() {
        assert_eq!(ruling(true, &[("wait.a", None)]).of_all(), Verdict::Deferred);
        assert_eq!(ruling(true, &[("wait.a", None), ("wait.b", None), ("go", None)]).of_all(), Verdict::Open);
        assert_eq!(
            ruling(true, &[("wait.a", None), ("go", None), ("wait.b", None)]).of_all(),
            Verdict::Deferred
        );
    }

    #[test]
    fn a_cancel_signal_comes_before_a_deferral() {
        assert_eq!(ruling(true, &[("stop", None), ("wait.a", None)]).of_all(), Verdict::Cancelled);
    }

    #[test]
    fn a_keyed_signal_gates_its_key_where_there_are_keys() {
        let keyed = ruling(true, &[("wait.a", Some("k"))]);
        assert_eq!(
            (keyed.of_all(), keyed.of_key("k"), keyed.of_key("l")),
            (Verdict::Open, Verdict::Deferred, Verdict::Open)
        );
        assert_eq!(ruling(false, &[("wait.a", Some("k"))]).of_all(), Verdict::Deferred);
    }

    #[test]
    fn a_deferral_of_everything_that_takes_over_from_that_of_a_key_prolongs_nothing() {
        let (signals, start) = (SignalSink::default(), Instant::now());
        let rules = GateRules::new().defer_on("wait").keyed(true);
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut ruling = Ruling::default();
        let mut judge = |seconds| {
            ruling = rules.judge(&signals.state("*"), &ruling, at(seconds));
            (ruling.deferred_at(Some("k")), ruling.deferred_at(None), ruling.has_keys())
        };
        let own = signals.hold(Draft::from("wait").key("k"));
        assert_eq!(judge(1), (Some(at(1)), None, true));
        let all = signals.hold("wait");
        drop(own);
        assert_eq!(judge(2), (Some(at(1)), Some(at(2)), true));
        let later = signals.hold(Draft::from("wait").key("l"));
        assert_eq!(judge(3), (Some(at(1)), Some(at(2)), true));
        drop((all, later));
        assert_eq!(judge(4), (None, None, false), "nothing is remembered that defers no more");
    }

    #[test]
    fn a_keyed_resume_lifts_a_general_deferral_for_its_key() {
        let ruling = ruling(true, &[("wait.a", None), ("go", Some("k"))]);
        assert_eq!((ruling.of_key("k"), ruling.of_key("l")), (Verdict::Open, Verdict::Deferred));
        assert!(!ruling.is_shut());
    }
}
