//! What the gates say, each kept until a signal changes it or age does.

use dayfly_signal::{GateRules, PatternSet, Ruling, SignalSink, Verdict, Watch};
use tokio::time::Instant;

use super::deferral::earlier;
use crate::LaneOptions;

/// The gates in front of every start: those of the whole coordinator, and those of single lanes.
pub(super) struct Gates<K> {
    all: Judge,
    lanes: Vec<Judge>,
    lane_of: fn(&K) -> Option<usize>,
    key_text: fn(&K) -> Option<String>,
}

/// One set of rules with what it says now.
struct Judge {
    rules: GateRules,
    /// Nothing to watch where nothing gates.
    watch: Option<Watch>,
    ruling: Ruling,
}

impl<K> Gates<K> {
    pub(super) fn new(
        rules: GateRules,
        lanes: Vec<LaneOptions>,
        lane_of: fn(&K) -> Option<usize>,
        key_text: fn(&K) -> Option<String>,
        signals: &SignalSink,
    ) -> Self {
        let lanes = lanes.into_iter().map(|lane| Judge::new(rules_of(lane), signals)).collect();
        Self { all: Judge::new(rules, signals), lanes, lane_of, key_text }
    }

    /// Every pattern that has to be watched; empty where nothing gates.
    pub(super) fn patterns(&self) -> PatternSet {
        let watching = self.judges().filter(|judge| judge.watch.is_some());
        watching.fold(PatternSet::new(), |patterns, judge| patterns.and(judge.rules.patterns()))
    }

    /// Looks at the signals again where they may say something else than before. Says whether it did.
    pub(super) fn refresh(&mut self, now: Instant) -> bool {
        let mut refreshed = self.all.refresh(now);
        for lane in &mut self.lanes {
            refreshed |= lane.refresh(now);
        }
        refreshed
    }

    /// Whether nothing may start, nor be skipped, whatever its key.
    pub(super) fn are_shut(&self) -> bool {
        self.all.ruling.is_shut() && self.lanes.is_empty()
    }

    /// Whether everything is to be skipped, whatever its key.
    pub(super) fn cancel_all(&self) -> bool {
        self.all.ruling.of_all() == Verdict::Cancelled
    }

    /// Whether everything may start, whatever its key.
    pub(super) fn are_open(&self) -> bool {
        self.judges().all(|judge| judge.ruling.is_open())
    }

    /// What the gates say of a key: the strictest of them.
    pub(super) fn of(&self, key: &K) -> Verdict {
        let lane = (self.lane_of)(key).and_then(|lane| self.lanes.get(lane));
        let own = lane.map_or(Verdict::Open, |lane| lane.ruling.of_all());
        self.all.of(|| (self.key_text)(key)).max(own)
    }

    /// Since when a key is deferred; `None` when it is not.
    pub(super) fn deferred_at(&self, key: &K) -> Option<Instant> {
        let lane = (self.lane_of)(key).and_then(|lane| self.lanes.get(lane));
        earlier(
            self.all.deferred_at(|| (self.key_text)(key)),
            lane.and_then(|lane| lane.deferred_at(|| None)),
        )
    }

    pub(super) fn recheck_at(&self) -> Option<Instant> {
        self.judges().fold(None, |first, judge| earlier(first, judge.ruling.recheck_at()))
    }

    fn judges(&self) -> impl Iterator<Item = &Judge> {
        std::iter::once(&self.all).chain(&self.lanes)
    }
}

/// A lane's own rules. A keyed signal gates the whole lane.
fn rules_of(lane: LaneOptions) -> GateRules {
    GateRules::new().cancel_on(lane.cancel_on).defer_on(lane.defer_on).resume_on(lane.resume_on)
}

impl Judge {
    fn new(rules: GateRules, signals: &SignalSink) -> Self {
        let watch = (!rules.is_empty()).then(|| signals.watch(rules.patterns()));
        let mut judge = Self { rules, watch, ruling: Ruling::default() };
        judge.judge(Instant::now());
        judge
    }

    fn refresh(&mut self, now: Instant) -> bool {
        let Some(watch) = &self.watch else { return false };
        let stale = watch.has_changed() || self.ruling.recheck_at().is_some_and(|at| at <= now);
        if stale {
            self.judge(now);
        }
        stale
    }

    /// What the rules say of a key, whose text is asked for only where keys have gates of their own.
    fn of(&self, key_text: impl FnOnce() -> Option<String>) -> Verdict {
        if !self.ruling.has_keys() {
            return self.ruling.of_all();
        }
        match key_text() {
            Some(key) => self.ruling.of_key(&key),
            None => self.ruling.of_all(),
        }
    }

    fn deferred_at(&self, key_text: impl FnOnce() -> Option<String>) -> Option<Instant> {
        let key = if self.ruling.has_keys() { key_text() } else { None };
        self.ruling.deferred_at(key.as_deref())
    }

    fn judge(&mut self, now: Instant) {
        if let Some(watch) = &mut self.watch {
            self.ruling = self.rules.judge(&watch.state(), &self.ruling, now);
        }
    }
}
