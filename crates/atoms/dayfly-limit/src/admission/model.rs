//! The mechanism against a naive model: one list of requests, everything looked up anew each time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::{Admission, Refusal, Rules, State, Turn, WaiterId};
use crate::few::Few;
use crate::keys::{KeyIds, Named};
use crate::request::Priority;

const CLAIM_WITHIN: Duration = Duration::from_millis(10);
const AGE_AFTER: Duration = Duration::from_millis(25);

#[derive(Clone, Debug)]
enum Step {
    Ask {
        keys: Vec<u8>,
        permits: usize,
        priority: Priority,
    },
    Look(usize),
    Leave(usize),
    GiveBack(usize),
    SetLimit(usize),
    SetLimitPerKey(usize),
    /// Time goes by, and the timer ends if it was to.
    Wait(u64),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let priority = prop_oneof![Just(Priority::High), Just(Priority::Normal), Just(Priority::Low)];
    let keys = prop_oneof![
        3 => prop::collection::vec(0..4_u8, 0..=1),
        1 => prop::collection::vec(0..4_u8, 2..=4),
    ];
    let ask = (keys, 0..4_usize, priority);
    let step = prop_oneof![
        60 => ask.prop_map(|(keys, permits, priority)| Step::Ask { keys, permits, priority }),
        60 => (0..8_usize).prop_map(Step::Look),
        15 => (0..8_usize).prop_map(Step::Leave),
        60 => (0..8_usize).prop_map(Step::GiveBack),
        10 => (0..7_usize).prop_map(Step::SetLimit),
        5 => (1..5_usize).prop_map(Step::SetLimitPerKey),
        30 => (0..15_u64).prop_map(Step::Wait),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 1..120)
}

/// What the model knows of a request that waits.
#[derive(Clone, Debug)]
struct Ask {
    id: WaiterId,
    place: (u128, usize),
    permits: usize,
    keys: BTreeSet<u8>,
    /// The one of them whose line counts when it does not come.
    first: Option<u8>,
    state: State,
}

#[derive(Debug)]
struct Model {
    limit: usize,
    limit_per_key: usize,
    now: Instant,
    epoch: Instant,
    asks: Vec<Ask>,
    held: Vec<(BTreeSet<u8>, usize)>,
    tickets: usize,
    /// By key, and for who has none.
    lapses: BTreeMap<Option<u8>, u32>,
    is_closed: bool,
}

impl Model {
    fn used(&self, key: Option<u8>) -> usize {
        let counts = |keys: &BTreeSet<u8>| key.is_none_or(|key| keys.contains(&key));
        let held = self.held.iter().filter(|(keys, _)| counts(keys)).map(|(_, permits)| permits);
        let called = self.asks.iter().filter(|ask| matches!(ask.state, State::Called(_)));
        let promised = called.filter(|ask| counts(&ask.keys)).map(|ask| &ask.permits);
        held.chain(promised).sum()
    }

    fn has_room(&self, permits: usize, keys: &BTreeSet<u8>) -> bool {
        keys.iter().all(|key| self.used(Some(*key)) + permits <= self.limit_per_key)
    }

    fn refusal(&self, permits: usize, has_key: bool) -> Option<Refusal> {
        let limit = if has_key { self.limit.min(self.limit_per_key) } else { self.limit };
        (limit > 0 && permits > limit).then_some(Refusal::TooLarge { limit })
    }

    fn in_line(&self) -> Vec<usize> {
        let mut line: Vec<usize> =
            (0..self.asks.len()).filter(|at| self.asks[*at].state == State::InLine).collect();
        line.sort_by_key(|at| self.asks[*at].place);
        line
    }

    /// The first of all its keys, each of which has room.
    fn ready(&self) -> Vec<usize> {
        let line = self.in_line();
        let is_ready = |at: &usize| {
            let ask = &self.asks[*at];
            let mut before = line.iter().take_while(|other| *other != at);
            let is_first = before.all(|other| self.asks[*other].keys.is_disjoint(&ask.keys));
            is_first && self.has_room(ask.permits, &ask.keys)
        };
        line.iter().copied().filter(is_ready).collect()
    }

    fn call(&mut self) {
        while let Some(&at) = self.ready().first()
            && !self.is_closed
            && self.used(None) + self.asks[at].permits <= self.limit
        {
            self.asks[at].state = State::Called(self.now);
        }
    }

    fn lapse(&mut self) {
        loop {
            let called = self.asks.iter().enumerate().filter_map(|(at, ask)| match ask.state {
                State::Called(called) if called + CLAIM_WITHIN <= self.now => Some((called, ask.id, at)),
                _ => None,
            });
            let Some((_, _, at)) = called.min() else { return };
            self.asks[at].state = State::Aside;
            let key = self.asks[at].first;
            let lapses = self.lapses.entry(key).or_default();
            let count = (1 << *lapses) - 1;
            *lapses += 1;
            let behind = match key {
                None => self.ready(),
                Some(key) => {
                    self.in_line().into_iter().filter(|at| self.asks[*at].keys.contains(&key)).collect()
                }
            };
            for at in behind.into_iter().take(count) {
                self.asks[at].state = State::Aside;
            }
        }
    }

