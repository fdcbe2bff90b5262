//! Telling others of pauses: the signal that is held while one lasts, and the one that says what was not understood.

use dayfly_signal::{Draft, Hold, Signal, SignalSink};
use hashbrown::HashMap;

use crate::pacer::Scope;
use crate::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) struct Announcer {
    signals: SignalSink,
    name: String,
    limited: String,
    malformed: String,
    /// Only whoever tells has this, so nobody ever waits for it.
    holds: Mutex<HashMap<Scope, Hold>>,
}

impl Announcer {
    pub(crate) fn new(name: &str, signals: &SignalSink) -> Self {
        Self {
            signals: signals.clone(),
            name: name.to_owned(),
            limited: format!("rate.limited.{name}"),
            malformed: format!("rate.malformed.{name}"),
            holds: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a signal is one of those that it raises itself, which mean nothing to it.
    pub(crate) fn is_own(&self, signal: &Signal) -> bool {
        [&self.limited, &self.malformed].iter().any(|own| **own == *signal.name())
    }

    /// Holds the signal of a pause, or lets it go. Both are heard by others, so no lock is held meanwhile.
    pub(crate) fn tell(&self, scope: Scope, is_paused: bool) {
        let before = self.holds().remove(&scope);
        if !is_paused {
            drop(before);
            return;
        }
        let hold = before.unwrap_or_else(|| {
            let draft = Draft::named(&self.limited);
            self.signals.hold(match &scope {
                Scope::All => draft,
                Scope::Key(key) => draft.key(key),
            })
        });
        self.holds().insert(scope, hold);
    }

    /// Says that a signal asked for nothing that could be understood.
    pub(crate) fn report(&self, signal: &Signal) {
        let draft = Draft::named(&self.malformed).payload(signal.payload().unwrap_or_default());
        self.signals.raise(match signal.key() {
            Some(key) => draft.key(key),
            None => draft,
        });
    }

    fn holds(&self) -> MutexGuard<'_, HashMap<Scope, Hold>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
