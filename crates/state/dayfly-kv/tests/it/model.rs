//! The store in memory is a sorted map with deadlines.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use dayfly_kv::{Bytes, Clock, DeleteError, Etag, Key, Precondition, Prefix, PutError, PutOptions, Scan};
use proptest::prelude::*;

use crate::support::{key, on_a_manual_clock};

/// What there is, as naively as it can be kept: everything that was ever put and not removed.
#[derive(Debug, Default)]
struct Model(BTreeMap<String, (Bytes, Etag, Option<SystemTime>)>);

#[derive(Clone, Copy, Debug)]
enum Condition {
    Any,
    Absent,
    Present,
    Current,
    /// The etag of the `n`-th write of all.
    Former(usize),
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, Condition, Option<u64>),
    Delete(usize, Condition),
    Get(usize),
    Scan(usize, Option<usize>, usize, bool),
    Advance(u64),
    Sweep,
    Clear,
}

const NAMES: [&str; 6] = ["a", "a/1", "a/2", "b", "ab", "\u{e9}"];
const PREFIXES: [&str; 4] = ["", "a", "a/", "z"];

impl Model {
    fn live(&self, name: &str, now: SystemTime) -> Option<&(Bytes, Etag, Option<SystemTime>)> {
        self.0.get(name).filter(|(_, _, deadline)| deadline.is_none_or(|deadline| now <= deadline))
    }

    fn allows(&self, name: &str, precondition: &Precondition, now: SystemTime) -> bool {
        let current = self.live(name, now).map(|entry| &entry.1);
        match precondition {
            Precondition::Any => true,
            Precondition::Absent => current.is_none(),
            Precondition::Present => current.is_some(),
            Precondition::Matches(etag) => current == Some(etag),
        }
    }
}

fn conditions() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => Just(Condition::Any),
        1 => Just(Condition::Absent),
        1 => Just(Condition::Present),
        2 => Just(Condition::Current),
        1 => (0..64_usize).prop_map(Condition::Former),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    prop_oneof![
        6 => (name(), conditions(), prop::option::of(0..20_u64)).prop_map(|(n, c, t)| Step::Put(n, c, t)),
        3 => (name(), conditions()).prop_map(|(n, c)| Step::Delete(n, c)),
        3 => name().prop_map(Step::Get),
        2 => (0..PREFIXES.len(), prop::option::of(name()), 1..4_usize, any::<bool>()).prop_map(|(p, a, l, r)| Step::Scan(p, a, l, r)),
        2 => (0..12_u64).prop_map(Step::Advance),
        1 => Just(Step::Sweep),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_sorted_map(steps in prop::collection::vec(steps(), 0..60)) {
        let (store, clock) = on_a_manual_clock();
        let (mut model, mut etags) = (Model::default(), Vec::<Etag>::new());
        for step in steps {
            let now = clock.now();
            let meant = |model: &Model, condition: Condition, name: &str| match condition {
                Condition::Any => Precondition::Any,
                Condition::Absent => Precondition::Absent,
                Condition::Present => Precondition::Present,
                Condition::Current => {
                    let current = model.0.get(name).map(|entry| entry.1.clone());
                    Precondition::Matches(current.unwrap_or_else(|| Etag::new("none")))
                }
                Condition::Former(number) => {
                    Precondition::Matches(etags.get(number).cloned().unwrap_or_else(|| Etag::new("none")))
                }
            };
            match step {
                Step::Put(name, condition, seconds) => {
                    let name = NAMES[name];
                    let precondition = meant(&model, condition, name);
                    let mut options = PutOptions::new().precondition(precondition.clone());
                    options.time_to_live = seconds.map(Duration::from_secs);
                    let value = Bytes::from(etags.len().to_string());
                    let allowed = model.allows(name, &precondition, now);
                    match store.put_now(&key(name), value.clone(), &options) {
                        Ok(etag) => {
                            prop_assert!(allowed && !etags.contains(&etag));
                            etags.push(etag.clone());
                            let deadline = seconds.map(|seconds| now + Duration::from_secs(seconds));
                            model.0.insert(name.to_owned(), (value, etag, deadline));
                        }
                        Err(PutError::Conflict(conflict)) => {
                            prop_assert!(!allowed);
                            prop_assert_eq!(conflict.current.as_ref(), model.live(name, now).map(|entry| &entry.1));
                        }
                        Err(error) => prop_assert!(false, "{:?}", error),
                    }
                }
                Step::Delete(name, condition) => {
                    let name = NAMES[name];
                    let precondition = meant(&model, condition, name);
                    let (allowed, live) = (model.allows(name, &precondition, now), model.live(name, now).cloned());
                    match store.delete_now(&key(name), &precondition) {
                        Ok(deleted) => {
                            prop_assert!(allowed);
                            prop_assert_eq!(deleted, live.is_some());
                            model.0.remove(name);
                        }
                        Err(DeleteError::Conflict(conflict)) => {
                            prop_assert!(!allowed);
                            prop_assert_eq!(conflict.current, live.map(|entry| entry.1));
                        }
                        Err(error) => prop_assert!(false, "{:?}", error),
                    }
                }
                Step::Get(name) => {
                    let found = store.get_now(&key(NAMES[name])).map(|entry| (entry.value, entry.etag));
                    let wanted = model.live(NAMES[name], now).map(|entry| (entry.0.clone(), entry.1.clone()));
                    prop_assert_eq!(found, wanted);
                }
                Step::Scan(prefix, after, limit, reverse) => {
                    let (prefix, after) = (PREFIXES[prefix], after.map(|after| NAMES[after]));
                    let mut scan = Scan::new(Prefix::new(prefix).unwrap()).after(after.map(key)).limit(limit);
                    scan.reverse = reverse;
                    let page = store.scan_now(&scan);
                    let is_after = |name: &str| {
                        after.is_none_or(|after| if reverse { name < after } else { name > after })
                    };
                    let mut wanted: Vec<&str> = model.0.keys().map(String::as_str)
                        .filter(|name| name.starts_with(prefix) && is_after(name))
                        .filter(|name| model.live(name, now).is_some())
                        .collect();
                    if reverse {
                        wanted.reverse();
                    }
                    let found: Vec<&str> = page.entries.iter().map(|(key, _)| key.as_str()).collect();
                    prop_assert_eq!(&found[..], &wanted[..wanted.len().min(limit)]);
                    let next = (wanted.len() > limit).then(|| wanted[limit - 1]);
                    prop_assert_eq!(page.next.as_ref().map(Key::as_str), next);
                }
                Step::Advance(seconds) => clock.advance(Duration::from_secs(seconds)),
                Step::Sweep => {
                    let before = model.0.len();
                    model.0.retain(|_, (_, _, deadline)| deadline.is_none_or(|deadline| now <= deadline));
                    prop_assert_eq!(store.sweep_now(), (before - model.0.len()) as u64);
                }
                Step::Clear => {
                    let live = model.0.keys().filter(|name| model.live(name, now).is_some()).count();
                    prop_assert_eq!(store.clear_now(), live as u64);
                    model.0.clear();
                }
            }
        }
    }
}