    fn next_lapse(&self) -> Option<Instant> {
        let called = self.asks.iter().filter_map(|ask| match ask.state {
            State::Called(called) => Some(called + CLAIM_WITHIN),
            _ => None,
        });
        called.min().filter(|_| !self.in_line().is_empty())
    }

    fn refuse_too_large(&mut self) {
        for at in 0..self.asks.len() {
            let Ask { permits, ref keys, .. } = self.asks[at];
            if let Some(Refusal::TooLarge { limit }) = self.refusal(permits, !keys.is_empty()) {
                self.asks[at].state = State::TooLarge { limit };
            }
        }
    }

    fn recall(&mut self) {
        for ask in &mut self.asks {
            if matches!(ask.state, State::Called(_)) {
                ask.state = State::InLine;
            }
        }
    }

    /// Who has come for what it was called for.
    fn admit(&mut self, at: usize) {
        let Ask { keys, permits, .. } = self.asks.remove(at);
        self.lapses.remove(&None);
        for key in &keys {
            self.lapses.remove(&Some(*key));
        }
        self.held.push((keys, permits));
    }

    fn keys(&self) -> BTreeSet<u8> {
        let held = self.held.iter().map(|(keys, _)| keys);
        held.chain(self.asks.iter().map(|ask| &ask.keys)).flatten().copied().collect()
    }

    /// A key that nobody holds or waits for is forgotten with all that was known of it.
    fn forget(&mut self) {
        let keys = self.keys();
        self.lapses.retain(|key, _| key.is_none_or(|key| keys.contains(&key)));
    }
}

/// Both of them, and what the mechanism has given out.
struct Pair {
    real: Admission<u8>,
    model: Model,
    held: Vec<(KeyIds, usize)>,
}

/// Few hashes, so that keys collide.
fn hash(key: u8) -> u64 {
    u64::from(key / 2)
}

impl Pair {
    fn new() -> Self {
        let epoch = Instant::now();
        let rules = Rules {
            limit: 4,
            allow_zero: true,
            limit_per_key: 2,
            max_keys: 3,
            age_after: Some(AGE_AFTER),
            claim_within: CLAIM_WITHIN,
        };
        let model = Model {
            limit: 4,
            limit_per_key: 2,
            now: epoch,
            epoch,
            asks: Vec::new(),
            held: Vec::new(),
            tickets: 0,
            lapses: BTreeMap::new(),
            is_closed: false,
        };
        Self { real: Admission::new(rules, epoch), model, held: Vec::new() }
    }

    fn step(&mut self, step: Step) {
        let now = self.model.now;
        match step {
            Step::Ask { keys, permits, priority } => self.ask(&keys, permits, priority),
            Step::Look(at) if at < self.model.asks.len() => self.look(at),
            Step::Leave(at) if at < self.model.asks.len() => {
                let keys = self.real.leave(self.model.asks[at].id);
                self.real.let_go(&keys, &mut Few::new());
                self.real.call(now);
                self.model.asks.remove(at);
                self.model.call();
            }
            Step::GiveBack(at) if at < self.held.len() => {
                let (keys, permits) = self.held.remove(at);
                self.real.give_back(&keys, permits);
                self.real.let_go(&keys, &mut Few::new());
                self.real.call(now);
                self.model.held.remove(at);
                self.model.call();
            }
            Step::SetLimit(limit) => self.follow(limit, self.model.limit_per_key),
            Step::SetLimitPerKey(limit) => self.follow(self.model.limit, limit),
            Step::Wait(millis) => {
                self.model.now += Duration::from_millis(millis);
                let now = self.model.now;
                if self.model.next_lapse().is_some_and(|lapse| lapse <= now) {
                    self.real.lapse(now);
                    self.real.call(now);
                    self.model.lapse();
                    self.model.call();
                }
            }
            Step::Close => {
                self.real.close();
                self.model.is_closed = true;
            }
            Step::Look(_) | Step::Leave(_) | Step::GiveBack(_) => {}
        }
        self.model.forget();
    }

