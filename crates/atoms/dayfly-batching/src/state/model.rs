//! The machine against a model that is too simple to be wrong: lists that are searched from end to end.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::{Claim, Entry, Limits, Manner, Place, State};
use crate::FlushReason;
use crate::replies::Replies;

type Item = (u32, u64, u8);

#[derive(Clone, Debug)]
enum Step {
    Push { key: u8, weight: u64, ends: bool, identity: u8 },
    Wait(u64),
    Flush,
    Claim,
    /// The batch in flight at this place ends.
    Finish(usize),
    /// Whoever waits for this item, by age, goes.
    Withdraw(usize),
    MakeRoom,
    Limit { max_items: usize, max_weight: Option<u64>, max_delay: Option<u64>, max_in_flight: usize, max_keys: usize },
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..3_u8, 0..6_u64, prop::bool::weighted(0.1), 0..4_u8)
            .prop_map(|(key, weight, ends, identity)| Step::Push { key, weight, ends, identity }),
        3 => (0..15_u64).prop_map(Step::Wait),
        1 => Just(Step::Flush),
        5 => Just(Step::Claim),
        4 => (0..4_usize).prop_map(Step::Finish),
        3 => (0..12_usize).prop_map(Step::Withdraw),
        1 => Just(Step::MakeRoom),
        1 => (1..7_usize, prop::option::of(1..12_u64), prop::option::of(0..20_u64), 1..4_usize, 1..4_usize).prop_map(
            |(max_items, max_weight, max_delay, max_in_flight, max_keys)| Step::Limit {
                max_items, max_weight, max_delay, max_in_flight, max_keys
            }
        ),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 1..120)
}

#[derive(Clone, Debug)]
struct Batch {
    key: u8,
    items: Vec<Item>,
    /// For each who wants an item: which, and who.
    wants: Vec<(u32, usize)>,
    opened_at: u64,
    epoch: u64,
    is_open: bool,
    is_due: bool,
}

struct Model {
    limits: Limits,
    is_serial: bool,
    coalesces: bool,
    now: u64,
    /// Not due, in the order of their beginning.
    filling: Vec<Batch>,
    ready: Vec<Batch>,
    /// Due, behind another of their key.
    line: Vec<Batch>,
    in_flight: Vec<(u8, u64)>,
    epoch: u64,
}

impl Model {
    fn all(&mut self) -> impl Iterator<Item = &mut Batch> {
        self.filling.iter_mut().chain(&mut self.ready).chain(&mut self.line)
    }

    fn weight(batch: &Batch) -> u64 {
        batch.items.iter().map(|item| item.1).sum()
    }

    fn due(&mut self, at: usize) {
        let mut batch = self.filling.remove(at);
        batch.is_due = true;
        let busy = self.ready.iter().any(|other| other.key == batch.key)
            || self.in_flight.iter().any(|(key, _)| *key == batch.key);
        if self.is_serial && busy { self.line.push(batch) } else { self.ready.push(batch) }
    }

    /// Shuts the open batch of the key.
    fn shut(&mut self, key: u8) {
        if let Some(at) = self.filling.iter().position(|batch| batch.key == key && batch.is_open) {
            self.filling[at].is_open = false;
            self.due(at);
        }
        self.all().filter(|batch| batch.key == key).for_each(|batch| batch.is_open = false);
    }

    fn push(&mut self, key: u8, item: Item, who: usize, ends: bool) {
        let limits = self.limits;
        let coalesces = self.coalesces;
        let open = self.all().find(|batch| batch.key == key && batch.is_open).cloned();
        let same = open.iter().flat_map(|open| &open.items).find(|own| coalesces && own.2 == item.2).copied();
        if let Some(same) = same {
            let open = self.all().find(|batch| batch.key == key && batch.is_open).unwrap();
            open.wants.push((same.0, who));
            if ends {
                self.shut(key);
            }
            return;
        }
        if let Some(open) = open
            && limits.max_weight.is_some_and(|max| Self::weight(&open) + item.1 > max)
        {
            self.shut(key);
        }
        if !self.all().any(|batch| batch.key == key && batch.is_open) {
            if self.filling.len() >= limits.max_keys {
                let oldest = self.filling[0].key;
                self.shut(oldest);
            }
            let (opened_at, epoch) = (self.now, self.epoch);
            self.filling.push(Batch {
                key, items: Vec::new(), wants: Vec::new(), opened_at, epoch, is_open: true, is_due: false,
            });
        }
        let open = self.all().find(|batch| batch.key == key && batch.is_open).unwrap();
        open.items.push(item);
        open.wants.push((item.0, who));
        let full = open.items.len() >= limits.max_items;
        let heavy = limits.max_weight.is_some_and(|max| Self::weight(open) >= max);
        if full || heavy || ends {
            self.shut(key);
        }
    }

