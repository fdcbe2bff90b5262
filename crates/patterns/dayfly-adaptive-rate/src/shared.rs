//! The mechanism under its lock. Nothing foreign runs under it: keys are texts, wakers are cloned before and called after,
//! and who listens to signals is told without it.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use dayfly::alarm::{Alarm, Ring};
use dayfly::contain::contain;
use dayfly_signal::SignalSink;
use hashbrown::DefaultHashBuilder;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::announcer::Announcer;
use crate::options::RateOptions;
use crate::pacer::{Arrival, Pacer, Scope, WaiterId, ticks};
use crate::quota::Ticks;
use crate::seats::Named;
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// An alarm is never set further ahead: timers have an end too.
const FAR_AHEAD: Duration = Duration::from_secs(365 * 24 * 3_600);

/// What handles, waiters and the listener share.
pub(crate) struct Shared {
    origin: Instant,
    hasher: DefaultHashBuilder,
    /// Where it was made: for pauses that begin where there is no runtime.
    home: Option<Handle>,
    state: Mutex<State>,
    alarm: Arc<Alarm>,
    announcer: Announcer,
}

struct State {
    pacer: Pacer,
    options: RateOptions,
    malformed: u64,
    /// By waiter: how to wake those that have not been woken.
    wakers: Vec<Option<Waker>>,
    /// Where time goes by for somebody who waited.
    runtime: Option<Handle>,
    /// When the alarm rings, and whether somebody is about to set it.
    rings_at: Option<Ticks>,
    is_setting: bool,
    is_telling: bool,
}

/// What the options and the pacer are asked and told under the lock.
pub(crate) struct Desk<'a> {
    pub(crate) pacer: &'a mut Pacer,
    pub(crate) options: &'a mut RateOptions,
    pub(crate) malformed: &'a mut u64,
}