    fn ask(&mut self, keys: &[u8], permits: usize, priority: Priority) {
        let mut spare = Few::new();
        let first = keys.iter().copied().min_by_key(|key| hash(*key));
        let named = match *keys {
            [] => Named::None,
            [key] => Named::One(hash(key), key),
            _ => Named::several(keys.iter().map(|key| (hash(*key), *key)).collect()),
        };
        let keys: BTreeSet<u8> = keys.iter().copied().collect();
        let located = self.real.keys().locate(&named);
        let checked = self.real.check(permits, &located);
        let model = &mut self.model;
        let too_many = keys.union(&model.keys()).count() > 3 && !keys.is_subset(&model.keys());
        let refusal = match model.refusal(permits, !keys.is_empty()) {
            _ if model.is_closed => Some(Refusal::Closed),
            _ if permits == 0 => None,
            None if too_many => Some(Refusal::TooManyKeys { max_keys: 3 }),
            refusal => refusal,
        };
        assert_eq!(checked.err(), refusal);
        if permits == 0 || refusal.is_some() {
            return;
        }
        let is_alone = model.ready().is_empty()
            && model.in_line().iter().all(|at| model.asks[*at].keys.is_disjoint(&keys));
        let fits = model.used(None) + permits <= model.limit && model.has_room(permits, &keys);
        assert_eq!(self.real.has_room(permits, &located), is_alone && fits);
        if is_alone && fits {
            let ids = self.real.take(named, &located, permits, &mut spare);
            self.held.push((ids, permits));
            model.held.push((keys, permits));
            return;
        }
        let now = model.now;
        let id = self.real.join(named, &located, (permits, priority), now, &mut spare);
        model.tickets += 1;
        let below = match priority {
            Priority::High => 0,
            Priority::Normal => 1,
            Priority::Low => 2,
        };
        let came = now.duration_since(model.epoch).as_nanos();
        let place = (came + below * AGE_AFTER.as_nanos(), model.tickets);
        // Who was called and has not come is set aside before the newcomer stands in line.
        model.lapse();
        model.asks.push(Ask { id, place, permits, keys, first, state: State::InLine });
        model.call();
        self.look(self.model.asks.len() - 1);
    }

    fn look(&mut self, at: usize) {
        let model = &mut self.model;
        if model.asks[at].state == State::Aside && !model.is_closed {
            model.asks[at].state = State::InLine;
            model.call();
        }
        let Ask { id, permits, .. } = model.asks[at];
        match (self.real.look(id, || model.now), model.asks[at].state) {
            (Turn::Refused(Refusal::Closed, keys), _) if model.is_closed => {
                self.real.let_go(&keys, &mut Few::new());
                model.asks.remove(at);
            }
            (Turn::Admitted(keys), State::Called(_)) => {
                model.admit(at);
                self.held.push((keys, permits));
            }
            (Turn::Refused(Refusal::TooLarge { limit }, keys), State::TooLarge { limit: expected }) => {
                assert_eq!(limit, expected);
                self.real.let_go(&keys, &mut Few::new());
                model.asks.remove(at);
            }
            (Turn::Wait, State::InLine) => {}
            (turn, state) => panic!("{turn:?} while {state:?}"),
        }
    }

    fn follow(&mut self, limit: usize, limit_per_key: usize) {
        let rules = Rules { limit, limit_per_key, ..self.real.rules().clone() };
        self.real.follow(rules);
        self.real.call(self.model.now);
        let model = &mut self.model;
        let falls = limit < model.limit || limit_per_key < model.limit_per_key;
        (model.limit, model.limit_per_key) = (limit, limit_per_key);
        if falls {
            model.recall();
        }
        model.refuse_too_large();
        model.call();
    }

    fn agree(&mut self) {
        let (real, model) = (&self.real, &self.model);
        for ask in &model.asks {
            assert_eq!(real.waiters[ask.id].state, ask.state, "request {}", ask.id);
        }
        assert_eq!(real.waiting(), model.asks.len());
        assert_eq!(real.in_use(), model.held.iter().map(|(_, permits)| permits).sum::<usize>());
        assert_eq!(real.next_lapse(), model.next_lapse());
        assert_eq!(real.keys().len(), model.keys().len());
        for key in model.keys() {
            let in_use =
                model.held.iter().filter(|(keys, _)| keys.contains(&key)).map(|(_, permits)| permits);
            let waiting = model.asks.iter().filter(|ask| ask.keys.contains(&key)).count();
            assert_eq!(real.usage(hash(key), &key), Some((in_use.sum(), waiting)), "key {key}");
        }
        self.real.woken().clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_admits_and_calls_whom_the_model_does(steps in steps()) {
        let mut pair = Pair::new();
        for step in steps {
            pair.step(step);
            pair.agree();
        }
        // Whatever has happened, nothing is left when everybody has gone.
        while !pair.model.asks.is_empty() {
            pair.step(Step::Leave(0));
            pair.agree();
        }
        while !pair.held.is_empty() {
            pair.step(Step::GiveBack(0));
            pair.agree();
        }
        prop_assert_eq!((pair.real.in_use(), pair.real.keys().len(), pair.real.waiting()), (0, 0, 0));
        prop_assert!(pair.real.ready.is_empty() && pair.real.called.is_empty() && pair.real.in_line == 0);
    }
}
