//! The mechanism against a naive model, which forgets no key and looks everything up anew each time; and what holds for
//! every key, whatever happens, by definition.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const CLAIM: Ticks = 10_000_000;
const QUOTA: Quota = Quota { starts: 3, period: 100_000_000, burst: 2 };

#[derive(Clone, Debug)]
enum Step {
    Check(u8),
    Arrive(u8),
    Look(usize),
    Leave(usize),
    Pause(u8, u64),
    PauseAll(u64),
    Resume(u8),
    ResumeAll,
    Follow(Quota),
    /// Time goes by, in milliseconds, and the alarm rings when it was set to.
    Wait(u64),
}

fn steps(keys: u8, follows: u32) -> impl Strategy<Value = Vec<Step>> {
    let pause = 0..90_u64;
    let quota = (1..5_u32, 1..300_u64, 1..4_u32);
    let quota = quota.prop_map(|(starts, period, burst)| Quota { starts, period: period * 1_000_003, burst });
    let step = prop_oneof![
        20 => (0..keys).prop_map(Step::Check),
        40 => (0..keys).prop_map(Step::Arrive),
        60 => (0..8_usize).prop_map(Step::Look),
        10 => (0..8_usize).prop_map(Step::Leave),
        5 => (0..keys, pause.clone()).prop_map(|(key, time)| Step::Pause(key, time)),
        3 => pause.prop_map(Step::PauseAll),
        2 => (0..keys).prop_map(Step::Resume),
        1 => Just(Step::ResumeAll),
        follows => quota.prop_map(Step::Follow),
        30 => (0..40_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..150)
}

/// The pacer, and the time that goes by for it.
struct Played {
    pacer: Pacer,
    now: Ticks,
    waiting: Vec<(u8, WaiterId)>,
}

/// A text for each key, and a hash that some of them share.
fn named(key: u8) -> Named<'static> {
    const TEXTS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    Named { hash: u64::from(key % 3), text: TEXTS[usize::from(key)] }
}

impl Played {
    fn new(max_keys: usize, quota: Quota) -> Self {
        let rules = Rules { quota, max_keys, max_pause: 80_000_000 };
        Self { pacer: Pacer::new(rules), now: 0, waiting: Vec::new() }
    }

    fn woken(&mut self) -> Vec<WaiterId> {
        std::iter::from_fn(|| self.pacer.next_woken()).collect()
    }

    fn state(&self, id: WaiterId) -> State {
        self.pacer.waiters[id].state
    }
}

#[derive(Clone, Debug)]
struct Ask {
    id: WaiterId,
    key: u8,
    ticket: usize,
    state: State,
}

#[derive(Debug, Default)]
struct Model {
    now: Ticks,
    asks: Vec<Ask>,
    tickets: usize,
    buckets: BTreeMap<u8, Bucket>,
    paused: BTreeMap<u8, Ticks>,
    all_paused: Option<Ticks>,
    lapses: BTreeMap<u8, u32>,
}

impl Model {
    fn from(&self, key: u8) -> Ticks {
        let paused = self.paused.get(&key).copied().unwrap_or(0);
        self.now.max(paused).max(self.all_paused.unwrap_or(0))
    }

    /// When the next could start if so many started as early as they may before it.
    fn start_at(&self, key: u8, ahead: usize) -> Ticks {
        let (mut bucket, mut at) = (self.buckets.get(&key).copied().unwrap_or_default(), self.from(key));
        for _ in 0..ahead {
            at = bucket.start_at(&QUOTA, at, 0);
            bucket.start(&QUOTA, at);
        }
        bucket.start_at(&QUOTA, at, 0)
    }

    fn may_start(&self, key: u8) -> bool {
        self.start_at(key, 0) == self.now
    }

    fn number(&self, key: u8, is_meant: impl Fn(State) -> bool) -> usize {
        self.asks.iter().filter(|ask| ask.key == key && is_meant(ask.state)).count()
    }

    fn called(&self, key: u8) -> usize {
        self.number(key, |state| matches!(state, State::Called(_)))
    }

    fn first(&self, key: u8) -> Option<usize> {
        let in_line = (0..self.asks.len())
            .filter(|&at| self.asks[at].key == key && self.asks[at].state == State::InLine);
        in_line.min_by_key(|&at| self.asks[at].ticket)
    }

    fn wait(&self, key: u8) -> Ticks {
        let standing = self.number(key, |state| state != State::Aside);
        (self.start_at(key, standing) - self.now).max(u64::from(standing > 0))
    }

    fn start(&mut self, key: u8) {
        self.buckets.entry(key).or_default().start(&QUOTA, self.now);
    }