impl Shared {
    pub(crate) fn new(name: &str, options: RateOptions, signals: &SignalSink) -> Arc<Self> {
        let pacer = Pacer::new(options.rules());
        let (malformed, wakers, runtime, rings_at) = (0, Vec::new(), None, None);
        let (is_setting, is_telling) = (false, false);
        let state = State { pacer, options, malformed, wakers, runtime, rings_at, is_setting, is_telling };
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            origin: Instant::now(),
            hasher: DefaultHashBuilder::default(),
            home: Handle::try_current().ok(),
            state: Mutex::new(state),
            alarm: Alarm::new(this.clone()),
            announcer: Announcer::new(name, signals),
        })
    }

    pub(crate) const fn announcer(&self) -> &Announcer {
        &self.announcer
    }

    pub(crate) fn named<'a>(&self, text: &'a str) -> Named<'a> {
        Named { hash: self.hasher.hash_one(text), text }
    }

    pub(crate) fn now(&self) -> Ticks {
        ticks(Instant::now().saturating_duration_since(self.origin))
    }

    /// Does something under the lock, and what follows from it outside.
    pub(crate) fn visit<R>(&self, act: impl FnOnce(Desk<'_>) -> R) -> R {
        let mut state = self.lock();
        let answer = act(state.desk());
        let is_calm = state.is_calm();
        drop(state);
        if !is_calm {
            self.conclude();
        }
        answer
    }

    /// A start now, or a place in line.
    pub(crate) fn arrive(&self, named: Named<'_>) -> Arrival {
        let now = self.now();
        let mut state = self.lock();
        let arrival = state.pacer.arrive(named, now);
        // Whoever stands in line looks at once, and that concludes.
        let is_calm = arrival != Arrival::Started || state.is_calm();
        drop(state);
        if !is_calm {
            self.conclude();
        }
        arrival
    }

    /// Asks whether it is somebody's turn, and otherwise has this waker woken when it is.
    ///
    /// # Panics
    /// When there is no timer that could say when it is.
    pub(crate) fn look(&self, id: WaiterId, waker: &Waker) -> bool {
        let now = self.now();
        let mut waker = Some(waker.clone());
        let mut state = self.lock();
        let may_start = state.pacer.look(id, now);
        if state.wakers.len() <= id {
            state.wakers.resize(id + 1, None);
        }
        // What was there before is dropped without the lock.
        if may_start {
            waker = state.wakers[id].take();
        } else {
            std::mem::swap(&mut state.wakers[id], &mut waker);
            if state.runtime.is_none() {
                state.runtime = Handle::try_current().ok();
            }
        }
        let is_calm = state.is_calm();
        drop(state);
        drop(waker);
        let has_timer = is_calm || self.conclude();
        assert!(may_start || has_timer, "whoever waits for a rate needs a Tokio runtime with its timer on");
        may_start
    }

    /// Somebody waits no longer.
    pub(crate) fn leave(&self, id: WaiterId) {
        let now = self.now();
        let mut state = self.lock();
        state.pacer.leave(id, now);
        let waker = state.wakers.get_mut(id).and_then(Option::take);
        let is_calm = state.is_calm();
        drop(state);
        if !is_calm {
            self.conclude();
        }
        drop(waker);
    }

    /// What has to happen when the lock is free again; says whether the alarm is set if it has to be.
    #[inline(never)]
    fn conclude(&self) -> bool {
        let has_timer = self.set_alarm();
        // A waker that panics does not keep the next from its turn.
        while let Some(waker) = self.next_waker() {
            contain(|| waker.wake());
        }
        self.tell();
        has_timer
    }

    fn next_waker(&self) -> Option<Waker> {
        let mut state = self.lock();
        loop {
            let id = state.pacer.next_woken()?;
            if let Some(waker) = state.wakers.get_mut(id).and_then(Option::take) {
                return Some(waker);
            }
        }
    }

    /// One thread sets the alarm at a time, until nobody needs it earlier.
    fn set_alarm(&self) -> bool {
        let mut state = self.lock();
        while !state.is_setting
            && let Some(next) = state.earlier_ring()
        {
            (state.rings_at, state.is_setting) = (Some(next), true);
            let waiter = state.runtime.clone();
            drop(state);
            let is_set = self.set_alarm_to(next, waiter);
            state = self.lock();
            state.is_setting = false;
            if !is_set {
                state.rings_at = None;
                let runtime = state.runtime.take();
                drop(state);
                drop(runtime);
                return false;
            }
        }
        true
    }

    /// Any runtime will do, best the one that is at work here.
    fn set_alarm_to(&self, next: Ticks, waiter: Option<Handle>) -> bool {
        let deadline =
            Duration::from_nanos(next).min(Duration::from_nanos(self.now()).saturating_add(FAR_AHEAD));
        let runtimes = [Handle::try_current().ok(), waiter, self.home.clone()];
        runtimes.iter().flatten().any(|runtime| self.alarm.set(runtime, self.origin + deadline))
    }

    /// Tells of the pauses that have begun and ended, one after the other, so that what is told last is how it is.
    fn tell(&self) {
        loop {
            let mut state = self.lock();
            if state.is_telling {
                return;
            }
            let Some(scope) = state.pacer.next_turned() else { return };
            let named = match &scope {
                Scope::All => None,
                Scope::Key(text) => Some(self.named(text)),
            };
            // Where nothing could let it go in time, nothing is held.
            let is_paused = state.rings_at.is_some() && state.pacer.is_paused(named);
            state.is_telling = true;
            drop(state);
            contain(|| self.announcer.tell(scope, is_paused));
            self.lock().is_telling = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn desk(&mut self) -> Desk<'_> {
        Desk { pacer: &mut self.pacer, options: &mut self.options, malformed: &mut self.malformed }
    }

    fn earlier_ring(&self) -> Option<Ticks> {
        let next = self.pacer.next_ring()?;
        self.rings_at.is_none_or(|at| next < at).then_some(next)
    }

    fn is_calm(&self) -> bool {
        self.pacer.is_calm() && self.earlier_ring().is_none()
    }
}

impl Ring for Shared {
    fn ring(&self, is_time: bool) {
        let now = self.now();
        let mut state = self.lock();
        state.rings_at = None;
        state.pacer.ring(now);
        // A timer that ends early belongs to a runtime that shuts down. Whoever waits brings another, and nothing is held
        // that only the timer could let go.
        let runtime = if is_time { None } else { state.runtime.take() };
        if !is_time {
            state.pacer.wake_all();
            state.pacer.turn_all();
        }
        drop(state);
        drop(runtime);
        self.conclude();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.alarm.stop();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
