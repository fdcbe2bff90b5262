//! The verdicts of the gates, each kept until a signal changes it or age does.

use dayfly_signal::{PatternSet, SignalSink, Watch};
use tokio::time::Instant;

use crate::LaneOptions;
use crate::gate::{Gate, Rules, Verdict, earlier};

/// The gates in front of every start: those of the whole coordinator, and those of single lanes.
pub(super) struct Gates<K> {
    all: Judge,
    lanes: Vec<Judge>,
    lane_of: fn(&K) -> Option<usize>,
    key_text: fn(&K) -> Option<String>,
}

/// One set of rules with what it says now.
struct Judge {
    rules: Rules,
    /// Nothing to watch where nothing gates.
    watch: Option<Watch>,
    verdict: Verdict,
}

impl<K> Gates<K> {
    pub(super) fn new(
        rules: Rules,
        lanes: Vec<LaneOptions>,
        lane_of: fn(&K) -> Option<usize>,
        key_text: fn(&K) -> Option<String>,
        signals: &SignalSink,
    ) -> Self {
        let lanes = lanes.into_iter().map(|lane| Judge::new(Rules::of_lane(lane), signals)).collect();
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
        self.all.verdict.is_shut() && self.lanes.is_empty()
    }

    /// Whether everything may start, whatever its key.
    pub(super) fn are_open(&self) -> bool {
        self.judges().all(|judge| judge.verdict.is_open())
    }

    /// What the gates say of a key: the strictest of them.
    pub(super) fn of(&self, key: &K) -> Gate {
        let lane = (self.lane_of)(key).and_then(|lane| self.lanes.get(lane));
        let own = lane.map_or(Gate::Open, |lane| lane.verdict.of_all());
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
        self.judges().fold(None, |first, judge| earlier(first, judge.verdict.recheck_at))
    }

    fn judges(&self) -> impl Iterator<Item = &Judge> {
        std::iter::once(&self.all).chain(&self.lanes)
    }
}

impl Judge {
    fn new(rules: Rules, signals: &SignalSink) -> Self {
        let watch = (!rules.is_empty()).then(|| signals.watch(rules.patterns()));
        let mut judge = Self { rules, watch, verdict: Verdict::default() };
        judge.judge(Instant::now());
        judge
    }

    fn refresh(&mut self, now: Instant) -> bool {
        let Some(watch) = &self.watch else { return false };
        let stale = watch.has_changed() || self.verdict.recheck_at.is_some_and(|at| at <= now);
        if stale {
            self.judge(now);
        }
        stale
    }

    /// What the rules say of a key, whose text is asked for only where keys have gates of their own.
    fn of(&self, key_text: impl FnOnce() -> Option<String>) -> Gate {
        if !self.verdict.has_keys() {
            return self.verdict.of_all();
        }
        match key_text() {
            Some(key) => self.verdict.of_key(&key),
            None => self.verdict.of_all(),
        }
    }

    fn deferred_at(&self, key_text: impl FnOnce() -> Option<String>) -> Option<Instant> {
        let key = if self.verdict.has_keys() { key_text() } else { None };
        self.verdict.deferred_at(key.as_deref())
    }

    fn judge(&mut self, now: Instant) {
        if let Some(watch) = &mut self.watch {
            self.verdict = self.rules.judge(&watch.state(), &self.verdict, now);
        }
    }
}
