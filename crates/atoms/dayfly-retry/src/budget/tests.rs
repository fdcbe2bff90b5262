//! The budget's two purses against the plainest bookkeeping, and under threads.

use std::collections::VecDeque;
use std::sync::atomic::AtomicU32;
use std::thread;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Call,
    Retry,
    PutBack,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Call),
        4 => Just(Step::Retry),
        1 => Just(Step::PutBack),
        2 => (0_u64..3_000_000_000).prop_map(Step::Wait),
        1 => Just(Step::Wait(10_000_000_000)),
    ];
    proptest::collection::vec(step, 0..300)
}

proptest! {
    #[test]
    fn savings_are_what_was_earned_and_not_spent(steps in steps(), share in 0_u64..2_500_000, burst in 1_u64..20) {
        let (savings, most) = (Savings::default(), burst * WHOLE);
        let mut saved: u64 = 0;
        let mut spent: u64 = 0;
        for step in steps {
            match step {
                Step::Call => {
                    savings.add(share, most);
                    saved = (saved + share).min(most);
                }
                Step::Retry => {
                    let is_there = saved >= WHOLE;
                    prop_assert_eq!(savings.take(most), is_there);
                    saved -= if is_there { WHOLE } else { 0 };
                    spent += u64::from(is_there);
                }
                Step::PutBack if spent > 0 => {
                    savings.add(WHOLE, most);
                    (saved, spent) = ((saved + WHOLE).min(most), spent - 1);
                }
                Step::PutBack | Step::Wait(_) => {}
            }
            prop_assert_eq!(savings.get(most), saved);
        }
    }

    /// In no stretch of time more than the rate allows, plus one second's worth; and never refused while the last second
    /// has seen fewer.
    #[test]
    fn the_minimum_is_kept_in_every_stretch(steps in steps(), per_second in 1_u64..9) {
        let minimum = Minimum::default();
        let (mut now, mut taken) = (0_u64, VecDeque::<u64>::new());
        for step in steps {
            match step {
                Step::Call => {}
                Step::Wait(nanos) => now += nanos,
                Step::PutBack => {
                    if let Some(at) = taken.pop_back() {
                        // What was taken longer ago has come back by itself.
                        prop_assert!(at <= now);
                        minimum.put_back(per_second);
                    }
                }
                Step::Retry => {
                    let left = minimum.left(now, per_second);
                    let was_taken = minimum.take(now, per_second);
                    prop_assert_eq!(was_taken, left > 0);
                    let last_second = taken.iter().filter(|at| now - **at < 1_000_000_000).count() as u64;
                    prop_assert!(was_taken || last_second > 0);
                    if was_taken {
                        taken.push_back(now);
                        prop_assert_eq!(minimum.left(now, per_second), left - 1);
                    }
                    for (index, from) in taken.iter().enumerate() {
                        let count = (taken.len() - index) as u128;
                        let nanos = u128::from(now - from);
                        let allowed = u128::from(per_second) * (nanos + 1_000_000_000);
                        prop_assert!(count * 1_000_000_000 <= allowed, "{count} in {nanos} ns");
                    }
                }
            }
        }
    }
}

#[test]
fn a_second_has_exactly_its_minimum_and_earns_it_evenly() {
    let minimum = Minimum::default();
    let taken = |now| (0..100).filter(|_| minimum.take(now, 10)).count();
    assert_eq!(taken(0), 10);
    assert_eq!(taken(99_999_999), 0);
    assert_eq!(taken(100_000_000), 1);
    assert_eq!(taken(1_000_000_000), 9);
    assert_eq!(taken(3_600_000_000_000), 10, "an idle hour saves one second's worth");
    assert_eq!(taken(u64::MAX), 0, "the end of the clock is no panic");
}

#[test]
fn a_rate_that_does_not_divide_a_second_is_rounded_down() {
    let minimum = Minimum::default();
    assert!((0..3).all(|_| minimum.take(0, 3)));
    assert!(!minimum.take(333_333_333, 3));
    assert!(minimum.take(333_333_334, 3));
}

#[test]
fn no_rate_means_none_ever() {
    let minimum = Minimum::default();
    assert!(!minimum.take(5_000_000_000, 0));
    minimum.put_back(0);
    assert_eq!(minimum.left(5_000_000_000, 0), 0);
}

#[test]
fn threads_together_spend_what_they_earned_and_not_one_more() {
    const CALLS: u32 = 20_000;
    let options = RetryBudgetOptions::new().share(0.25).min_per_second(0).burst(1_000_000);
    let budget = RetryBudget::new(options);
    let spent = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..CALLS {
                    budget.deposit();
                    spent.fetch_add(u32::from(budget.withdraw()), Ordering::Relaxed);
                }
            });
        }
    });
    while budget.withdraw() {
        spent.fetch_add(1, Ordering::Relaxed);
    }
    assert_eq!(spent.load(Ordering::Relaxed), CALLS);
}

#[test]
fn a_third_is_never_rounded_up() {
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(1.0 / 3.0).min_per_second(0));
    for _ in 0..3 {
        budget.deposit();
    }
    assert!(!budget.withdraw());
    budget.deposit();
    assert!(budget.withdraw());
}
