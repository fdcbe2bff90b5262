//! The series of all breakers of one name.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use metrics::{Key, KeyName, Label, Unit};

use super::{Call, METADATA, tell};
use crate::machine::BreakerState;

// The names are binding: dashboards are built on them.
const CALLS: &str = "dayfly.circuit_breaker.calls";
const STATE: &str = "dayfly.circuit_breaker.state";
const TRANSITIONS: &str = "dayfly.circuit_breaker.transitions";

const OUTCOMES: [&str; 4] = ["succeeded", "failed", "ignored", "refused"];

const STATES: [BreakerState; 5] = [
    BreakerState::Closed,
    BreakerState::Open,
    BreakerState::HalfOpen,
    BreakerState::ForcedOpen,
    BreakerState::ForcedClosed,
];

/// The families that have a breaker.
static FAMILIES: LazyLock<Mutex<HashMap<Arc<str>, Weak<Family>>>> = LazyLock::new(Mutex::default);

/// All breakers of one name. Its series are made once, so a call costs the recorder's look-up and nothing of ours.
pub(super) struct Family {
    name: Arc<str>,
    calls: [Key; OUTCOMES.len()],
    states: [Places; STATES.len()],
}

/// Those that are in one state.
struct Places {
    key: Key,
    taken: AtomicU32,
}

impl Family {
    /// The one of this name, which is new where there is none.
    pub(super) fn of(name: &str) -> Arc<Self> {
        let mut families = families();
        if let Some(family) = families.get(name).and_then(Weak::upgrade) {
            return family;
        }
        let family = Arc::new(Self::new(name));
        families.insert(Arc::clone(&family.name), Arc::downgrade(&family));
        drop(families);
        describe();
        family
    }

    fn new(name: &str) -> Self {
        let name: Arc<str> = name.into();
        let key = |figure: &'static str, label: &'static str, value: &'static str| {
            Key::from_parts(figure, vec![breaker(&name), Label::from_static_parts(label, value)])
        };
        let places = |state: BreakerState| Places {
            key: key(STATE, "state", state.as_str()),
            taken: AtomicU32::new(0),
        };
        let calls = OUTCOMES.map(|outcome| key(CALLS, "outcome", outcome));
        let states = STATES.map(places);
        Self { name, calls, states }
    }

    pub(super) fn count(&self, call: Call) {
        let key = &self.calls[call as usize];
        tell(|recorder| recorder.register_counter(key, &METADATA).increment(1));
    }

    /// Changes are rare, so their series are made each time.
    pub(super) fn count_change(&self, from: BreakerState, to: BreakerState) {
        let state =
            |label: &'static str, state: BreakerState| Label::from_static_parts(label, state.as_str());
        let labels = vec![breaker(&self.name), state("from", from), state("to", to)];
        let key = Key::from_parts(TRANSITIONS, labels);
        tell(|recorder| recorder.register_counter(&key, &METADATA).increment(1));
    }

    pub(super) fn enter(&self, state: BreakerState) {
        self.places(state).change(|taken| taken.fetch_add(1, Ordering::AcqRel));
    }

    pub(super) fn leave(&self, state: BreakerState) {
        self.places(state).change(|taken| taken.fetch_sub(1, Ordering::AcqRel));
    }

    fn places(&self, state: BreakerState) -> &Places {
        &self.states[state as usize]
    }
}

impl Places {
    /// Changes how many there are, and tells. Others may do so at the same moment: whoever has told what is not so any more
    /// tells again, so the last to tell tells how it is.
    fn change(&self, change: impl FnOnce(&AtomicU32) -> u32) {
        change(&self.taken);
        let mut now = self.taken.load(Ordering::Acquire);
        loop {
            tell(|recorder| recorder.register_gauge(&self.key, &METADATA).set(f64::from(now)));
            let then = std::mem::replace(&mut now, self.taken.load(Ordering::Acquire));
            if then == now {
                return;
            }
        }
    }
}

/// The last of a name takes it along.
impl Drop for Family {
    fn drop(&mut self) {
        let mut families = families();
        // One that was made meanwhile stays.
        if families.get(&self.name).is_some_and(|family| family.strong_count() == 0) {
            families.remove(&self.name);
        }
    }
}

fn breaker(name: &Arc<str>) -> Label {
    Label::new("breaker", Arc::clone(name))
}

fn describe() {
    tell(|recorder| {
        let count = Some(Unit::Count);
        let name = KeyName::from_const_str;
        recorder.describe_counter(name(CALLS), count, "calls that ended or were refused, by outcome".into());
        recorder.describe_gauge(name(STATE), count, "breakers that are in a state".into());
        recorder.describe_counter(name(TRANSITIONS), count, "changes from one state to another".into());
    });
}

/// Nothing that panics runs under this lock.
fn families() -> MutexGuard<'static, HashMap<Arc<str>, Weak<Family>>> {
    FAMILIES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use dayfly_testing::Figures;
    use metrics::{Counter, Gauge, Histogram, Metadata, Recorder, SharedString, with_local_recorder};

    use super::*;

    /// Between a level that was read and its being told, another breaker comes: once.
    struct Interrupting {
        figures: Figures,
        family: Arc<Family>,
        has_come: AtomicBool,
    }

    impl Recorder for Interrupting {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
            self.figures.register_counter(key, metadata)
        }

        fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
            if !self.has_come.swap(true, Ordering::AcqRel) {
                self.family.enter(BreakerState::Open);
            }
            self.figures.register_gauge(key, metadata)
        }

        fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
            self.figures.register_histogram(key, metadata)
        }
    }

    #[test]
    fn who_has_told_what_is_not_so_any_more_tells_again() {
        let (figures, family) = (Figures::new(), Family::of("told-last"));
        let (has_come, family_of_others) = (AtomicBool::new(false), Arc::clone(&family));
        let recorder = Interrupting { figures: figures.clone(), family: family_of_others, has_come };
        with_local_recorder(&recorder, || family.enter(BreakerState::Open));
        let level = figures.value("dayfly.circuit_breaker.state{breaker=told-last,state=open}");
        assert!((level - 2.0).abs() < f64::EPSILON, "{level}");
    }

    #[test]
    fn a_family_lasts_as_long_as_one_of_it() {
        let one = Family::of("of-two");
        let other = Family::of("of-two");
        assert!(Arc::ptr_eq(&one, &other));
        drop(one);
        assert!(families().contains_key("of-two"));
        drop(other);
        assert!(!families().contains_key("of-two"));
    }

    #[test]
    fn every_state_has_its_place_and_every_outcome_its_name() {
        for (at, state) in STATES.into_iter().enumerate() {
            assert_eq!(state as usize, at);
        }
        let outcome = |call: Call| OUTCOMES[call as usize];
        assert_eq!((outcome(Call::Succeeded), outcome(Call::Failed)), ("succeeded", "failed"));
        assert_eq!((outcome(Call::Ignored), outcome(Call::Refused)), ("ignored", "refused"));
    }
}
