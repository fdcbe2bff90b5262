//! The sink against a naive model that keeps every event and looks at all of them.

use std::time::Duration;

use dayfly_signal::{Hold, OperationId, SignalOptions, SignalSink, SignalSource, Subscription};
use proptest::prelude::*;

const MAX_AGE: u64 = 20;
const CAPACITY: usize = 12;
const MAX_RAISED: usize = 2;
/// One window that ends before events age out, and one that does not.
const WINDOWS: [u64; 2] = [7, 30];
const MAILBOX: usize = 4;
const NAMES: [&str; 3] = ["a.x", "a.y", "b"];

#[derive(Clone, Debug)]
enum Step {
    Raise {
        name: usize,
        operation: usize,
    },
    RetractOwn {
        name: usize,
        operation: usize,
    },
    Retract {
        name: usize,
    },
    ClearName {
        name: usize,
    },
    ClearAll,
    ClearOperation {
        operation: usize,
    },
    /// The source speaks for another operation from now on.
    Renew {
        operation: usize,
    },
    Hold {
        name: usize,
    },
    Release,
    SetMaxAge {
        seconds: u64,
    },
    SetCapacity {
        events: usize,
    },
    /// A subscriber takes so much of what waits for it.
    Receive {
        most: usize,
    },
    Advance {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (name, operation) = (0..NAMES.len(), 0..2_usize);
    prop_oneof![
        4 => (name.clone(), operation.clone()).prop_map(|(name, operation)| Step::Raise { name, operation }),
        2 => (name.clone(), operation.clone()).prop_map(|(name, operation)| Step::RetractOwn { name, operation }),
        1 => name.clone().prop_map(|name| Step::Retract { name }),
        1 => name.clone().prop_map(|name| Step::ClearName { name }),
        1 => Just(Step::ClearAll),
        1 => operation.clone().prop_map(|operation| Step::ClearOperation { operation }),
        1 => operation.prop_map(|operation| Step::Renew { operation }),
        1 => name.prop_map(|name| Step::Hold { name }),
        1 => Just(Step::Release),
        1 => (1..30_u64).prop_map(|seconds| Step::SetMaxAge { seconds }),
        1 => (0..16_usize).prop_map(|events| Step::SetCapacity { events }),
        1 => (0..6_usize).prop_map(|most| Step::Receive { most }),
        3 => (0..9_u64).prop_map(|seconds| Step::Advance { seconds }),
    ]
}

/// Name (none for the sink's own), operation, time, and whether it is a raise.
type Event = (Option<usize>, Option<u64>, u64, bool);

/// Every raise of the run with what has become of it, and the events as the history should show them.
struct Model {
    now: u64,
    max_age: u64,
    capacity: usize,
    /// Whom the sources speak for.
    operations: [u64; 2],
    /// Per name: the raises that count, as the operation that added each, the newest one's time, and its number.
    counts: [(Vec<u64>, u64, u64); 3],
    holds: Vec<usize>,
    events: Vec<Event>,
    /// How many events there were of the three names.
    shown: u64,
    numbers: u64,
}

impl Model {
    fn new() -> Self {
        Self {
            now: 0,
            max_age: MAX_AGE,
            capacity: CAPACITY,
            operations: [1, 2],
            counts: Default::default(),
            holds: Vec::new(),
            events: Vec::new(),
            shown: 0,
            numbers: 2,
        }
    }

    fn age(&mut self) {
        let (now, max_age) = (self.now, self.max_age);
        for (raises, newest, _) in &mut self.counts {
            if now - *newest >= max_age {
                raises.clear();
            }
        }
        self.events.retain(|event| now - event.2 < max_age);
        let excess = self.events.len().saturating_sub(self.capacity);
        self.events.drain(..excess);
    }

