//! Whom the line wakes: whoever is not woken has to go on waiting, with a timer that is not too late.

use std::collections::BTreeMap;

use dayfly_signal::{Draft, Hold, SignalOptions, SignalSink, Watch};
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 5] = ["stop", "wait.a", "wait.b", "go", "other"];
const KEYS: [Option<&str>; 3] = [None, Some("k"), Some("l")];
const MAX_AGE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug)]
enum Step {
    Raise(usize, usize),
    Retract(usize, usize),
    Hold(usize, usize),
    Release,
    Advance(u64),
    Arrive(usize),
    Leave(usize),
    Bound(Option<u64>),
}

fn step() -> impl Strategy<Value = Step> {
    let at = (0..NAMES.len(), 0..KEYS.len());
    prop_oneof![
        4 => at.clone().prop_map(|(name, key)| Step::Raise(name, key)),
        2 => at.clone().prop_map(|(name, key)| Step::Retract(name, key)),
        2 => at.prop_map(|(name, key)| Step::Hold(name, key)),
        2 => Just(Step::Release),
        3 => (1..12_u64).prop_map(Step::Advance),
        4 => (0..KEYS.len()).prop_map(Step::Arrive),
        1 => (0..8_usize).prop_map(Step::Leave),
        1 => prop::option::of(0..15_u64).prop_map(Step::Bound),
    ]
}

/// A waiter as the shell keeps it: when it came, and the timer that it has set.
struct Waiter {
    key: Option<&'static str>,
    arrived: Instant,
    timer: Option<Instant>,
}

struct World {
    signals: SignalSink,
    watch: Watch,
    holds: Vec<Hold>,
    line: Line<usize>,
    waiters: BTreeMap<Place, Waiter>,
    now: Instant,
}

fn draft(name: usize, key: usize) -> Draft<'static> {
    let draft = Draft::from(NAMES[name]);
    KEYS[key].map_or(draft, |key| draft.key(key))
}

impl World {
    fn new(keyed: bool) -> Self {
        let signals = SignalSink::new(SignalOptions::new().max_age(MAX_AGE));
        let rules = GateRules::new().cancel_on("stop").defer_on("wait.*").resume_on("go").keyed(keyed);
        let watch = signals.watch(rules.patterns());
        let line = Line::new(rules, None);
        Self { signals, watch, holds: Vec::new(), line, waiters: BTreeMap::new(), now: Instant::now() }
    }

    /// What the shell does when the bell rings or somebody looks.
    fn refresh(&mut self) {
        self.now = Instant::now();
        let version = self.watch.version();
        if !self.line.is_current(version, self.now) {
            let raised = self.watch.read();
            let woken = self.line.judge(version, &raised, self.now);
            assert!(woken.is_sorted(), "they are woken in the order of their arrival");
            self.poll(woken);
        }
    }

    /// Those who are woken look, and leave or set their timers.
    fn poll(&mut self, woken: Vec<usize>) {
        for place in woken {
            let place = place as Place;
            let Some(waiter) = self.waiters.get_mut(&place) else { continue };
            let admission = self.line.admission(waiter.key, waiter.arrived, self.now);
            if let Admission::Wait { until } = admission {
                waiter.timer = until;
                self.line.set_waker(place, usize::try_from(place).unwrap());
            } else {
                self.waiters.remove(&place);
                self.line.leave(place);
            }
        }
    }

    async fn apply(&mut self, step: Step) {
        match step {
            Step::Raise(name, key) => drop(self.signals.raise(draft(name, key))),
            Step::Retract(name, key) => drop(self.signals.retract(draft(name, key))),
            Step::Hold(name, key) => self.holds.push(self.signals.hold(draft(name, key))),
            Step::Release => drop(self.holds.pop()),
            Step::Bound(wait) => {
                let bound = wait.map(|wait| (Duration::from_secs(wait), AfterDeferral::Pass));
                let woken = self.line.set_bound(bound);
                self.poll(woken);
            }
            Step::Advance(seconds) => {
                for _ in 0..seconds {
                    tokio::time::advance(Duration::from_secs(1)).await;
                    self.refresh();
                    let due = |waiter: &Waiter| waiter.timer.is_some_and(|timer| timer <= self.now);
                    let due = self.waiters.iter().filter(|(_, waiter)| due(waiter));
                    let due = due.map(|(place, _)| usize::try_from(*place).unwrap()).collect();
                    self.poll(due);
                }
            }
            Step::Arrive(key) => {
                self.refresh();
                let (key, arrived) = (KEYS[key], self.now);
                if let Admission::Wait { until } = self.line.admission(key, arrived, arrived) {
                    let number = usize::try_from(self.line.next).unwrap();
                    let place = self.line.enter(key.map(Arc::from), number);
                    self.waiters.insert(place, Waiter { key, arrived, timer: until });
                }
            }
            Step::Leave(at) => {
                let place = self.waiters.keys().nth(at).copied();
                if let Some(place) = place {
                    self.waiters.remove(&place);
                    assert!(self.line.leave(place).is_some());
                }
            }
        }
        self.refresh();
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.line.len(), self.waiters.len());
        for waiter in self.waiters.values() {
            let admission = self.line.admission(waiter.key, waiter.arrived, self.now);
            let Admission::Wait { until } = admission else {
                return Err(TestCaseError::fail(format!("nobody has woken who may go on: {admission:?}")));
            };
            let is_late = until.is_some_and(|until| waiter.timer.is_none_or(|timer| timer > until));
            prop_assert!(!is_late, "a timer is set too late");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_is_not_woken_has_to_wait_with_a_timer_that_is_in_time(
        keyed: bool,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        dayfly_testing::paused(async {
            let mut world = World::new(keyed);
            for step in steps {
                world.apply(step).await;
                world.check()?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn signals_that_go_on_being_raised_wake_nobody() {
    let mut world = World::new(false);
    world.signals.raise("wait.a");
    world.refresh();
    let place = world.line.enter(None, 7);
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(1)).await;
        world.signals.raise("wait.a");
        let (version, raised) = (world.watch.version(), world.watch.read());
        assert_eq!(
            world.line.judge(version, &raised, Instant::now()),
            [],
            "the timer goes off early, and is set anew"
        );
    }
    world.signals.clear();
    let (version, raised) = (world.watch.version(), world.watch.read());
    assert_eq!(world.line.judge(version, &raised, Instant::now()), [7]);
    assert_eq!(world.line.leave(place), None);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_earlier_does_not_replace_what_was_read_later() {
    let mut world = World::new(false);
    let (early, nothing) = (world.watch.version(), world.watch.read());
    world.signals.raise("stop");
    world.refresh();
    assert_eq!(world.line.judge(early, &nothing, world.now), []);
    assert_eq!(world.line.admission(None, world.now, world.now), Admission::Refuse(Refused::Cancelled(())));
}

#[tokio::test(start_paused = true)]
async fn a_bound_that_cannot_be_told_never_ends() {
    let mut world = World::new(false);
    let _hold = world.signals.hold("wait.a");
    world.refresh();
    world.line.set_bound(Some((Duration::MAX, AfterDeferral::Refuse)));
    assert_eq!(world.line.admission(None, world.now, world.now), Admission::Wait { until: None });
    world.line.set_bound(Some((Duration::ZERO, AfterDeferral::Refuse)));
    assert_eq!(world.line.admission(None, world.now, world.now), Admission::Refuse(Refused::Overdue(())));
}
