//! The gate against a naive model of the signals, and against a coordinator that goes by the same ones.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::{AfterDeferral as After, CoordinatorOptions, KeyedCoordinator};
use dayfly_signal::{Draft, Hold, SignalOptions, SignalSink};
use dayfly_signal_aware::{AfterDeferral, Gate, GateOptions, Refused, Verdict};
use dayfly_testing::settle;
use proptest::prelude::*;
use tokio::runtime::Handle;

const NAMES: [&str; 5] = ["stop", "wait.a", "wait.b", "go", "other"];
const KEYS: [Option<u32>; 3] = [None, Some(1), Some(2)];
const MAX_AGE: u64 = 20;

#[derive(Clone, Debug)]
enum Step {
    Raise(usize, usize),
    Retract(usize, usize),
    Hold(usize, usize),
    Release,
    Clear,
    Advance(u64),
    /// Somebody comes with a key, or without one.
    Arrive(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let at = (0..NAMES.len(), 0..KEYS.len());
    prop_oneof![
        4 => at.clone().prop_map(|(name, key)| Step::Raise(name, key)),
        2 => at.clone().prop_map(|(name, key)| Step::Retract(name, key)),
        2 => at.prop_map(|(name, key)| Step::Hold(name, key)),
        2 => Just(Step::Release),
        1 => Just(Step::Clear),
        3 => (1..12_u64).prop_map(Step::Advance),
        5 => (0..KEYS.len()).prop_map(Step::Arrive),
    ]
}

/// One name under one key.
#[derive(Clone, Default)]
struct Topic {
    is_raised: bool,
    raised_at: u64,
    holds: usize,
    newest: u64,
    /// Of raises alone: what is the newest again when the last hold is gone.
    newest_raise: u64,
}

/// What is raised, by looking at all of it each time.
struct Model {
    now: u64,
    number: u64,
    keyed: bool,
    bound: Option<(u64, bool)>,
    topics: [[Topic; KEYS.len()]; NAMES.len()],
    /// Who waits: key, and since when.
    waiting: Vec<(Option<u32>, u64)>,
    passed: u64,
    cancelled: u64,
    overdue: u64,
}

impl Model {
    fn verdict(&self, of: Option<u32>) -> Verdict {
        let (mut stops, mut waits, mut goes) = (false, 0, 0);
        for (name, by_key) in NAMES.iter().zip(&self.topics) {
            for (key, topic) in KEYS.iter().zip(by_key) {
                let concerns = key.is_none() || !self.keyed || *key == of;
                if concerns && (topic.is_raised || topic.holds > 0) {
                    match *name {
                        "stop" => stops = true,
                        "wait.a" | "wait.b" => waits = waits.max(topic.newest),
                        "go" => goes = goes.max(topic.newest),
                        _ => {}
                    }
                }
            }
        }
        match (stops, waits > goes) {
            (true, _) => Verdict::Cancelled,
            (false, true) => Verdict::Deferred,
            (false, false) => Verdict::Open,
        }
    }

    /// Ages, and lets everybody go on who may.
    fn settle(&mut self) {
        for topic in self.topics.iter_mut().flatten() {
            topic.is_raised &= self.now - topic.raised_at < MAX_AGE;
        }
        let waiting = std::mem::take(&mut self.waiting);
        for (key, since) in waiting {
            let is_due = self.bound.filter(|(wait, _)| since + wait <= self.now);
            match (self.verdict(key), is_due) {
                (Verdict::Open, _) | (Verdict::Deferred, Some((_, true))) => self.passed += 1,
                (Verdict::Cancelled, _) => self.cancelled += 1,
                (Verdict::Deferred, Some((_, false))) => self.overdue += 1,
                (Verdict::Deferred, None) => self.waiting.push((key, since)),
            }
        }
    }

    fn raise(&mut self, name: usize, key: usize) -> &mut Topic {
        self.number += 1;
        let topic = &mut self.topics[name][key];
        topic.newest = self.number;
        topic
    }
}

fn draft(name: usize, key: Option<&str>) -> Draft<'_> {
    let draft = Draft::from(NAMES[name]);
    key.map_or(draft, |key| draft.key(key))
}

/// The gate, and a coordinator with the same rules: who waits at the one is queued at the other.
struct Real {
    signals: SignalSink,
    gate: Gate,
    work: KeyedCoordinator<u32, u32>,
    holds: Vec<(usize, usize, Hold)>,
    refusals: Arc<Mutex<Vec<Refused>>>,
}

