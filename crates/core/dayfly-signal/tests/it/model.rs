//! The sink against a naive model that keeps every event and looks at all of them.

use std::time::Duration;

use dayfly_signal::{OperationId, SignalOptions, SignalSink, SignalSource};
use proptest::prelude::*;

const MAX_AGE: u64 = 20;
const CAPACITY: usize = 12;
const WINDOW: u64 = 7;
const NAMES: [&str; 3] = ["a.x", "a.y", "b"];

#[derive(Clone, Debug)]
enum Step {
    Raise { name: usize, operation: usize },
    RetractOwn { name: usize, operation: usize },
    Retract { name: usize },
    ClearName { name: usize },
    ClearOperation { operation: usize },
    Advance { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (name, operation) = (0..NAMES.len(), 0..2_usize);
    prop_oneof![
        4 => (name.clone(), operation.clone()).prop_map(|(name, operation)| Step::Raise { name, operation }),
        2 => (name.clone(), operation.clone()).prop_map(|(name, operation)| Step::RetractOwn { name, operation }),
        1 => name.clone().prop_map(|name| Step::Retract { name }),
        1 => name.prop_map(|name| Step::ClearName { name }),
        1 => operation.prop_map(|operation| Step::ClearOperation { operation }),
        3 => (0..9_u64).prop_map(|seconds| Step::Advance { seconds }),
    ]
}

/// Every raise of the run with what has become of it, and the events as the history should show them.
#[derive(Default)]
struct Model {
    now: u64,
    /// Per name: the raises that count, as the operation that added each, and the newest one's time.
    counts: [(Vec<usize>, u64); 3],
    /// Name (none for the sink's own), operation, time, and whether it is a raise.
    events: Vec<(Option<usize>, Option<usize>, u64, bool)>,
}

impl Model {
    fn age(&mut self) {
        let (now, counts, events) = (self.now, &mut self.counts, &mut self.events);
        for (raises, newest) in counts {
            if now - *newest >= MAX_AGE {
                raises.clear();
            }
        }
        events.retain(|event| now - event.2 < MAX_AGE);
        let excess = events.len().saturating_sub(CAPACITY);
        events.drain(..excess);
    }

    fn event(&mut self, name: Option<usize>, operation: Option<usize>, is_raise: bool) {
        self.events.push((name, operation, self.now, is_raise));
    }

    fn apply(&mut self, step: &Step) {
        self.age();
        match *step {
            Step::Advance { seconds } => self.now += seconds,
            Step::Raise { name, operation } => {
                self.counts[name].0.push(operation);
                self.counts[name].1 = self.now;
                self.event(Some(name), Some(operation), true);
            }
            Step::RetractOwn { name, operation } => {
                let raises = &mut self.counts[name].0;
                if let Some(at) = raises.iter().position(|&by| by == operation) {
                    raises.remove(at);
                    self.event(Some(name), Some(operation), false);
                }
            }
            Step::Retract { name } => {
                if !std::mem::take(&mut self.counts[name].0).is_empty() {
                    self.event(Some(name), None, false);
                }
            }
            Step::ClearName { name } => {
                let lowered = !std::mem::take(&mut self.counts[name].0).is_empty();
                self.clear(lowered, |event| event.0 == Some(name));
            }
            Step::ClearOperation { operation } => {
                let mut lowered = false;
                for (raises, _) in &mut self.counts {
                    let before = raises.len();
                    raises.retain(|&by| by != operation);
                    lowered |= raises.len() < before;
                }
                self.clear(lowered, |event| event.1 == Some(operation));
            }
        }
        self.age();
    }

    fn clear(&mut self, lowered: bool, goes: impl Fn(&(Option<usize>, Option<usize>, u64, bool)) -> bool) {
        let before = self.events.len();
        self.events.retain(|event| !goes(event));
        if lowered || self.events.len() < before {
            self.event(None, None, true);
        }
    }

    fn count(&self, name: usize) -> usize {
        let within = |event: &&(_, _, u64, bool)| event.3 && self.now - event.2 < WINDOW;
        self.events.iter().filter(|event| event.0 == Some(name)).filter(within).count()
    }
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let options = SignalOptions::new().capacity(CAPACITY).max_age(Duration::from_secs(MAX_AGE));
        let signals = SignalSink::new(options);
        let sources: Vec<SignalSource> = (0..2).map(|_| signals.source(OperationId::next())).collect();
        let window = Duration::from_secs(WINDOW);
        let counters = NAMES.map(|name| signals.counter(name, window));
        let mut model = Model::default();
        for step in steps {
            match *step {
                Step::Raise { name, operation } => {
                    sources[operation].raise(NAMES[name]);
                }
                Step::RetractOwn { name, operation } => {
                    sources[operation].retract(NAMES[name]);
                }
                Step::Retract { name } => {
                    signals.retract(NAMES[name]);
                }
                Step::ClearName { name } => {
                    signals.clear_matching(NAMES[name]);
                }
                Step::ClearOperation { operation } => {
                    signals.clear_operation(sources[operation].operation());
                }
                Step::Advance { seconds } => tokio::time::advance(Duration::from_secs(seconds)).await,
            }
            model.apply(step);
            for (name, text) in NAMES.into_iter().enumerate() {
                prop_assert_eq!(signals.is_raised(text), !model.counts[name].0.is_empty(), "{}", text);
                prop_assert_eq!(signals.count(text, window), model.count(name));
                prop_assert_eq!(counters[name].count(), model.count(name));
            }
            prop_assert_eq!(signals.len(), model.events.len());
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_naive_model(steps in prop::collection::vec(step(), 1..80)) {
        run(&steps)?;
    }
}