    fn tick(&mut self) {
        let Some(delay) = self.limits.max_delay else { return };
        while self.filling.first().is_some_and(|batch| u128::from(batch.opened_at) + delay.as_millis() <= u128::from(self.now)) {
            self.due(0);
        }
    }

    fn shut_all(&mut self) {
        while !self.filling.is_empty() {
            self.filling[0].is_open = false;
            self.due(0);
        }
        self.all().for_each(|batch| batch.is_open = false);
    }

    fn claim(&mut self) -> Option<Vec<Item>> {
        if self.in_flight.len() >= self.limits.max_in_flight || self.ready.is_empty() {
            return None;
        }
        let mut batch = self.ready.remove(0);
        let (mut count, mut weight) = (0, 0);
        for item in &batch.items {
            weight += item.1;
            let fits = count < self.limits.max_items && self.limits.max_weight.is_none_or(|max| weight <= max);
            if !fits && count > 0 {
                break;
            }
            count += 1;
        }
        let rest = batch.items.split_off(count);
        self.in_flight.push((batch.key, batch.epoch));
        let items = std::mem::take(&mut batch.items);
        if !rest.is_empty() {
            batch.wants.retain(|(item, _)| rest.iter().any(|own| own.0 == *item));
            batch.items = rest;
            batch.is_open = false;
            if self.is_serial { self.line.insert(0, batch) } else { self.ready.insert(0, batch) }
        }
        Some(items)
    }

    fn next_of(&mut self, key: u8) {
        if let Some(at) = self.line.iter().position(|batch| batch.key == key) {
            let next = self.line.remove(at);
            self.ready.push(next);
        }
    }

    fn finish(&mut self, at: usize) {
        let (key, _) = self.in_flight.remove(at);
        self.next_of(key);
    }

    /// Says whether an item went.
    fn withdraw(&mut self, who: usize) -> bool {
        let Some(batch) = self.all().find(|batch| batch.wants.iter().any(|(_, own)| *own == who)) else {
            return false;
        };
        let at = batch.wants.iter().position(|(_, own)| *own == who).unwrap();
        let (item, _) = batch.wants.remove(at);
        if batch.wants.iter().any(|(own, _)| *own == item) {
            return false;
        }
        batch.items.retain(|own| own.0 != item);
        self.filling.retain(|batch| !batch.items.is_empty());
        self.line.retain(|batch| !batch.items.is_empty());
        if let Some(at) = self.ready.iter().position(|batch| batch.items.is_empty()) {
            let key = self.ready.remove(at).key;
            self.next_of(key);
        }
        true
    }

    fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        let meets = |batch: &Batch| {
            batch.items.len() >= limits.max_items
                || limits.max_weight.is_some_and(|max| Self::weight(batch) >= max)
        };
        while let Some(at) = self.filling.iter().position(meets) {
            self.filling[at].is_open = false;
            self.due(at);
        }
        while self.filling.len() > limits.max_keys {
            self.filling[0].is_open = false;
            self.due(0);
        }
    }

    fn oldest_epoch(&mut self) -> u64 {
        let waiting = self.all().map(|batch| batch.epoch).min();
        let flying = self.in_flight.iter().map(|(_, epoch)| *epoch).min();
        waiting.into_iter().chain(flying).min().unwrap_or(u64::MAX)
    }
}

