//! The keyed schedule against a naive model that looks at everything, and its stated worst-case wait.

use std::collections::HashSet;

use dayfly_signal::{OperationId, Verdict};
use proptest::prelude::*;
use tokio::time::Instant;

use super::{Keyed, KeyedRules, Place, Queued, Schedule};

const KEYS: u8 = 4;
/// The weights of the keys, where keys have weights.
const WEIGHTS: [usize; KEYS as usize] = [1, 3, 1, 2];

#[derive(Clone, Debug)]
enum Step {
    /// Hands work of a key into a lane.
    Push(u8, usize),
    Start,
    /// Claims so many and gives them back unstarted.
    PutBack(usize),
    /// Claims so many, and gives them back once some more work has come in.
    PutBackLate(usize, Vec<(u8, usize)>),
    /// Ends the running operation at this place, modulo their number.
    End(usize),
    Again(usize),
    Due(usize),
    Defer(u8),
    Release,
    Remove(usize),
    /// Takes everything of a key out that waits for its turn.
    TakeKey(u8),
    /// Ends one that waits for its next attempt.
    GiveUp(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..KEYS, 0..2_usize).prop_map(|(key, lane)| Step::Push(key, lane)),
        6 => Just(Step::Start),
        1 => (1..4_usize).prop_map(Step::PutBack),
        1 => (1..4_usize, prop::collection::vec((0..KEYS, 0..2_usize), 1..4))
            .prop_map(|(most, arrivals)| Step::PutBackLate(most, arrivals)),
        3 => any::<usize>().prop_map(Step::End),
        2 => any::<usize>().prop_map(Step::Again),
        2 => any::<usize>().prop_map(Step::Due),
        1 => (0..KEYS).prop_map(Step::Defer),
        1 => Just(Step::Release),
        1 => any::<usize>().prop_map(Step::Remove),
        1 => (0..KEYS).prop_map(Step::TakeKey),
        1 => any::<usize>().prop_map(Step::GiveUp),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Setting {
    per_key: usize,
    burst: usize,
    lanes: usize,
    is_weighed: bool,
}

/// An operation: its key, its lane, and a number that rises in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Work {
    key: u8,
    lane: usize,
    number: u64,
}

/// What should be the case, as plain lists; the queued ones of a key and lane stand in their order.
struct Model {
    setting: Setting,
    queued: Vec<Work>,
    running: Vec<(Work, Place)>,
    waiting: Vec<(Work, Place)>,
    deferred: HashSet<u8>,
    /// The places that were used, and not released since.
    places: HashSet<usize>,
    /// Per key and lane that waits for a turn: the starts of the same lane since it began to.
    passed: Vec<(u8, usize, Vec<Work>)>,
}

impl Model {
    fn taken(&self, key: u8) -> usize {
        let of_key = |list: &[(Work, Place)]| list.iter().filter(|(work, _)| work.key == key).count();
        of_key(&self.running) + if self.setting.per_key == 1 { of_key(&self.waiting) } else { 0 }
    }

    fn may_start(&self, key: u8, lane: usize) -> bool {
        let has_work = self.queued.iter().any(|work| work.key == key && work.lane == lane);
        has_work && self.taken(key) < self.setting.per_key && !self.deferred.contains(&key)
    }

    fn may_any(&self) -> Option<usize> {
        (0..self.setting.lanes).find(|&lane| (0..KEYS).any(|key| self.may_start(key, lane)))
    }

    fn turns(&self, key: u8) -> usize {
        let weight = if self.setting.is_weighed { WEIGHTS[usize::from(key)] } else { 1 };
        weight + self.setting.burst
    }

    /// Notes who waits for a turn from now on, and who does not any more.
    fn watch_turns(&mut self) {
        let lines = (0..KEYS).flat_map(|key| (0..self.setting.lanes).map(move |lane| (key, lane)));
        let waits: Vec<_> = lines.filter(|&(key, lane)| self.may_start(key, lane)).collect();
        self.passed.retain(|(key, lane, _)| waits.contains(&(*key, *lane)));
        for (key, lane) in waits {
            if !self.passed.iter().any(|known| (known.0, known.1) == (key, lane)) {
                self.passed.push((key, lane, Vec::new()));
            }
        }
    }
}

fn entry(work: Work) -> Queued<(), u8> {
    let id = OperationId::from_u64(work.number).unwrap();
    let now = Instant::now();
    // Each key has a place of its own, as the room gives them out.
    let place = Place { lane: work.lane, key: usize::from(work.key) };
    Queued {
        id,
        is_own_id: false,
        key: work.key,
        place,
        item: (),
        enqueued_at: now,
        ready_at: now,
        attempts: 0,
        claim: 0,
    }
}