    /// Whoever is to be called is; says who.
    fn call(&mut self) -> Vec<WaiterId> {
        for ask in &mut self.asks {
            if matches!(ask.state, State::Called(until) if until <= self.now) {
                ask.state = State::Aside;
                *self.lapses.entry(ask.key).or_default() += 1;
            }
        }
        let now = self.now;
        self.paused.retain(|_, until| *until > now);
        self.all_paused = self.all_paused.filter(|until| *until > now);
        let mut called = Vec::new();
        for key in 0..4 {
            if !self.asks.iter().any(|ask| ask.key == key) {
                self.lapses.remove(&key);
            }
            let most = 1 << self.lapses.get(&key).copied().unwrap_or(0).min(MOST_LAPSES);
            while self.called(key) < most
                && self.may_start(key)
                && let Some(at) = self.first(key)
            {
                self.asks[at].state = State::Called(self.now + CLAIM);
                called.push(self.asks[at].id);
            }
        }
        called
    }

    fn next_ring(&self) -> Option<Ticks> {
        let is_full =
            |key: u8| self.called(key) >= 1 << self.lapses.get(&key).copied().unwrap_or(0).min(MOST_LAPSES);
        let due =
            (0..4).filter(|&key| self.first(key).is_some() && !is_full(key)).map(|key| self.start_at(key, 0));
        let anybody = self.asks.iter().any(|ask| ask.state == State::InLine);
        let claims = self.asks.iter().filter_map(|ask| match ask.state {
            State::Called(until) if anybody => Some(until),
            _ => None,
        });
        due.chain(claims).chain(self.paused.values().copied()).chain(self.all_paused).min()
    }

    fn pause(&mut self, key: Option<u8>, time: Ticks) {
        let until = self.now + time.min(80) * 1_000_000;
        if until > self.now {
            let pause = key
                .map_or_else(|| self.all_paused.get_or_insert(0), |key| self.paused.entry(key).or_default());
            *pause = until.max(*pause);
        }
    }

    fn look(&mut self, at: usize) -> bool {
        let Ask { key, ticket, state, .. } = self.asks[at];
        self.asks[at].state = State::InLine;
        let is_next = matches!(state, State::Called(_))
            || self.called(key) == 0
                && self.first(key).is_some_and(|first| self.asks[first].ticket == ticket);
        let starts = is_next && self.may_start(key);
        if starts {
            self.asks.remove(at);
            self.lapses.remove(&key);
            self.start(key);
        }
        starts
    }
}

/// One step of both; they have to agree in everything.
fn agree(played: &mut Played, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    let now = played.now;
    let mut expected = Vec::new();
    match *step {
        Step::Check(key) => {
            let wait = model.wait(key);
            let checked = played.pacer.check(named(key), now);
            prop_assert_eq!(checked, if wait == 0 { Ok(()) } else { Err(wait) });
            if wait == 0 {
                model.start(key);
            }
        }
        Step::Arrive(key) => {
            let wait = model.wait(key);
            prop_assert_eq!(played.pacer.delay(named(key), now), wait);
            match played.pacer.arrive(named(key), now) {
                Arrival::Started => {
                    prop_assert_eq!(wait, 0);
                    model.start(key);
                }
                Arrival::InLine(id) => {
                    prop_assert!(wait > 0);
                    model.tickets += 1;
                    model.asks.push(Ask { id, key, ticket: model.tickets, state: State::InLine });
                }
            }
        }
        Step::Look(at) if !model.asks.is_empty() => {
            let at = at % model.asks.len();
            let id = model.asks[at].id;
            prop_assert_eq!(played.pacer.look(id, now), model.look(at));
        }
        Step::Leave(at) if !model.asks.is_empty() => {
            let gone = model.asks.remove(at % model.asks.len());
            played.pacer.leave(gone.id, now);
        }
        Step::Look(_) | Step::Leave(_) | Step::Follow(_) => {}
        Step::Pause(key, time) => {
            played.pacer.pause(named(key), time * 1_000_000, now);
            model.pause(Some(key), time);
        }
        Step::PauseAll(time) => {
            played.pacer.pause_all(time * 1_000_000, now);
            model.pause(None, time);
        }
        Step::Resume(key) => {
            prop_assert_eq!(played.pacer.resume(named(key), now), model.paused.remove(&key).is_some());
        }
        Step::ResumeAll => prop_assert_eq!(played.pacer.resume_all(now), model.all_paused.take().is_some()),
        Step::Wait(time) => {
            let until = now + time * 1_000_000;
            while let Some(next) = model.next_ring().filter(|next| *next <= until) {
                prop_assert_eq!(played.pacer.next_ring(), Some(next));
                model.now = next;
                played.pacer.ring(next);
                expected.extend(model.call());
            }
            (played.now, model.now) = (until, until);
            played.pacer.ring(until);
        }
    }
    expected.extend(model.call());
    let mut woken = played.woken();
    woken.sort_unstable();
    expected.sort_unstable();
    prop_assert_eq!(woken, expected);
    prop_assert_eq!(played.pacer.next_ring(), model.next_ring());
    for ask in &model.asks {
        prop_assert_eq!(played.state(ask.id), ask.state);
    }
    for key in 0..4 {
        prop_assert_eq!(played.pacer.is_paused(Some(named(key))), model.paused.contains_key(&key));
    }
    prop_assert_eq!(played.pacer.is_paused(None), model.all_paused.is_some());
    Ok(())
}

