//! The mechanism under its lock. What is foreign happens outside: wakers are cloned before and called after, keys are
//! hashed before and dropped after. Only a key's `Eq` runs under the lock.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Weak};
use std::task::Waker;

use hashbrown::DefaultHashBuilder;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::admission::{Admission, Refusal, Rules, Turn, WaiterId};
use crate::few::Few;
use crate::keys::{KeyIds, Named};
use crate::lane::{self, Lane};
use crate::permit::NoKey;
use crate::request::Priority;
use crate::sync::{Mutex, MutexGuard, PoisonError};
use dayfly::alarm::{Alarm, Ring};
use dayfly::contain::{contain, drop_each};

/// What handles, permits and waiters share.
pub(crate) struct Shared<K> {
    /// None where there are keys: these are looked up under the lock.
    lane: Option<Lane>,
    state: Mutex<State<K>>,
    alarm: Arc<Alarm>,
    hasher: DefaultHashBuilder,
}

/// The state under the lock. While somebody has it, the lane is shut.
struct Locked<'a, K> {
    state: MutexGuard<'a, State<K>>,
    lane: Option<&'a Lane>,
}

struct State<K> {
    admission: Admission<K>,
    /// By waiter: how to wake those that have not been woken.
    wakers: Vec<Option<Waker>>,
    /// Where time goes by for somebody who waited, in case that permits come back where it does not.
    runtime: Option<Handle>,
    is_watched: bool,
}

/// What has to happen when the lock is free again.
struct After<K> {
    wakers: Few<Waker>,
    unused: Few<K>,
    /// When somebody who was called is to be passed over, and where that can be waited for.
    watch: Option<(Instant, Option<Handle>)>,
}

/// What a request comes to.
#[derive(Debug)]
pub(crate) enum Asked<A> {
    Admitted(KeyIds),
    /// Not now: what there is to ask with again.
    Full(A),
    Refused(Refusal),
}

impl<K: Send + 'static> Shared<K> {
    pub(crate) fn new(rules: Rules) -> Arc<Self> {
        Self::with(rules, None)
    }

    fn with(rules: Rules, lane: Option<Lane>) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            lane,
            state: Mutex::new(State {
                admission: Admission::new(rules, Instant::now()),
                wakers: Vec::new(),
                runtime: None,
                is_watched: false,
            }),
            alarm: Alarm::new(this.clone()),
            hasher: DefaultHashBuilder::default(),
        })
    }
}

impl Shared<NoKey> {
    /// Without keys there is a way past the lock.
    pub(crate) fn without_keys(rules: Rules) -> Arc<Self> {
        let shared = Self::with(rules, Some(Lane::shut()));
        // Whoever leaves the lock opens the lane.
        drop(shared.lock());
        shared
    }
}

impl<K: Hash + Eq> Shared<K> {
    pub(crate) fn named(&self, key: K) -> Named<K> {
        Named::One(self.hasher.hash_one(&key), key)
    }

    pub(crate) fn named_several(&self, keys: impl IntoIterator<Item = K>) -> Named<K> {
        Named::several(keys.into_iter().map(|key| (self.hasher.hash_one(&key), key)).collect())
    }

    /// How much of a key is in use, and how many wait for it; nothing when nobody does either.
    pub(crate) fn usage(&self, key: &K) -> Option<(usize, usize)> {
        let hash = self.hasher.hash_one(key);
        self.read(|admission| admission.usage(hash, key))
    }
}

impl<K: Eq> Shared<K> {
    /// Admits whoever comes now, if nobody has to wait.
    pub(crate) fn ask(&self, named: Named<K>, permits: usize) -> Asked<Named<K>> {
        let mut spare = Few::new();
        let mut state = self.lock();
        let admission = &mut state.admission;
        let located = admission.keys().locate(&named);
        if let Err(refusal) = admission.check(permits, &located) {
            return Asked::Refused(refusal);
        }
        if permits == 0 {
            return Asked::Admitted(KeyIds::None);
        }
        if !admission.has_room(permits, &located) {
            return Asked::Full(named);
        }
        let keys = admission.take(named, &located, permits, &mut spare);
        drop(state);
        drop_each(spare.into_iter());
        Asked::Admitted(keys)
    }

