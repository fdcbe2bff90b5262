//! What all handles of one configuration share. It changes in one place, [`Shared::apply`], which only the follower's task
//! calls; nothing foreign runs under its locks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dayfly_signal::{Hold, PatternSet};
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::contain::contain;
use crate::contents::Contents;
use crate::error::Refusal;
use crate::feed::Request;
use crate::follower::{Follower, Told, change, undo};
use crate::judge::{Facts, Judge};
use crate::problem::{Problem, Rejection};
use crate::reading::without_secrets;
use crate::snapshot::{Held, Slot};
use crate::voice::{Outcome, Voice};

pub(crate) struct Shared<T> {
    pub(crate) slot: Slot<T>,
    generations: watch::Sender<u64>,
    facts: Mutex<Arc<InForce>>,
    status: Mutex<Status>,
    /// The keys of sections that anybody has asked for: they outlast their removal.
    sections: Mutex<BTreeSet<String>>,
    followers: Mutex<Followers<T>>,
    pub(crate) secrets: PatternSet,
    /// Its end is the end of the follower's task.
    pub(crate) requests: mpsc::Sender<Request>,
    voice: Voice,
}

/// The facts of a generation.
pub(crate) struct InForce {
    pub(crate) generation: u64,
    pub(crate) facts: Facts,
}

#[derive(Default)]
struct Status {
    last_rejection: Option<Arc<Rejection>>,
    /// Whether something else stands in the sources than what is in force.
    is_stale: bool,
    /// Tells others so.
    stale: Option<Hold>,
}

pub(crate) struct Followers<T> {
    next: u64,
    list: Vec<(u64, Arc<dyn Follower<T>>)>,
}

/// No change is put in force while it is held.
pub(crate) struct FollowerPlace<'a, T>(MutexGuard<'a, Followers<T>>);

impl<T> FollowerPlace<'_, T> {
    /// From the next change on, he is asked. Returns the number under which he is dismissed.
    pub(crate) fn take(mut self, follower: Arc<dyn Follower<T>>) -> u64 {
        self.0.next += 1;
        let id = self.0.next;
        self.0.list.push((id, follower));
        id
    }
}

impl<T> Shared<T> {
    pub(crate) fn new(
        value: T,
        facts: Facts,
        secrets: PatternSet,
        requests: mpsc::Sender<Request>,
        voice: Voice,
        last_rejection: Option<Arc<Rejection>>,
    ) -> Self {
        Self {
            slot: Slot::from_pointee(Held { generation: 1, value }),
            generations: watch::Sender::new(1),
            facts: Mutex::new(Arc::new(InForce { generation: 1, facts })),
            status: Mutex::new(Status { last_rejection, ..Status::default() }),
            sections: Mutex::default(),
            followers: Mutex::new(Followers { next: 0, list: Vec::new() }),
            secrets,
            requests,
            voice,
        }
    }

    /// Who waited for a first value hears of it as of every later one.
    pub(crate) fn tell_of_first(&self) {
        self.voice.tell(Outcome::Reloaded(1));
    }

    pub(crate) fn generations(&self) -> watch::Receiver<u64> {
        self.generations.subscribe()
    }