/// What has been started of each key under the quota that holds, and until when it is paused.
#[derive(Default)]
struct Witness {
    started: BTreeMap<u8, Vec<Ticks>>,
    paused: BTreeMap<u8, Ticks>,
    all_paused: Ticks,
}

impl Witness {
    fn saw(&mut self, key: u8, now: Ticks, quota: &Quota) -> Result<(), TestCaseError> {
        prop_assert!(
            now >= self.all_paused && now >= self.paused.get(&key).copied().unwrap_or(0),
            "a start in a pause"
        );
        let started = self.started.entry(key).or_default();
        started.push(now);
        for (first, from) in started.iter().enumerate() {
            let beyond = (started.len() - first).saturating_sub(quota.burst as usize);
            let run_down = u128::from(now - from) * u128::from(quota.starts);
            prop_assert!(
                beyond as u128 * u128::from(quota.period) <= run_down,
                "{key} too often: {started:?}"
            );
        }
        Ok(())
    }
}

/// Whatever is done, and however few keys there is room for, no key starts too often or in a pause, and everybody who
/// goes on waiting starts.
fn holds(max_keys: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut quota = QUOTA;
    let (mut played, mut witness) = (Played::new(max_keys, quota), Witness::default());
    for step in steps {
        let now = played.now;
        match step {
            Step::Check(key) => {
                if played.pacer.check(named(key), now).is_ok() {
                    witness.saw(key, now, &quota)?;
                }
            }
            Step::Arrive(key) => match played.pacer.arrive(named(key), now) {
                Arrival::Started => witness.saw(key, now, &quota)?,
                Arrival::InLine(id) => played.waiting.push((key, id)),
            },
            Step::Look(at) if !played.waiting.is_empty() => {
                let at = at % played.waiting.len();
                if played.pacer.look(played.waiting[at].1, now) {
                    witness.saw(played.waiting.remove(at).0, now, &quota)?;
                }
            }
            Step::Leave(at) if !played.waiting.is_empty() => {
                let (_, id) = played.waiting.remove(at % played.waiting.len());
                played.pacer.leave(id, now);
            }
            Step::Look(_) | Step::Leave(_) | Step::Resume(_) | Step::ResumeAll => {}
            Step::Pause(key, time) => {
                played.pacer.pause(named(key), time * 1_000_000, now);
                let until = witness.paused.entry(key).or_default();
                *until = (now + time.min(80) * 1_000_000).max(*until);
            }
            Step::PauseAll(time) => {
                played.pacer.pause_all(time * 1_000_000, now);
                witness.all_paused = witness.all_paused.max(now + time.min(80) * 1_000_000);
            }
            Step::Follow(other) => {
                quota = other;
                let rules = Rules { quota, ..played.pacer.rules };
                played.pacer.follow(rules, now);
                witness.started.clear();
            }
            Step::Wait(time) => {
                played.now += time * 1_000_000;
                if played.pacer.next_ring().is_some_and(|next| next <= played.now) {
                    played.pacer.ring(played.now);
                }
            }
        }
        prop_assert!(played.pacer.figures(played.now).0 <= max_keys);
    }
    // From here on everybody comes when it is called, and nobody else.
    for round in 0..2_000 {
        for id in played.woken() {
            let Some(at) = played.waiting.iter().position(|&(_, other)| other == id) else { continue };
            if played.pacer.look(id, played.now) {
                witness.saw(played.waiting.remove(at).0, played.now, &quota)?;
            }
        }
        if played.pacer.is_calm()
            && let Some(next) = played.pacer.next_ring()
        {
            played.now = played.now.max(next);
            played.pacer.ring(played.now);
        } else if played.pacer.is_calm() || played.waiting.is_empty() {
            break;
        }
        // Those who were called in the steps above and did not come look again, once they are passed over.
        if round % 16 == 15 {
            for (key, id) in std::mem::take(&mut played.waiting) {
                if played.pacer.look(id, played.now) {
                    witness.saw(key, played.now, &quota)?;
                } else {
                    played.waiting.push((key, id));
                }
            }
        }
        while played.pacer.next_turned().is_some() {}
    }
    for (key, id) in std::mem::take(&mut played.waiting) {
        prop_assert!(played.state(id) == State::Aside, "{key} was left waiting: {:?}", played.state(id));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_model_that_forgets_nothing(steps in steps(4, 0)) {
        let (mut played, mut model) = (Played::new(64, QUOTA), Model::default());
        for step in steps {
            agree(&mut played, &mut model, &step)?;
        }
    }

    #[test]
    fn no_key_starts_too_often_however_few_there_is_room_for(max_keys in 1..5_usize, steps in steps(8, 2)) {
        holds(max_keys, steps)?;
    }
}