    /// Admits whoever comes now if it is its turn, though others wait: it may be of a higher class, and who was called
    /// may have had its time.
    pub(crate) fn ask_in_line(&self, named: Named<K>, permits: usize, priority: Priority) -> Asked<()> {
        let now = Instant::now();
        self.visit(|state, unused| match state.join(named, (permits, priority), now, unused) {
            Ok(id) => match state.look(id, || now, unused) {
                Asked::Full(()) => {
                    state.leave(id, now, unused);
                    Asked::Full(())
                }
                asked => asked,
            },
            Err(refusal) => Asked::Refused(refusal),
        })
    }

    /// Stands in line from now on, unless it is admitted at once.
    pub(crate) fn join(
        &self,
        named: Named<K>,
        permits: usize,
        priority: Priority,
        waker: Waker,
    ) -> Asked<WaiterId> {
        let now = Instant::now();
        let (asked, _unused) = self.visit(|state, unused| {
            let id = match state.join(named, (permits, priority), now, unused) {
                Ok(id) => id,
                Err(refusal) => return (Asked::Refused(refusal), Some(waker)),
            };
            match state.look(id, || now, unused) {
                Asked::Full(()) => {
                    if state.runtime.is_none() {
                        state.runtime = Handle::try_current().ok();
                    }
                    (Asked::Full(id), state.wait(id, waker))
                }
                asked => (asked.at(id), Some(waker)),
            }
        });
        asked
    }
}

impl Asked<()> {
    /// Where it stands that has to wait.
    pub(crate) fn at(self, id: WaiterId) -> Asked<WaiterId> {
        match self {
            Self::Admitted(keys) => Asked::Admitted(keys),
            Self::Full(()) => Asked::Full(id),
            Self::Refused(refusal) => Asked::Refused(refusal),
        }
    }
}

impl<K> Shared<K> {
    /// Admits whoever comes now past the lock, if it has no key and there is room that nobody waits for. If not, it has to
    /// [`ask`](Self::ask).
    #[inline]
    pub(crate) fn pass(&self, permits: usize) -> bool {
        self.lane.as_ref().is_some_and(|lane| lane.take(permits))
    }

    /// Reads something.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&Admission<K>) -> R) -> R {
        read(&self.lock().admission)
    }

    /// Changes something, then calls whose turn it is.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Admission<K>) -> R) -> R {
        self.visit(|state, _| {
            let answer = change(&mut state.admission);
            state.admission.call(Instant::now());
            answer
        })
    }

    /// Asks whether it is somebody's turn, and otherwise has this waker woken when it is.
    pub(crate) fn look(&self, id: WaiterId, waker: Option<Waker>) -> Asked<()> {
        let (asked, _unused) =
            self.visit(|state, unused| match (state.look(id, Instant::now, unused), waker) {
                (Asked::Full(()), Some(waker)) => (Asked::Full(()), (state.wait(id, waker), None)),
                (Asked::Full(()), None) => (Asked::Full(()), (None, None)),
                (asked, waker) => (asked, (state.wakers[id].take(), waker)),
            });
        asked
    }

    /// Somebody waits no longer: what was promised to it is promised to the next.
    pub(crate) fn leave(&self, id: WaiterId) {
        let now = Instant::now();
        let _waker = self.visit(|state, unused| {
            state.leave(id, now, unused);
            state.wakers[id].take()
        });
    }

    /// Permits come back, and whoever is next is called. The clock is read only when somebody waits.
    #[inline]
    pub(crate) fn give_back(&self, keys: &KeyIds, permits: usize) {
        if !self.lane.as_ref().is_some_and(|lane| lane.give_back(permits)) {
            self.give_back_under_lock(keys, permits);
        }
    }

    #[inline(never)]
    fn give_back_under_lock(&self, keys: &KeyIds, permits: usize) {
        self.visit(|state, unused| {
            state.admission.give_back(keys, permits);
            state.admission.let_go(keys, unused);
            if state.admission.could_call() {
                state.admission.call(Instant::now());
            }
        });
    }

    /// Does something under the lock, and what follows from it outside.
    fn visit<R>(&self, act: impl FnOnce(&mut State<K>, &mut Few<K>) -> R) -> R {
        let mut unused = Few::new();
        let mut state = self.lock();
        let answer = act(&mut state, &mut unused);
        if state.admission.is_calm() {
            drop(state);
            drop_each(unused.into_iter());
            return answer;
        }
        let after = state.after(unused);
        drop(state);
        self.conclude(after);
        answer
    }

    #[inline(never)]
    fn conclude(&self, after: After<K>) {
        let After { wakers, unused, watch } = after;
        // A waker or a key that panics does not keep the next from its turn.
        for waker in wakers.into_iter() {
            contain(|| waker.wake());
        }
        drop_each(unused.into_iter());
        if let Some((lapse, runtime)) = watch {
            // Any runtime will do, best the one that is at work here.
            let runtime = Handle::try_current().ok().or(runtime);
            let has_begun = runtime.is_some_and(|runtime| self.alarm.set(&runtime, lapse));
            if !has_begun {
                let _runtime = self.forget_runtime();
            }
        }
    }

    /// It is gone, or has no timer. Whoever waits next brings another.
    fn forget_runtime(&self) -> Option<Handle> {
        let mut state = self.lock();
        state.is_watched = false;
        state.runtime.take()
    }

    fn lock(&self) -> Locked<'_, K> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = self.lane.as_ref();
        if let Some(lane) = lane {
            state.admission.give_back(&KeyIds::None, lane.close());
        }
        Locked { state, lane }
    }
}