    pub(crate) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&lock(&self.facts))
    }

    pub(crate) fn last_rejection(&self) -> Option<Arc<Rejection>> {
        lock(&self.status).last_rejection.clone()
    }

    pub(crate) fn is_stale(&self) -> bool {
        lock(&self.status).is_stale
    }

    /// What somebody says of the value in force, without its secrets.
    pub(crate) fn shown(&self, refusal: Refusal) -> Refusal {
        let in_force = self.in_force();
        let (effective, marks) = (&in_force.facts.effective, &in_force.facts.marks);
        Refusal { reason: without_secrets(refusal.reason, effective, &self.secrets, marks) }
    }

    pub(crate) fn note_section(&self, key: &str) {
        lock(&self.sections).insert(key.to_owned());
    }

    /// A place for a follower who has followed the value of this generation; none when another one is in force by now.
    pub(crate) fn place_for_follower(&self, generation: u64) -> Option<FollowerPlace<'_, T>> {
        let followers = lock(&self.followers);
        (self.slot.load().generation == generation).then_some(FollowerPlace(followers))
    }

    pub(crate) fn dismiss(&self, id: u64) {
        let mut followers = lock(&self.followers);
        let at = followers.list.iter().position(|(other, _)| *other == id);
        let dismissed = at.map(|at| followers.list.remove(at));
        drop(followers);
        drop(dismissed);
    }

    /// Asks and tells everybody, those who come in meanwhile too, and then swaps the value in.
    fn change_all(&self, old: &Arc<Held<T>>, new: &Arc<Held<T>>) -> Result<(), Vec<Problem>> {
        let (mut known, mut told): (BTreeSet<u64>, Told<T>) = (BTreeSet::new(), Vec::new());
        loop {
            let followers = lock(&self.followers);
            let fresh: Vec<_> =
                followers.list.iter().filter(|(id, _)| !known.contains(id)).cloned().collect();
            if fresh.is_empty() {
                let swapped = self.slot.swap(Arc::clone(new));
                drop(followers);
                // `old` is the same one, so this is not its end.
                drop(swapped);
                return Ok(());
            }
            drop(followers);
            known.extend(fresh.iter().map(|(id, _)| *id));
            let fresh = fresh.into_iter().map(|(_, follower)| follower).collect();
            match change(fresh, &old.value, &new.value) {
                Ok(concerned) => told.extend(concerned),
                Err(refused) => {
                    undo(&told, &old.value);
                    return Err(refused);
                }
            }
        }
    }

    fn accept(&self, in_force: InForce, outcome: Outcome<'_>) {
        let is_whole = in_force.facts.is_whole;
        let generation = in_force.generation;
        *lock(&self.facts) = Arc::new(in_force);
        self.set_stale(!is_whole);
        self.voice.tell(outcome);
        // Those who wait are woken last: what they look at then is there. Nobody waits for the same again.
        self.generations.send_if_modified(|newest| std::mem::replace(newest, generation) != generation);
    }

    fn reject(&self, problems: Vec<Problem>) -> Arc<Rejection> {
        let generation = self.slot.load().generation;
        let rejection = Arc::new(Rejection { problems, at: Instant::now(), generation });
        let before = lock(&self.status).last_rejection.replace(Arc::clone(&rejection));
        drop(before);
        self.set_stale(true);
        self.voice.tell(Outcome::Rejected(&rejection));
        rejection
    }

    /// Only the follower's task comes here, so nobody else changes the hold between.
    fn set_stale(&self, is_stale: bool) {
        let was_stale = std::mem::replace(&mut lock(&self.status).is_stale, is_stale);
        if is_stale != was_stale {
            let hold = is_stale.then(|| self.voice.hold_stale());
            let before = std::mem::replace(&mut lock(&self.status).stale, hold);
            drop(before);
        }
    }
}

impl<T: DeserializeOwned + 'static> Shared<T> {
    /// Puts what stands in the files in force, or says why not. Returns the generation that is in force then.
    pub(crate) fn apply(&self, judge: &mut Judge<T>, contents: &Contents) -> Result<u64, Arc<Rejection>> {
        let sections = lock(&self.sections).clone();
        let before = self.in_force();
        let judged = judge.judge(contents, &sections, Some(&before.facts.effective));
        let (value, facts, last) = judged.map_err(|problems| self.reject(problems))?.into_parts();
        let generation = before.generation;
        if facts.effective.is_same(&before.facts.effective) {
            drop(contain(|| drop(value)));
            judge.take(last);
            self.accept(InForce { generation, facts }, Outcome::Unchanged);
            return Ok(generation);
        }
        let generation = generation + 1;
        let (old, new) = (self.slot.load_full(), Arc::new(Held { generation, value }));
        let changed = self.change_all(&old, &new);
        drop(contain(|| drop((old, new))));
        match changed {
            Ok(()) => {
                judge.take(last);
                self.accept(InForce { generation, facts }, Outcome::Reloaded(generation));
                Ok(generation)
            }
            Err(refused) => {
                let placed = refused.into_iter().map(|problem| self.placed(problem, &facts)).collect();
                Err(self.reject(placed))
            }
        }
    }

    fn placed(&self, problem: Problem, facts: &Facts) -> Problem {
        let origin = facts.effective.nearest(&problem.key);
        let message = without_secrets(problem.message, &facts.effective, &self.secrets, &facts.marks);
        Problem { origin, key: problem.key, message }
    }
}

/// Nothing foreign runs under these locks, so none is ever poisoned halfway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
