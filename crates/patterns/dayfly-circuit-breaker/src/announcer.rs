//! Telling of changes: the signal that is held while it is open, the event, the watch, and the timer.
//!
//! Changes are noted under the breaker's lock and told without it, one after the other, by whoever comes first. So what
//! is told last is how it is, and callbacks may use the breaker as they like.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use dayfly_signal::{Draft, Hold, SignalSink};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

#[cfg(feature = "metrics")]
use crate::figures::Figures;
use crate::machine::BreakerState;
use crate::shared::Shared;
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// While somebody is telling, at most so many changes wait to be told; then the oldest is not told any more.
const UNTOLD: usize = 64;

pub(crate) struct Announcer {
    signals: SignalSink,
    name: String,
    key: Option<String>,
    open_name: String,
    changed_name: String,
    /// Where it was made: for a breaker that opens where there is no runtime.
    home: Option<Handle>,
    desk: Mutex<Desk>,
    state: watch::Sender<BreakerState>,
    #[cfg(feature = "metrics")]
    figures: Figures,
}

struct Desk {
    /// The state that was noted last.
    noted: BreakerState,
    untold: VecDeque<Change>,
    is_telling: bool,
    told: Told,
    /// How many timers there have been, and the newest that went without having fired.
    timers: u64,
    lost: u64,
}

/// What stands while a state lasts. Whoever is telling has it.
#[derive(Default)]
struct Told {
    hold: Option<Hold>,
    timer: Option<(u64, AbortHandle)>,
}

/// Telling, until there is nothing more to tell or somebody who hears of it panics: then the next one goes on.
struct Telling<'a> {
    announcer: &'a Announcer,
    told: Told,
    is_over: bool,
}

/// The timer's side of a timer. It is dropped without having fired when it is aborted, and when its runtime ends.
struct Timer {
    breaker: Weak<Shared>,
    number: u64,
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
                told: Told::default(),
                timers: 0,
                lost: 0,
            }),
            home: Handle::try_current().ok(),
            state: watch::channel(BreakerState::Closed).0,
            #[cfg(feature = "metrics")]
            figures: Figures::new(name),
        }
    }

    #[cfg(feature = "metrics")]
    pub(crate) const fn figures(&self) -> &Figures {
        &self.figures
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
        let mut telling = Telling { announcer: self, told: std::mem::take(&mut desk.told), is_over: false };
        while let Some(change) = desk.untold.pop_front() {
            desk.timers += 1;
            let number = desk.timers;
            drop(desk);
            self.tell(change, &mut telling.told.hold);
            if let Some((_, timer)) = telling.told.timer.take() {
                timer.abort();
            }
            let timer = change.until.and_then(|until| self.start_timer(breaker, number, until));
            telling.told.timer = timer.map(|timer| (number, timer));
            desk = self.desk();
        }
        let gone = telling.leave(&mut desk);
        drop(desk);
        drop(gone);
    }

    fn tell(&self, Change { state, .. }: Change, hold: &mut Option<Hold>) {
        #[cfg(feature = "metrics")]
        self.figures.changed(state);
        if !state.is_open() {
            drop(hold.take());
        } else if hold.is_none() {
            *hold = Some(self.signals.hold(self.draft(&self.open_name)));
        }
        self.signals.raise(self.draft(&self.changed_name).payload(state.as_str()));
        self.state.send_if_modified(|before| std::mem::replace(before, state) != state);
    }

    /// Without a runtime there is no timer, and the next call finds out what time it is.
    fn start_timer(&self, breaker: &Arc<Shared>, number: u64, until: Instant) -> Option<AbortHandle> {
        let timer = Timer { breaker: Arc::downgrade(breaker), number };
        let runtime = Handle::try_current().ok().or_else(|| self.home.clone())?;
        let timer = runtime.spawn(async move {
            sleep_until(until).await;
            timer.fire();
        });
        Some(timer.abort_handle())
    }

    /// This timer will not fire any more. The signal that it was to let go is let go at once: whoever waits for it would
    /// otherwise wait until somebody calls. Calls are refused until the time has passed.
    fn lose(&self, number: u64) {
        let mut desk = self.desk();
        desk.lost = desk.lost.max(number);
        let gone = desk.take_what_is_lost();
        drop(desk);
        drop(gone);
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

impl Desk {
    /// The hold whose timer is lost, to be dropped without the lock.
    fn take_what_is_lost(&mut self) -> Option<Hold> {
        let (number, _) = self.told.timer.as_ref()?;
        if *number > self.lost {
            return None;
        }
        self.told.timer = None;
        self.told.hold.take()
    }
}

impl Telling<'_> {
    /// Puts back what stands, and says what has to be dropped without the lock.
    fn leave(&mut self, desk: &mut Desk) -> Option<Hold> {
        self.is_over = true;
        desk.told = std::mem::take(&mut self.told);
        desk.is_telling = false;
        desk.take_what_is_lost()
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let gone = self.leave(&mut self.announcer.desk());
            drop(gone);
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        if let Some((_, timer)) = self.desk().told.timer.take() {
            timer.abort();
        }
    }
}

impl Timer {
    fn fire(mut self) {
        if let Some(breaker) = std::mem::take(&mut self.breaker).upgrade() {
            breaker.elapse();
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(breaker) = self.breaker.upgrade() {
            breaker.announcer().lose(self.number);
        }
    }
}