/// Plays the steps on both, and returns what the machine handed out, by key.
fn play(steps: Vec<Step>, is_serial: bool, coalesces: bool, weighs: bool, quickly: bool) -> BTreeMap<u8, Vec<u32>> {
    let limits = Limits {
        max_items: 4,
        max_weight: Some(9),
        max_delay: Some(Duration::from_millis(10)),
        max_in_flight: 2,
        max_keys: 2,
    };
    let start = Instant::now();
    let mut state: State<Item, u8> = State::new(limits, Manner { is_serial, weighs });
    let mut replies: Replies<(), ()> = Replies::new();
    let mut model = Model {
        limits,
        is_serial,
        coalesces,
        now: 0,
        filling: Vec::new(),
        ready: Vec::new(),
        line: Vec::new(),
        in_flight: Vec::new(),
        epoch: 0,
    };
    let mut claims: Vec<Claim<Item>> = Vec::new();
    let mut spare: Vec<Claim<Item>> = Vec::new();
    let mut places: Vec<Place> = Vec::new();
    let mut marks: Vec<(u64, u64)> = Vec::new();
    let mut handed: BTreeMap<u8, Vec<u32>> = BTreeMap::new();
    let mut number = 0;
    for step in steps {
        match step {
            Step::Push { key, weight, ends, identity } => {
                // Without keys there is one for all.
                let key = if is_serial { key } else { 0 };
                let weight = if weighs { weight } else { 1 };
                if state.is_too_heavy(weight) {
                    continue;
                }
                number += 1;
                let item = (number, weight, identity);
                let identity = coalesces.then_some(u64::from(identity % 2));
                let token = Some(replies.join(Waker::noop().clone()));
                let quick = if ends || coalesces || !quickly { None } else { state.find_quickly(u64::from(key), &key, weight) };
                if let Some(open) = quick {
                    places.push(state.put_quickly(open, item, weight, token).unwrap());
                    model.push(key, item, places.len() - 1, false);
                    continue;
                }
                let look = state.look(u64::from(key), &key, identity, |own| own.2 == item.2);
                let now = start + Duration::from_millis(model.now);
                let entry =
                    Entry { key: &mut Some(key), hash: u64::from(key), item, weight, ends, identity, token };
                let put = state.put(entry, look, || now);
                model.push(key, item, places.len(), ends);
                places.push(put.place);
                if !look.joins() && model.limits.max_delay == Some(Duration::ZERO) {
                    model.due_of(key);
                }
            }
            Step::Wait(millis) => {
                model.now += millis;
                model.tick();
                let next = state.tick(start + Duration::from_millis(model.now));
                let first = model.filling.first().zip(model.limits.max_delay);
                let expected =
                    first.map(|(first, delay)| start + Duration::from_millis(first.opened_at) + delay);
                assert_eq!(next, expected);
            }
            Step::Flush => {
                model.shut_all();
                marks.push((state.flush(), model.epoch));
                model.epoch += 1;
            }
            Step::Claim => {
                let mut claim = spare.pop().unwrap_or_else(Claim::new);
                let expected = model.claim();
                let claimed = state.claim(&mut claim).then(|| claim.items.clone());
                assert_eq!(claimed, expected);
                let Some(items) = claimed else { continue };
                assert!(!items.is_empty() && items.len() <= model.limits.max_items);
                let weight: u64 = items.iter().map(|item| item.1).sum();
                assert!(items.len() == 1 || model.limits.max_weight.is_none_or(|max| weight <= max));
                for waiter in &claim.waiters {
                    assert!(waiter.at < items.len());
                }
                let key = model.in_flight.last().map(|(key, _)| *key).unwrap();
                handed.entry(key).or_default().extend(items.iter().map(|item| item.0));
                claims.push(claim);
            }
            Step::Finish(at) if at < claims.len() => {
                let mut claim = claims.remove(at);
                state.finish(&claim);
                model.finish(at);
                (claim.items, claim.waiters) = (Vec::new(), Vec::new());
                spare.push(claim);
            }
            Step::Withdraw(age) if age < places.len() => {
                let who = places.len() - 1 - age;
                let withdrawn = state.withdraw(places[who]).is_some_and(|(item, _)| item.is_some());
                assert_eq!(withdrawn, model.withdraw(who));
            }
            Step::MakeRoom => {
                state.make_room();
                while model.ready.is_empty() && !model.filling.is_empty() {
                    model.due(0);
                }
            }
            Step::Limit { max_items, max_weight, max_delay, max_in_flight, max_keys } => {
                let max_delay = max_delay.map(Duration::from_millis);
                let limits = Limits { max_items, max_weight, max_delay, max_in_flight, max_keys };
                state.set_limits(limits);
                model.set_limits(limits);
            }
            Step::Close => {
                state.shut_all(FlushReason::Close);
                model.shut_all();
            }
            Step::Finish(_) | Step::Withdraw(_) => {}
        }
        let items: usize = model.all().map(|batch| batch.items.len()).sum();
        assert_eq!((state.items(), state.in_flight()), (items, model.in_flight.len()));
        let free = model.limits.max_in_flight.saturating_sub(model.in_flight.len());
        assert_eq!(state.claimable(), model.ready.len().min(free));
        assert_eq!(state.is_empty(), items == 0 && model.in_flight.is_empty());
        for (mark, epoch) in &marks {
            assert_eq!(state.has_reached(*mark), model.oldest_epoch() > *epoch);
        }
        if is_serial {
            let mut keys: Vec<u8> = model.all().map(|batch| batch.key).collect();
            keys.extend(model.in_flight.iter().map(|(key, _)| *key));
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(state.keys(), keys.len());
        }
    }
    handed
}

impl Model {
    /// With no delay, the batch of the latest item is due at once.
    fn due_of(&mut self, key: u8) {
        if let Some(at) = self.filling.iter().position(|batch| batch.key == key && batch.is_open) {
            self.due(at);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn it_does_what_the_model_does(
        steps in steps(), is_serial: bool, coalesces: bool, weighs: bool, quickly: bool,
    ) {
        let handed = play(steps, is_serial, coalesces, weighs, quickly);
        for items in handed.values() {
            prop_assert!(items.is_sorted(), "out of order: {items:?}");
        }
    }
}
