//! Telling of changes: the signal that is held while it is open, the event, the watch, and the timer.
//!
//! Changes are noted under the breaker's lock and told without it, one after the other, by whoever comes first. So what
//! is told last is how it is, and callbacks may use the breaker as they like.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dayfly_signal::{Draft, Hold, SignalSink};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use crate::breaker::Shared;
use crate::machine::BreakerState;

/// While somebody is telling, at most so many changes wait to be told; then the oldest is not told any more.
const UNTOLD: usize = 64;

pub(crate) struct Announcer {
    signals: SignalSink,
    name: String,
    key: Option<String>,
    open_name: String,
    changed_name: String,
    desk: Mutex<Desk>,
    state: watch::Sender<BreakerState>,
}

struct Desk {
    /// The state that was noted last.
    noted: BreakerState,
    untold: VecDeque<Change>,
    is_telling: bool,
    hold: Option<Hold>,
    timer: Option<AbortHandle>,
}

#[derive(Clone, Copy)]
struct Change {
    state: BreakerState,
    until: Option<Instant>,
}

impl Announcer {
    pub(crate) fn new(name: &str, key: Option<String>, signals: &SignalSink) -> Self {
        Self {
            signals: signals.clone(),
            name: name.to_owned(),
            key,
            open_name: format!("circuit.open.{name}"),
            changed_name: format!("circuit.changed.{name}"),
            desk: Mutex::new(Desk {
                noted: BreakerState::Closed,
                untold: VecDeque::new(),
                is_telling: false,
                hold: None,
                timer: None,
            }),
            state: watch::Sender::new(BreakerState::Closed),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn watch(&self) -> watch::Receiver<BreakerState> {
        self.state.subscribe()
    }

    /// A period begins in this state. Where it is the state of the one before, there is nothing to tell.
    pub(crate) fn note(&self, state: BreakerState, until: Option<Instant>) {
        let mut desk = self.desk();
        if std::mem::replace(&mut desk.noted, state) == state {
            return;
        }
        if desk.untold.len() == UNTOLD {
            desk.untold.pop_front();
        }
        desk.untold.push_back(Change { state, until });
    }

    /// Tells what has been noted, unless somebody is about to.
    pub(crate) fn announce(&self, breaker: &Arc<Shared>) {
        let mut desk = self.desk();
        if desk.is_telling {
            return;
        }
        desk.is_telling = true;
        while let Some(change) = desk.untold.pop_front() {
            let (hold, timer) = (desk.hold.take(), desk.timer.take());
            drop(desk);
            let hold = self.tell(change, hold);
            if let Some(timer) = timer {
                timer.abort();
            }
            let timer = change.until.and_then(|until| start_timer(breaker, until));
            desk = self.desk();
            (desk.hold, desk.timer) = (hold, timer);
        }
        desk.is_telling = false;
    }

    fn tell(&self, Change { state, .. }: Change, earlier: Option<Hold>) -> Option<Hold> {
        let hold = match (state.is_open(), earlier) {
            (true, None) => Some(self.signals.hold(self.draft(&self.open_name))),
            (true, earlier) => earlier,
            (false, earlier) => {
                drop(earlier);
                None
            }
        };
        self.signals.raise(self.draft(&self.changed_name).payload(state.as_str()));
        self.state.send_if_modified(|before| std::mem::replace(before, state) != state);
        hold
    }

    fn draft<'a>(&'a self, name: &'a str) -> Draft<'a> {
        let draft = Draft::named(name);
        match &self.key {
            Some(key) => draft.key(key),
            None => draft,
        }
    }

    /// Nothing that panics runs under this lock, so a poisoned one still guards a sound desk.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without a runtime there is no timer, and the next call finds out what time it is.
fn start_timer(breaker: &Arc<Shared>, until: Instant) -> Option<AbortHandle> {
    let breaker = Arc::downgrade(breaker);
    let timer = Handle::try_current().ok()?.spawn(async move {
        sleep_until(until).await;
        if let Some(breaker) = breaker.upgrade() {
            breaker.elapse();
        }
    });
    Some(timer.abort_handle())
}

impl Drop for Announcer {
    fn drop(&mut self) {
        if let Some(timer) = self.desk().timer.take() {
            timer.abort();
        }
    }
}