impl<K> Drop for Locked<'_, K> {
    fn drop(&mut self) {
        if let Some(lane) = self.lane
            && let Some(free) = self.state.admission.lend(lane::MOST)
        {
            lane.open(free);
        }
    }
}

impl<K> Deref for Locked<'_, K> {
    type Target = State<K>;

    fn deref(&self) -> &State<K> {
        &self.state
    }
}

impl<K> DerefMut for Locked<'_, K> {
    fn deref_mut(&mut self) -> &mut State<K> {
        &mut self.state
    }
}

impl<K: Send> Ring for Shared<K> {
    fn ring(&self, is_time: bool) {
        let now = Instant::now();
        let _runtime = self.visit(|state, _| {
            state.is_watched = false;
            state.admission.lapse(now);
            state.admission.call(now);
            // A timer that ends early belongs to a runtime that shuts down.
            if is_time { None } else { state.runtime.take() }
        });
    }
}

impl<K> Drop for Shared<K> {
    fn drop(&mut self) {
        self.alarm.stop();
    }
}

impl<K: Eq> State<K> {
    fn join(
        &mut self,
        named: Named<K>,
        what: (usize, Priority),
        now: Instant,
        unused: &mut Few<K>,
    ) -> Result<WaiterId, Refusal> {
        let located = self.admission.keys().locate(&named);
        if let Err(refusal) = self.admission.check(what.0, &located) {
            named.discard(unused);
            return Err(refusal);
        }
        let id = self.admission.join(named, &located, what, now, unused);
        if self.wakers.len() <= id {
            self.wakers.resize(id + 1, None);
        }
        Ok(id)
    }
}

impl<K> State<K> {
    fn look(&mut self, id: WaiterId, now: impl Fn() -> Instant, unused: &mut Few<K>) -> Asked<()> {
        match self.admission.look(id, &now) {
            Turn::Admitted(keys) => Asked::Admitted(keys),
            Turn::Wait => Asked::Full(()),
            Turn::Refused(refusal, keys) => {
                self.admission.let_go(&keys, unused);
                self.admission.call(now());
                Asked::Refused(refusal)
            }
        }
    }

    fn leave(&mut self, id: WaiterId, now: Instant, unused: &mut Few<K>) {
        let keys = self.admission.leave(id);
        self.admission.let_go(&keys, unused);
        self.admission.call(now);
    }

    /// Keeps the waker, and hands out the one from before.
    fn wait(&mut self, id: WaiterId, waker: Waker) -> Option<Waker> {
        self.wakers[id].replace(waker)
    }

    fn after(&mut self, unused: Few<K>) -> After<K> {
        let mut wakers = Few::new();
        for id in self.admission.woken().drain(..) {
            if let Some(waker) = self.wakers.get_mut(id).and_then(Option::take) {
                wakers.push(waker);
            }
        }
        let lapse = if self.is_watched { None } else { self.admission.next_lapse() };
        let watch = lapse.map(|lapse| (lapse, self.runtime.clone()));
        self.is_watched |= watch.is_some();
        After { wakers, unused, watch }
    }
}

impl<K> fmt::Debug for Shared<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
