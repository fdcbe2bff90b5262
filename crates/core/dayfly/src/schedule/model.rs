//! The keyed schedule against a naive model that looks at everything, and its stated worst-case wait.

use std::collections::HashSet;

use dayfly_signal::OperationId;
use proptest::prelude::*;
use tokio::time::Instant;

use super::{Keyed, Queued, Schedule};
use crate::gate::Gate;

#[derive(Clone, Debug)]
enum Step {
    Push(u8),
    Start,
    /// Ends the running operation at this place, modulo their number.
    End(usize),
    Again(usize),
    Due(usize),
    Defer(u8),
    Release,
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4_u8).prop_map(Step::Push),
        6 => Just(Step::Start),
        3 => any::<usize>().prop_map(Step::End),
        2 => any::<usize>().prop_map(Step::Again),
        2 => any::<usize>().prop_map(Step::Due),
        1 => (0..4_u8).prop_map(Step::Defer),
        1 => Just(Step::Release),
        1 => any::<usize>().prop_map(Step::Remove),
    ]
}

/// What should be the case, as plain lists of (key, number) with numbers rising in the order of arrival.
#[derive(Default)]
struct Model {
    queued: Vec<(u8, u64)>,
    running: Vec<(u8, u64)>,
    waiting: Vec<(u8, u64)>,
    deferred: HashSet<u8>,
    /// Per key that waits for a turn: starts of each other key since it began to.
    passed: Vec<(u8, Vec<u8>)>,
}

impl Model {
    fn taken(&self, key: u8, per_key: usize) -> usize {
        let of_key = |list: &[(u8, u64)]| list.iter().filter(|entry| entry.0 == key).count();
        of_key(&self.running) + if per_key == 1 { of_key(&self.waiting) } else { 0 }
    }

    fn may_start(&self, key: u8, per_key: usize) -> bool {
        let has_work = self.queued.iter().any(|entry| entry.0 == key);
        has_work && self.taken(key, per_key) < per_key && !self.deferred.contains(&key)
    }

    /// Notes who waits for a turn from now on, and who does not any more.
    fn watch_turns(&mut self, per_key: usize) {
        let waits: Vec<u8> = (0..4).filter(|&key| self.may_start(key, per_key)).collect();
        self.passed.retain(|(key, _)| waits.contains(key));
        for key in waits {
            if !self.passed.iter().any(|(known, _)| *known == key) {
                self.passed.push((key, Vec::new()));
            }
        }
    }
}

fn entry(key: u8, number: u64) -> Queued<(), u8> {
    let id = OperationId::from_u64(number).unwrap();
    Queued { id, key, item: (), enqueued_at: Instant::now(), ready_at: Instant::now(), attempts: 0 }
}

fn pick(list: &mut Vec<(u8, u64)>, at: usize) -> Option<(u8, u64)> {
    (!list.is_empty()).then(|| list.remove(at % list.len()))
}

fn run(per_key: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut schedule = Keyed::new(per_key);
    let mut model = Model::default();
    let mut arrivals = 0;
    for step in steps {
        match step {
            Step::Push(key) => {
                arrivals += 1;
                schedule.push(entry(key, arrivals));
                model.queued.push((key, arrivals));
            }
            Step::Start => start(&mut schedule, &mut model, per_key)?,
            Step::End(at) => {
                if let Some((key, _)) = pick(&mut model.running, at) {
                    schedule.ended(&key);
                }
            }
            Step::Again(at) => {
                if let Some(again) = pick(&mut model.running, at) {
                    schedule.again(&again.0);
                    model.waiting.push(again);
                }
            }
            Step::Due(at) => {
                if let Some(due) = pick(&mut model.waiting, at) {
                    schedule.due(entry(due.0, due.1));
                    let place = if per_key == 1 { 0 } else { model.queued.len() };
                    model.queued.insert(place, due);
                }
            }
            Step::Defer(key) => {
                model.deferred.insert(key);
            }
            Step::Release => {
                model.deferred.clear();
                schedule.reopen();
            }
            Step::Remove(at) => {
                if let Some((_, number)) = pick(&mut model.queued, at) {
                    let removed = schedule.remove(OperationId::from_u64(number).unwrap());
                    prop_assert_eq!(removed.map(|entry| entry.id.get()), Some(number));
                }
            }
        }
        prop_assert_eq!(schedule.len(), model.queued.len());
        let any = (0..4).any(|key| model.may_start(key, per_key));
        prop_assert!(schedule.ready() > 0 || !any, "work may start and nobody would look for it");
        model.watch_turns(per_key);
    }
    // Whatever happened, the rest can be brought to its end, and leaves nothing behind.
    model.deferred.clear();
    schedule.reopen();
    for (key, number) in std::mem::take(&mut model.waiting) {
        schedule.due(entry(key, number));
        model.queued.insert(0, (key, number));
    }
    for (key, _) in std::mem::take(&mut model.running) {
        schedule.ended(&key);
    }
    while let Some((entry, _)) = schedule.next(Instant::now(), |_| Gate::Open) {
        schedule.ended(&entry.key);
        model.queued.retain(|(_, number)| *number != entry.id.get());
    }
    prop_assert!(model.queued.is_empty(), "lost: {:?}", model.queued);
    prop_assert!(schedule.is_empty_handed());
    Ok(())
}

fn start(schedule: &mut Keyed<(), u8>, model: &mut Model, per_key: usize) -> Result<(), TestCaseError> {
    let deferred = model.deferred.clone();
    let gate = |entry: &Queued<(), u8>| {
        if deferred.contains(&entry.key) { Gate::Deferred } else { Gate::Open }
    };
    let Some((started, _)) = schedule.next(Instant::now(), gate) else {
        prop_assert!((0..4).all(|key| !model.may_start(key, per_key)), "work that may start was not found");
        return Ok(());
    };
    let (key, number) = (started.key, started.id.get());
    prop_assert!(model.may_start(key, per_key), "key {} must not start", key);
    let first = model.queued.iter().find(|entry| entry.0 == key);
    prop_assert_eq!(first, Some(&(key, number)), "the order of a key is the order of its arrival");
    model.queued.retain(|entry| entry.1 != number);
    model.running.push((key, number));
    // The stated wait: while a key waits for its turn, every other key starts at most one operation.
    model.passed.retain(|(waiting, _)| *waiting != key);
    for (waiting, passed) in &mut model.passed {
        prop_assert!(!passed.contains(&key), "key {} passed key {} twice", key, waiting);
        passed.push(key);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_024, ..ProptestConfig::default() })]

    #[test]
    fn one_per_key_agrees_with_the_model(steps in prop::collection::vec(step(), 1..120)) {
        run(1, steps)?;
    }

    #[test]
    fn several_per_key_agree_with_the_model(steps in prop::collection::vec(step(), 1..120)) {
        run(3, steps)?;
    }
}