fn pick<W>(list: &mut Vec<W>, at: usize) -> Option<W> {
    (!list.is_empty()).then(|| list.remove(at % list.len()))
}

fn schedule(setting: Setting) -> Keyed<(), u8> {
    let weight = |key: &u8| WEIGHTS[usize::from(*key)];
    Keyed::new(KeyedRules {
        per_key: setting.per_key,
        burst: setting.burst,
        lanes: setting.lanes,
        weight: setting.is_weighed.then(|| Box::new(weight) as Box<_>),
    })
}

fn run(setting: Setting, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut schedule = schedule(setting);
    let (queued, running, waiting) = (Vec::new(), Vec::new(), Vec::new());
    let (deferred, places) = (HashSet::new(), HashSet::new());
    let mut model = Model { setting, queued, running, waiting, deferred, places, passed: Vec::new() };
    let mut arrivals = 0;
    for step in steps {
        match step {
            Step::Push(key, lane) => push(&mut schedule, &mut model, &mut arrivals, (key, lane)),
            Step::Start => start(&mut schedule, &mut model)?,
            Step::PutBack(most) => put_back(&mut schedule, &model, most)?,
            Step::PutBackLate(most, meanwhile) => {
                let claimed = claim(&mut schedule, &model, most);
                for arrival in meanwhile {
                    push(&mut schedule, &mut model, &mut arrivals, arrival);
                }
                claimed.into_iter().rev().for_each(|entry| schedule.put_back(entry));
            }
            Step::End(at) => {
                if let Some((work, place)) = pick(&mut model.running, at) {
                    schedule.ended(&work.key, place);
                }
            }
            Step::Again(at) => {
                if let Some((work, place)) = pick(&mut model.running, at) {
                    schedule.again(&work.key, place);
                    model.waiting.push((work, place));
                }
            }
            Step::Due(at) => {
                if let Some((work, place)) = pick(&mut model.waiting, at) {
                    due(&mut schedule, &mut model, work, place);
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
                if let Some(work) = pick(&mut model.queued, at) {
                    let removed = schedule.remove(OperationId::from_u64(work.number).unwrap());
                    prop_assert_eq!(removed.map(|entry| entry.id.get()), Some(work.number));
                }
            }
            Step::TakeKey(key) => {
                let taken: Vec<u64> =
                    schedule.take_key(usize::from(key)).iter().map(|entry| entry.id.get()).collect();
                let mut expected: Vec<Work> = model.queued.clone();
                expected.retain(|work| work.key == key);
                // Stable, so that the order within a lane is kept.
                expected.sort_by_key(|work| work.lane);
                let expected: Vec<u64> = expected.iter().map(|work| work.number).collect();
                prop_assert_eq!(taken, expected);
                model.queued.retain(|work| work.key != key);
            }
            Step::GiveUp(at) => {
                if let Some((work, place)) = pick(&mut model.waiting, at) {
                    schedule.gave_up(&work.key, place);
                }
            }
        }
        release(&mut schedule, &mut model)?;
        prop_assert_eq!(schedule.len(), model.queued.len());
        prop_assert!(schedule.ready() > 0 || model.may_any().is_none(), "nobody would look for work");
        model.watch_turns();
    }
    finish(schedule, model)
}

/// Whatever happened, the rest can be brought to its end, and leaves nothing behind.
fn finish(mut schedule: Keyed<(), u8>, mut model: Model) -> Result<(), TestCaseError> {
    schedule.reopen();
    for (work, place) in std::mem::take(&mut model.waiting) {
        due(&mut schedule, &mut model, work, place);
    }
    for (work, place) in std::mem::take(&mut model.running) {
        schedule.ended(&work.key, place);
    }
    while let Some((entry, _)) = schedule.next(Instant::now(), |_| Verdict::Open) {
        schedule.ended(&entry.key, entry.place);
        model.queued.retain(|work| work.number != entry.id.get());
    }
    prop_assert!(model.queued.is_empty(), "lost: {:?}", model.queued);
    release(&mut schedule, &mut model)?;
    prop_assert!(model.places.is_empty(), "not released: {:?}", model.places);
    prop_assert!(schedule.is_empty_handed());
    Ok(())
}

/// Only the places of keys without work are given to other keys.
fn release(schedule: &mut Keyed<(), u8>, model: &mut Model) -> Result<(), TestCaseError> {
    let mut released = Vec::new();
    schedule.take_released(&mut released);
    for at in released {
        let has_work = (0..KEYS)
            .filter(|key| usize::from(*key) == at)
            .any(|key| model.taken(key) > 0 || model.queued.iter().any(|work| work.key == key));
        prop_assert!(!has_work, "the place of key {} was released", at);
        model.places.remove(&at);
    }
    Ok(())
}

fn due(schedule: &mut Keyed<(), u8>, model: &mut Model, work: Work, place: Place) {
    schedule.due(Queued { place, ..entry(work) });
    model.places.insert(place.key);
    if model.setting.per_key == 1 {
        // It comes first of its key.
        model.queued.insert(0, Work { lane: 0, ..work });
    } else {
        model.queued.push(work);
    }
}

fn start(schedule: &mut Keyed<(), u8>, model: &mut Model) -> Result<(), TestCaseError> {
    let deferred = model.deferred.clone();
    let gate = |entry: &Queued<(), u8>| {
        if deferred.contains(&entry.key) { Verdict::Deferred } else { Verdict::Open }
    };
    let Some((started, _)) = schedule.next(Instant::now(), gate) else {
        prop_assert_eq!(model.may_any(), None, "work that may start was not found");
        return Ok(());
    };
    let (key, lane) = (started.key, started.place.lane);
    prop_assert!(model.may_start(key, lane), "key {} must not start", key);
    prop_assert_eq!(model.may_any(), Some(lane), "a higher lane comes first");
    let at = model.queued.iter().position(|work| work.key == key && work.lane == lane).unwrap();
    prop_assert_eq!(
        model.queued[at].number,
        started.id.get(),
        "the order of a key and lane is that of arrival"
    );
    let work = model.queued.remove(at);
    model.running.push((work, started.place));
    // The stated wait: while a key waits for its turn, every other key starts no more than its turns, in the same lane.
    model.passed.retain(|waits| (waits.0, waits.1) != (key, lane));
    let most = model.turns(key);
    for (waiting, _, passed) in model.passed.iter_mut().filter(|waits| waits.1 == lane) {
        passed.push(work);
        let times = passed.iter().filter(|passing| passing.key == key).count();
        prop_assert!(times <= most, "key {} passed key {} {} times", key, waiting, times);
    }
    Ok(())
}

fn push(schedule: &mut Keyed<(), u8>, model: &mut Model, arrivals: &mut u64, (key, lane): (u8, usize)) {
    *arrivals += 1;
    let work = Work { key, lane: lane % model.setting.lanes, number: *arrivals };
    schedule.push(entry(work));
    model.places.insert(usize::from(work.key));
    model.queued.push(work);
}

/// Takes out what is next, so many of it.
fn claim(schedule: &mut Keyed<(), u8>, model: &Model, most: usize) -> Vec<Queued<(), u8>> {
    let gate = |entry: &Queued<(), u8>| {
        if model.deferred.contains(&entry.key) { Verdict::Deferred } else { Verdict::Open }
    };
    let most = most.min(schedule.most_at_once());
    (0..most).filter_map(|_| schedule.next(Instant::now(), gate).map(|(entry, _)| entry)).collect()
}

/// Takes out what is next and gives it back: afterwards the same is next.
fn put_back(schedule: &mut Keyed<(), u8>, model: &Model, most: usize) -> Result<(), TestCaseError> {
    let mut take = || {
        let claimed = claim(schedule, model, most);
        let ids: Vec<u64> = claimed.iter().map(|entry| entry.id.get()).collect();
        claimed.into_iter().rev().for_each(|entry| schedule.put_back(entry));
        ids
    };
    let first = take();
    prop_assert_eq!(first, take());
    Ok(())
}

const PLAIN: Setting = Setting { per_key: 1, burst: 0, lanes: 1, is_weighed: false };

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_024, ..ProptestConfig::default() })]

    #[test]
    fn one_per_key_agrees_with_the_model(steps in prop::collection::vec(step(), 1..120)) {
        run(PLAIN, steps)?;
    }

    #[test]
    fn several_per_key_agree_with_the_model(steps in prop::collection::vec(step(), 1..120)) {
        run(Setting { per_key: 3, ..PLAIN }, steps)?;
    }

    #[test]
    fn keys_with_weights_agree_with_the_model(
        per_key in 1..4_usize,
        burst in 0..3_usize,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        run(Setting { per_key, burst, is_weighed: true, ..PLAIN }, steps)?;
    }

    #[test]
    fn keys_with_lanes_agree_with_the_model(
        per_key in 1..3_usize,
        is_weighed: bool,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        run(Setting { per_key, lanes: 2, is_weighed, ..PLAIN }, steps)?;
    }
}

#[test]
fn a_weight_beyond_all_measure_is_borne() {
    let weight = Some(Box::new(|_: &u8| usize::MAX) as Box<_>);
    let mut schedule = Keyed::new(KeyedRules { per_key: 3, burst: usize::MAX, lanes: 1, weight });
    for number in 1..=3 {
        schedule.push(entry(Work { key: 0, lane: 0, number }));
        let started = schedule.next(Instant::now(), |_| Verdict::Open);
        assert_eq!(started.map(|(entry, _)| entry.id.get()), Some(number));
    }
}
