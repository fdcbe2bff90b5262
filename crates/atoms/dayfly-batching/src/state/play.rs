//! The machine and its model play the same steps and have to agree after each.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::model::{Item, Model};
use super::{Claim, Entry, Manner, Place, State};
use crate::replies::Replies;
use crate::{BatcherOptions, FlushReason};

#[derive(Clone, Debug)]
enum Step {
    Push {
        key: u8,
        weight: u64,
        ends: bool,
        identity: u8,
    },
    Wait(u64),
    Flush,
    Claim,
    /// The batch in flight at this place ends.
    Finish(usize),
    /// Whoever waits for this item, by age, goes.
    Withdraw(usize),
    MakeRoom,
    Limit(BatcherOptions),
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
        1 => limits().prop_map(Step::Limit),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 1..120)
}

/// What is played, and how.
#[derive(Clone, Copy, Debug)]
struct Way {
    manner: Manner,
    coalesces: bool,
    /// Whether items that need no decision go in without one.
    goes_quickly: bool,
}

fn limits() -> impl Strategy<Value = BatcherOptions> {
    let delay = prop::option::of((0..20_u64).prop_map(Duration::from_millis));
    (1..7_usize, prop::option::of(1..12_u64), delay, 1..4_usize, 1..4_usize).prop_map(
        |(max_items, max_weight, max_delay, max_in_flight, max_keys)| BatcherOptions {
            max_items,
            max_weight,
            max_delay,
            max_in_flight,
            max_keys,
            ..BatcherOptions::new()
        },
    )
}

struct Play {
    way: Way,
    start: Instant,
    state: State<Item, u8>,
    model: Model,
    replies: Replies<(), ()>,
    claims: Vec<Claim<Item>>,
    places: Vec<Place>,
    /// Flushes, as either knows them.
    marks: Vec<(u64, u64)>,
    number: u32,
    /// What was handed out, by key.
    handed: BTreeMap<u8, Vec<u32>>,
}

impl Play {
    fn new(way: Way) -> Self {
        let limits = BatcherOptions::new().max_items(4).max_weight(9).max_in_flight(2).max_keys(2);
        let Way { manner, coalesces, .. } = way;
        let is_serial = manner.is_serial;
        Self {
            way,
            start: Instant::now(),
            state: State::new(limits.clone(), manner),
            model: Model { limits, is_serial, coalesces, ..Model::default() },
            replies: Replies::new(),
            claims: Vec::new(),
            places: Vec::new(),
            marks: Vec::new(),
            number: 0,
            handed: BTreeMap::new(),
        }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn step(&mut self, step: Step) {
        let Self { state, model, .. } = self;
        match step {
            Step::Push { key, weight, ends, identity } => {
                // Without keys there is one for all.
                let key = if self.way.manner.is_serial { key } else { 0 };
                let weight = if self.way.manner.weighs { weight } else { 1 };
                if !state.is_too_heavy(weight) {
                    self.number += 1;
                    self.push(key, (self.number, weight, identity), ends);
                }
            }
            Step::Wait(millis) => {
                model.now += millis;
                model.tick();
                let first = model.filling.first().zip(model.limits.max_delay);
                let start = self.start;
                let next = first.map(|(first, delay)| start + Duration::from_millis(first.opened_at) + delay);
                let now = self.at(self.model.now);
                assert_eq!(self.state.tick(now), next);
            }
            Step::Flush => {
                model.shut_all();
                self.marks.push((state.flush(), model.epoch));
                model.epoch += 1;
            }
            Step::Claim => self.claim(),
            Step::Finish(at) if at < self.claims.len() => {
                state.finish(&self.claims.remove(at));
                model.finish(at);
            }
            Step::Withdraw(age) if age < self.places.len() => {
                let who = self.places.len() - 1 - age;
                let withdrawn = state.withdraw(self.places[who]).is_some_and(|(item, _)| item.is_some());
                assert_eq!(withdrawn, model.withdraw(who));
            }
            Step::MakeRoom => {
                state.make_room();
                model.make_room();
            }
            Step::Limit(limits) => {
                state.set_limits(&limits);
                model.set_limits(&limits);
            }
            Step::Close => {
                state.shut_all(FlushReason::Close);
                model.shut_all();
            }
            Step::Finish(_) | Step::Withdraw(_) => {}
        }
    }

    fn push(&mut self, key: u8, item: Item, ends: bool) {
        let Way { coalesces, goes_quickly, .. } = self.way;
        let now = self.at(self.model.now);
        let (hash, weight) = (u64::from(key), item.1);
        let token = Some(self.replies.join(Waker::noop().clone()));
        self.model.push(key, item, self.places.len(), ends);
        let is_quick = goes_quickly && !ends && !coalesces;
        let open = if is_quick { self.state.find_quickly(hash, &key, weight) } else { None };
        if let Some(open) = open {
            self.places.push(self.state.put_quickly(open, item, weight, token).unwrap());
            return;
        }
        // Every other identity has the same hash.
        let identity = coalesces.then_some(u64::from(item.2 % 2));
        let look = self.state.look(hash, &key, identity, |own| own.2 == item.2);
        let entry = Entry { key: &mut Some(key), hash, item, weight, ends, identity, token };
        self.places.push(self.state.put(entry, look, || now).place);
        if !look.joins() && self.model.limits.max_delay == Some(Duration::ZERO) {
            self.model.due_of(key);
        }
    }

    fn claim(&mut self) {
        let mut claim = Claim::new();
        let claimed = self.state.claim(&mut claim).then(|| claim.items.clone());
        assert_eq!(claimed, self.model.claim());
        let Some(items) = claimed else { return };
        let limits = &self.model.limits;
        assert!(!items.is_empty() && items.len() <= limits.max_items);
        let weight: u64 = items.iter().map(|item| item.1).sum();
        assert!(items.len() == 1 || limits.max_weight.is_none_or(|max| weight <= max));
        assert!(claim.waiters.iter().all(|waiter| waiter.at < items.len()));
        let key = self.model.in_flight.last().map(|(key, _)| *key).unwrap();
        self.handed.entry(key).or_default().extend(items.iter().map(|item| item.0));
        self.claims.push(claim);
    }

    /// What has to be the same of both, and what is never otherwise.
    fn check(&mut self) {
        let Self { state, model, .. } = self;
        let items: usize = model.all().map(|batch| batch.items.len()).sum();
        assert_eq!((state.items(), state.in_flight()), (items, model.in_flight.len()));
        let free = model.limits.max_in_flight.saturating_sub(model.in_flight.len());
        assert_eq!(state.claimable(), model.ready.len().min(free));
        assert_eq!(state.is_empty(), items == 0 && model.in_flight.is_empty());
        for (mark, epoch) in &self.marks {
            assert_eq!(state.has_reached(*mark), model.oldest_epoch() > *epoch);
        }
        if self.way.manner.is_serial {
            let mut keys: Vec<u8> = model.all().map(|batch| batch.key).collect();
            keys.extend(model.in_flight.iter().map(|(key, _)| *key));
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(state.keys(), keys.len());
        }
        assert!(self.handed.values().all(|items| items.is_sorted()), "out of order: {:?}", self.handed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn it_does_what_the_model_does(
        steps in steps(), is_serial: bool, coalesces: bool, has_weights: bool, goes_quickly: bool,
    ) {
        let manner = Manner { is_serial, weighs: has_weights };
        let mut play = Play::new(Way { manner, coalesces, goes_quickly });
        for step in steps {
            play.step(step);
            play.check();
        }
    }
}
