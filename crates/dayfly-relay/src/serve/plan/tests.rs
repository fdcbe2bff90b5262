//! The plan against a queue that has little room: everything is handed in once, each key in its order.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const CAPACITY: usize = 4;
const PER_KEY: usize = 2;

/// A queue with room for a few, and for fewer of each key.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<(u64, String)>,
    taken: Vec<(u64, String)>,
}

impl Queue {
    fn offer(&mut self, seq: u64, key: &str) -> Offered {
        if self.waiting.iter().filter(|(_, waiting)| waiting == key).count() >= PER_KEY {
            return Offered::KeyFull;
        }
        if self.waiting.len() >= CAPACITY {
            return Offered::Full;
        }
        self.waiting.push_back((seq, key.to_owned()));
        self.taken.push((seq, key.to_owned()));
        Offered::Taken
    }

    fn has_room_for(&self, key: &str) -> bool {
        self.waiting.iter().filter(|(_, waiting)| waiting == key).count() < PER_KEY
    }
}

fn walk(plan: &mut Plan, mut walk: Walk, events: &[(u64, String)], queue: &mut Queue) {
    let (from, end) = (plan.start(&walk), plan.next());
    for (seq, key) in events.iter().filter(|(seq, _)| *seq >= from) {
        if walk != Walk::Onward && *seq >= end {
            break;
        }
        if !plan.wants(&walk, *seq, key) {
            plan.passed(&walk, *seq);
            continue;
        }
        let offered = queue.offer(*seq, key);
        if !plan.offered(&mut walk, *seq, key.clone(), offered) {
            return;
        }
    }
    plan.arrived(&walk);
}

proptest! {
    #[test]
    fn everything_is_handed_in_once_and_each_key_in_its_order(
        keys in proptest::collection::vec(0_u8..4, 0..60),
        ends in proptest::collection::vec(any::<prop::sample::Index>(), 300),
        gaps in proptest::collection::vec(1_u64..3, 60),
    ) {
        let mut seq = 0;
        let events: Vec<(u64, String)> = keys.iter().zip(&gaps).map(|(key, gap)| {
            seq += gap;
            (seq, key.to_string())
        }).collect();
        let (mut plan, mut queue) = (Plan::default(), Queue::default());
        // Several end between two looks, so that more than one key has room again.
        for ends in ends.chunks(3) {
            let freed: BTreeSet<String> =
                plan.blocked.keys().filter(|key| queue.has_room_for(key)).cloned().collect();
            if !freed.is_empty() {
                walk(&mut plan, Walk::Again(freed), &events, &mut queue);
            }
            walk(&mut plan, Walk::Onward, &events, &mut queue);
            prop_assert!(plan.blocked.keys().count() <= 4);
            // Something ends, in the order of its key.
            for end in ends {
                if queue.waiting.is_empty() {
                    break;
                }
                let key = queue.waiting[end.index(queue.waiting.len())].1.clone();
                let first = queue.waiting.iter().position(|(_, waiting)| *waiting == key);
                queue.waiting.remove(first.unwrap());
            }
        }
        let of = |events: &[(u64, String)], wanted: &str| -> Vec<u64> {
            events.iter().filter(|(_, key)| key == wanted).map(|(seq, _)| *seq).collect()
        };
        for key in ["0", "1", "2", "3"] {
            prop_assert_eq!(of(&queue.taken, key), of(&events, key));
        }
    }
}

#[test]
fn a_key_without_room_does_not_hold_up_the_others() {
    let events: Vec<(u64, String)> =
        (1..=20).map(|seq| (seq, if seq < 18 { "hot" } else { "cold" }.to_owned())).collect();
    let (mut plan, mut queue) = (Plan::default(), Queue::default());
    walk(&mut plan, Walk::Onward, &events, &mut queue);
    let taken: Vec<u64> = queue.taken.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(taken, [1, 2, 18, 19]);
    assert_eq!((plan.next(), plan.blocked.keys().count()), (21, 2));
}

#[test]
fn too_many_blocked_keys_end_the_walk() {
    let mut plan = Plan::default();
    for seq in 0..MAX_BLOCKED as u64 {
        assert!(plan.may_go_on());
        plan.offered(&mut Walk::Onward, seq, seq.to_string(), Offered::KeyFull);
    }
    assert!(!plan.may_go_on());
    let all: BTreeSet<String> = plan.blocked.keys().cloned().collect();
    plan.arrived(&Walk::Again(all));
    assert!(plan.may_go_on());
}

#[test]
fn a_walk_that_is_cut_short_offers_nothing_twice() {
    let mut plan = Plan::default();
    let name = |key: &str| key.to_owned();
    for (seq, key) in [(1, "a"), (2, "b")] {
        plan.offered(&mut Walk::Onward, seq, name(key), Offered::KeyFull);
    }
    let both = Walk::Again([name("a"), name("b")].into());
    let mut walk = both.clone();
    assert!(plan.offered(&mut walk, 1, name("a"), Offered::Taken));
    assert!(plan.offered(&mut walk, 2, name("b"), Offered::Taken));
    assert!(!plan.offered(&mut walk, 4, name("b"), Offered::Full));
    assert!(!plan.wants(&both, 1, "a") && !plan.wants(&both, 2, "b"));
    assert!(plan.wants(&both, 3, "a") && plan.wants(&both, 4, "b") && plan.start(&both) == 2);
}
