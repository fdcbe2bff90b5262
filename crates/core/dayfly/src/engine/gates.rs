//! The verdict of the gates, kept until a signal changes it or age does.

use dayfly_signal::{SignalSink, Watch};
use tokio::time::Instant;

use crate::gate::{Gate, Rules, Verdict};

pub(super) struct Gates {
    rules: Rules,
    /// Nothing to watch where nothing gates.
    watch: Option<Watch>,
    verdict: Verdict,
}

impl Gates {
    pub(super) fn new(rules: Rules, signals: &SignalSink) -> Self {
        let watch = (!rules.is_empty()).then(|| signals.watch(rules.patterns()));
        let mut gates = Self { rules, watch, verdict: Verdict::default() };
        gates.judge();
        gates
    }

    /// Looks at the signals again if they may say something else than before. Says whether it did.
    pub(super) fn refresh(&mut self, now: Instant) -> bool {
        let Some(watch) = &self.watch else { return false };
        let stale = watch.has_changed() || self.verdict.recheck_at.is_some_and(|at| at <= now);
        if stale {
            self.judge();
        }
        stale
    }

    /// Whether nothing may start, nor be skipped, whatever its key.
    pub(super) fn are_shut(&self) -> bool {
        self.verdict.is_shut()
    }

    /// What the gate says of a key, whose text is asked for only where keys have gates of their own.
    pub(super) fn of(&self, key_text: impl FnOnce() -> Option<String>) -> Gate {
        if !self.verdict.has_keys() {
            return self.verdict.of_all();
        }
        match key_text() {
            Some(key) => self.verdict.of_key(&key),
            None => self.verdict.of_all(),
        }
    }

    pub(super) fn recheck_at(&self) -> Option<Instant> {
        self.verdict.recheck_at
    }

    fn judge(&mut self) {
        if let Some(watch) = &mut self.watch {
            self.verdict = self.rules.judge(&watch.state());
        }
    }
}