    fn event(&mut self, name: Option<usize>, operation: Option<u64>, is_raise: bool) {
        self.shown += u64::from(name.is_some());
        self.events.push((name, operation, self.now, is_raise));
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn raise(&mut self, name: usize, operation: u64) {
        let number = self.number();
        let count = &mut self.counts[name];
        count.0.push(operation);
        (count.1, count.2) = (self.now, number);
        self.event(Some(name), Some(operation), true);
        let raised = || self.counts.iter().filter(|count| !count.0.is_empty());
        if raised().count() > MAX_RAISED {
            let oldest = raised().map(|count| count.2).min();
            self.counts.iter_mut().filter(|count| Some(count.2) == oldest).for_each(|count| count.0.clear());
        }
    }

    fn apply(&mut self, step: &Step) {
        self.age();
        match *step {
            Step::Advance { seconds } => self.now += seconds,
            Step::Raise { name, operation } => self.raise(name, self.operations[operation]),
            Step::RetractOwn { name, operation } => {
                let operation = self.operations[operation];
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
            Step::ClearAll => {
                let lowered = self.counts.iter().any(|count| !count.0.is_empty());
                self.counts.iter_mut().for_each(|count| count.0.clear());
                self.clear(lowered, |_| true);
            }
            Step::ClearOperation { operation } => {
                let operation = self.operations[operation];
                let mut lowered = false;
                for (raises, ..) in &mut self.counts {
                    let before = raises.len();
                    raises.retain(|&by| by != operation);
                    lowered |= raises.len() < before;
                }
                self.clear(lowered, |event| event.1 == Some(operation));
            }
            Step::Renew { operation } => self.operations[operation] = self.number(),
            Step::Hold { name } => {
                self.holds.push(name);
                self.event(Some(name), None, true);
            }
            Step::Release => {
                if let Some(name) = self.holds.pop() {
                    self.event(Some(name), None, false);
                }
            }
            Step::SetMaxAge { seconds } => self.max_age = seconds,
            Step::SetCapacity { events } => self.capacity = events.max(1),
            Step::Receive { .. } => {}
        }
        self.age();
    }

    fn clear(&mut self, lowered: bool, goes: impl Fn(&Event) -> bool) {
        let before = self.events.len();
        self.events.retain(|event| !goes(event));
        if lowered || self.events.len() < before {
            self.event(None, None, true);
        }
    }

    fn is_raised(&self, name: usize) -> bool {
        !self.counts[name].0.is_empty() || self.holds.contains(&name)
    }

    fn count(&self, name: usize, within: u64) -> usize {
        let within = |event: &&Event| event.3 && self.now - event.2 < within;
        self.events.iter().filter(|event| event.0 == Some(name)).filter(within).count()
    }
}

/// A subscriber, and how many events it has had or been told that it lost.
struct Reader {
    events: Subscription,
    accounted: u64,
    newest: u64,
}

impl Reader {
    fn receive(&mut self, most: usize) -> Result<(), TestCaseError> {
        for _ in 0..most {
            match self.events.try_recv() {
                Ok(None) => break,
                Ok(Some(event)) => {
                    prop_assert!(event.id().get() > self.newest);
                    self.newest = event.id().get();
                    self.accounted += 1;
                }
                Err(lagged) => self.accounted += lagged.0,
            }
        }
        Ok(())
    }
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let options = SignalOptions::new()
            .capacity(CAPACITY)
            .max_age(Duration::from_secs(MAX_AGE))
            .max_raised(MAX_RAISED)
            .subscription_capacity(MAILBOX);
        let signals = SignalSink::new(options);
        let operation = |number| OperationId::from_u64(number).unwrap();
        let mut model = Model::new();
        let mut sources = model.operations.map(|number| signals.source(operation(number)));
        let mut holds: Vec<Hold> = Vec::new();
        let windows = WINDOWS.map(Duration::from_secs);
        let counters = NAMES.map(|name| windows.map(|window| signals.counter(name, window)));
        let mut reader = Reader { events: signals.subscribe("a.*, b"), accounted: 0, newest: 0 };
        for step in steps {
            model.apply(step);
            take(&signals, &mut sources, &mut holds, step);
            match *step {
                Step::Renew { operation: source } => {
                    sources[source].renew(operation(model.operations[source]));
                }
                Step::Receive { most } => reader.receive(most)?,
                Step::Advance { seconds } => tokio::time::advance(Duration::from_secs(seconds)).await,
                _ => {}
            }
            for (name, text) in NAMES.into_iter().enumerate() {
                prop_assert_eq!(signals.is_raised(text), model.is_raised(name), "{}", text);
                for (at, within) in windows.into_iter().enumerate() {
                    prop_assert_eq!(counters[name][at].count(), model.count(name, WINDOWS[at]), "{}", text);
                    prop_assert_eq!(signals.count(text, within), model.count(name, WINDOWS[at]), "{}", text);
                }
            }
            prop_assert_eq!(signals.len(), model.events.len());
        }
        reader.receive(usize::MAX)?;
        prop_assert_eq!(reader.accounted, model.shown, "what was not received was lost and told");
        Ok(())
    })
}

fn take(signals: &SignalSink, sources: &mut [SignalSource; 2], holds: &mut Vec<Hold>, step: &Step) {
    match *step {
        Step::Raise { name, operation } => drop(sources[operation].raise_event(NAMES[name])),
        Step::RetractOwn { name, operation } => _ = sources[operation].retract(NAMES[name]),
        Step::Retract { name } => _ = signals.retract(NAMES[name]),
        Step::ClearName { name } => _ = signals.clear_matching(NAMES[name]),
        Step::ClearAll => _ = signals.clear(),
        Step::ClearOperation { operation } => _ = signals.clear_operation(sources[operation].operation()),
        Step::Hold { name } => holds.push(signals.hold(NAMES[name])),
        Step::Release => drop(holds.pop()),
        Step::SetMaxAge { seconds } => signals.set_max_age(Duration::from_secs(seconds)),
        Step::SetCapacity { events } => signals.set_capacity(events),
        Step::Renew { .. } | Step::Receive { .. } | Step::Advance { .. } => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_naive_model(steps in prop::collection::vec(step(), 1..80)) {
        run(&steps)?;
    }
}