impl Real {
    fn new(bound: Option<(u64, bool)>) -> Self {
        let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(MAX_AGE)));
        let mut options = GateOptions::new().cancel_on("stop").defer_on("wait.*").resume_on("go").keyed(true);
        let mut same = CoordinatorOptions::new().max_concurrency(1_000).max_concurrency_per_key(1_000);
        same = same.cancel_on("stop").defer_on("wait.*").resume_on("go");
        if let Some((wait, passes)) = bound {
            let wait = Duration::from_secs(wait);
            let (then, run) =
                if passes { (AfterDeferral::Pass, After::Run) } else { (AfterDeferral::Refuse, After::Skip) };
            options = options.max_deferral(wait, then);
            same = same.max_deferral(wait, run);
        }
        let work = KeyedCoordinator::spawn(same, &signals, |key: &u32| *key, |_, _| async {});
        let gate = Gate::new(options, &signals);
        Self { signals, gate, work, holds: Vec::new(), refusals: Arc::default() }
    }

    async fn arrive(&self, key: Option<u32>) {
        let (gate, refusals) = (self.gate.clone(), Arc::clone(&self.refusals));
        // A key that no signal names stands for none in the keyed coordinator.
        self.work.enqueue(key.unwrap_or(0)).await.unwrap();
        Handle::current().spawn(async move {
            let result = match key {
                Some(key) => gate.pass_key(key).await,
                None => gate.pass().await,
            };
            if let Err(refused) = result {
                refusals.lock().unwrap().push(refused);
            }
        });
    }

    fn check(&self, model: &Model) -> Result<(), TestCaseError> {
        let (stats, work) = (self.gate.stats(), self.work.stats());
        let refusals = self.refusals.lock().unwrap();
        let cancelled = refusals.iter().filter(|refused| **refused == Refused::Cancelled(())).count() as u64;
        let found = (stats.passed, cancelled, refusals.len() as u64 - cancelled, stats.deferred);
        prop_assert_eq!(
            found,
            (model.passed, model.cancelled, model.overdue, model.waiting.len()),
            "passed, cancelled, overdue, waiting"
        );
        prop_assert_eq!(stats.refused, model.cancelled + model.overdue);
        let coordinators = (work.completed, work.skipped, work.pending);
        prop_assert_eq!(
            coordinators,
            (stats.passed, stats.refused, stats.deferred as u64),
            "as a coordinator"
        );
        for key in KEYS {
            let verdict = key.map_or_else(|| self.gate.check(), |key| self.gate.check_key(key));
            // Nobody may be deferred at all where the bound is zero.
            let expected = match (model.verdict(key), model.bound) {
                (Verdict::Deferred, Some((0, true))) => Verdict::Open,
                (Verdict::Deferred, Some((0, false))) => Verdict::Cancelled,
                (verdict, _) => verdict,
            };
            prop_assert_eq!(verdict, expected);
        }
        Ok(())
    }
}

async fn play(bound: Option<(u64, bool)>, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut real = Real::new(bound);
    let mut model = Model {
        now: 0,
        number: 0,
        keyed: true,
        bound,
        topics: Default::default(),
        waiting: Vec::new(),
        passed: 0,
        cancelled: 0,
        overdue: 0,
    };
    for step in steps {
        let text = |key: usize| KEYS[key].map(|key: u32| key.to_string());
        match step {
            Step::Raise(name, key) => {
                real.signals.raise(draft(name, text(key).as_deref()));
                let now = model.now;
                let topic = model.raise(name, key);
                (topic.is_raised, topic.raised_at, topic.newest_raise) = (true, now, topic.newest);
            }
            Step::Retract(name, key) => {
                real.signals.retract(draft(name, text(key).as_deref()));
                model.topics[name][key].is_raised = false;
            }
            Step::Hold(name, key) => {
                let hold = real.signals.hold(draft(name, text(key).as_deref()));
                real.holds.push((name, key, hold));
                model.raise(name, key).holds += 1;
            }
            Step::Release => {
                if let Some((name, key, _)) = real.holds.pop() {
                    let topic = &mut model.topics[name][key];
                    topic.holds -= 1;
                    if topic.holds == 0 {
                        topic.newest = topic.newest_raise;
                    }
                }
            }
            Step::Clear => {
                real.signals.clear();
                model.topics.iter_mut().flatten().for_each(|topic| topic.is_raised = false);
            }
            Step::Advance(seconds) => {
                for _ in 0..seconds {
                    model.now += 1;
                    model.settle();
                    tokio::time::advance(Duration::from_secs(1)).await;
                    settle().await;
                }
            }
            Step::Arrive(key) => {
                model.waiting.push((KEYS[key], model.now));
                real.arrive(KEYS[key]).await;
            }
        }
        model.settle();
        settle().await;
        real.check(&model)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_gate_does_what_the_signals_say_and_what_a_coordinator_does(
        bound in prop::option::of((0..15_u64, any::<bool>())),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        dayfly_testing::paused(play(bound, steps))?;
    }
}
