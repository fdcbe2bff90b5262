use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const LANES: usize = 3;
const LIMITS: [usize; LANES] = [usize::MAX, 2, 1];
const AGE_AFTER: u64 = 10;

fn lane(index: usize) -> Lane {
    Lane { index, name: Arc::from(["high", "middle", "low"][index]) }
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Start,
    End(usize),
    PutBack(usize),
    Again(usize),
    Due(usize),
    Remove(usize),
    Defer(usize),
    Release,
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..LANES).prop_map(Step::Push),
        5 => Just(Step::Start),
        2 => any::<usize>().prop_map(Step::End),
        2 => any::<usize>().prop_map(Step::PutBack),
        1 => any::<usize>().prop_map(Step::Again),
        1 => any::<usize>().prop_map(Step::Due),
        1 => any::<usize>().prop_map(Step::Remove),
        1 => (0..LANES).prop_map(Step::Defer),
        1 => Just(Step::Release),
        3 => (0..8_u64).prop_map(Step::Advance),
    ]
}

/// An operation as the rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    own: usize,
    number: u64,
    /// Since when it is in the queue.
    since: u64,
    /// When it was claimed first since then.
    claim: u64,
}

/// One line for each lane; the next start is the first of a lane, and of these the one with the least (level, since when
/// it is in the queue, number).
#[derive(Default)]
struct Model {
    lines: [Vec<Seen>; LANES],
    running: Vec<Seen>,
    waiting: Vec<Seen>,
    deferred: [bool; LANES],
    now: u64,
    arrivals: u64,
    claims: u64,
}

impl Model {
    fn may_start(&self, own: usize) -> bool {
        !self.deferred[own] && self.running.iter().filter(|seen| seen.own == own).count() < LIMITS[own]
    }

    fn level(&self, seen: Seen) -> usize {
        seen.own.saturating_sub(usize::try_from((self.now - seen.since) / AGE_AFTER).unwrap())
    }

    fn start(&mut self) -> Option<Seen> {
        let firsts = (0..LANES).filter(|own| self.may_start(*own)).filter_map(|own| self.lines[own].first());
        let next = *firsts.min_by_key(|seen| (self.level(**seen), seen.since, seen.number))?;
        self.lines[next.own].remove(0);
        self.claims += 1;
        let claim = if next.claim == 0 { self.claims } else { next.claim };
        self.running.push(Seen { claim, ..next });
        self.running.last().copied()
    }

    fn put_back(&mut self, seen: Seen) {
        let line = &mut self.lines[seen.own];
        let place = line.iter().take_while(|other| other.claim != 0 && other.claim < seen.claim).count();
        line.insert(place, seen);
    }

    fn queued(&self) -> impl Iterator<Item = &Seen> {
        self.lines.iter().flatten()
    }
}

fn entry(seen: Seen, start: Instant) -> Queued<(), Lane> {
    Queued {
        id: OperationId::from_u64(seen.number).unwrap(),
        is_own_id: false,
        key: lane(seen.own),
        place: Place::default(),
        item: (),
        // Long ago: how old an operation is does not count, only how long it has been in the queue.
        enqueued_at: start,
        ready_at: start + Duration::from_secs(seen.since),
        attempts: 0,
        claim: seen.claim,
    }
}

fn take(from: &mut Vec<Seen>, at: usize) -> Option<Seen> {
    (!from.is_empty()).then(|| from.remove(at % from.len()))
}

fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let start = Instant::now();
    let mut schedule = Priority::new(LIMITS, Some(Duration::from_secs(AGE_AFTER)));
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Advance(seconds) => model.now += seconds,
            Step::Defer(own) => model.deferred[own] = true,
            Step::Release => {
                model.deferred = [false; LANES];
                schedule.reopen();
            }
            Step::Push(own) => {
                model.arrivals += 1;
                let seen = Seen { own, number: model.arrivals, since: model.now, claim: 0 };
                model.lines[own].push(seen);
                schedule.push(entry(seen, start));
            }
            Step::Start => {
                let at = start + Duration::from_secs(model.now);
                let gate = |entry: &Queued<(), Lane>| {
                    if model.deferred[entry.key.index] { Verdict::Deferred } else { Verdict::Open }
                };
                let next = schedule.next(at, gate).map(|(entry, _)| (entry.key.index, entry.id.get()));
                let wanted = model.start();
                prop_assert_eq!(next, wanted.map(|seen| (seen.own, seen.number)));
            }
            Step::End(at) => {
                if let Some(seen) = take(&mut model.running, at) {
                    schedule.ended(&lane(seen.own), Place::default());
                }
            }
            Step::PutBack(at) => {
                if let Some(seen) = take(&mut model.running, at) {
                    model.put_back(seen);
                    schedule.put_back(entry(seen, start));
                }
            }
            Step::Again(at) => {
                if let Some(seen) = take(&mut model.running, at) {
                    schedule.again(&lane(seen.own), Place::default());
                    model.waiting.push(seen);
                }
            }
            Step::Due(at) => {
                if let Some(seen) = take(&mut model.waiting, at) {
                    let seen = Seen { since: model.now, claim: 0, ..seen };
                    model.lines[seen.own].push(seen);
                    schedule.due(entry(seen, start));
                }
            }
            Step::Remove(at) => {
                let queued: Vec<Seen> = model.queued().copied().collect();
                if let Some(seen) = queued.get(at % queued.len().max(1)) {
                    model.lines[seen.own].retain(|other| other.number != seen.number);
                    let id = OperationId::from_u64(seen.number).unwrap();
                    prop_assert_eq!(schedule.remove(id).map(|entry| entry.id), Some(id));
                    prop_assert!(schedule.remove(id).is_none());
                }
            }
        }
        prop_assert_eq!(schedule.len(), model.queued().count());
        let could_start = model.queued().any(|seen| model.may_start(seen.own));
        prop_assert!(schedule.ready() > 0 || !could_start);
    }
    let mut left: Vec<u64> = model.queued().map(|seen| seen.number).collect();
    left.sort_unstable();
    prop_assert_eq!(schedule.take_all().iter().map(|entry| entry.id.get()).collect::<Vec<_>>(), left);
    prop_assert_eq!((schedule.len(), schedule.ready()), (0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_024, ..ProptestConfig::default() })]

    #[test]
    fn the_next_start_is_the_one_that_the_rules_name(steps in prop::collection::vec(step(), 1..100)) {
        run(steps)?;
    }
}
