//! What all retriers of one budget may do together.

use std::future::ready;

use dayfly::Reconfigure;
use dayfly_retry::{Backoff, GaveUp, Retry, RetryBudget, RetryBudgetOptions, RetryOptions};
use proptest::prelude::*;
use tokio::time::advance;

use crate::support::{PLAIN, seconds};

const NONE_FOR_FREE: RetryBudgetOptions = RetryBudgetOptions::new().share(0.2).min_per_second(0);

#[tokio::test(start_paused = true)]
async fn an_outage_costs_the_share_and_the_error_says_so() {
    let budget = RetryBudget::new(NONE_FOR_FREE);
    // Two retriers of different errors share it.
    let numbers = Retry::on_every_error(PLAIN.attempts(10)).budget(&budget);
    let texts = Retry::on_every_error(PLAIN.attempts(10)).budget(&budget);
    let mut attempts = 0;
    for _ in 0..50 {
        let number = numbers.call(|_| ready(Err::<(), _>(7))).await.unwrap_err();
        let text = texts.call(|_| ready(Err::<(), _>("down"))).await.unwrap_err();
        assert_eq!((number.why, text.why), (GaveUp::BudgetExhausted, GaveUp::BudgetExhausted));
        assert_eq!((number.error, text.error), (Some(7), Some("down")));
        attempts += number.attempts + text.attempts;
    }
    assert_eq!(attempts, 100 + 20);
}

#[tokio::test(start_paused = true)]
async fn the_minimum_is_there_from_the_start_and_comes_back_second_by_second() {
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(0.0).min_per_second(3));
    assert_eq!(budget.balance(), 3);
    assert!((0..3).all(|_| budget.withdraw()));
    assert!(!budget.withdraw());
    assert_eq!(budget.balance(), 0);
    advance(seconds(1) / 2).await;
    assert_eq!(budget.balance(), 1);
    advance(seconds(3_600)).await;
    assert_eq!(budget.balance(), 3, "an hour saves no more than a second");
}

#[tokio::test(start_paused = true)]
async fn what_is_saved_has_a_bound_and_does_not_age() {
    let budget = RetryBudget::new(NONE_FOR_FREE.share(1.0).burst(5));
    (0..1_000).for_each(|_| budget.deposit());
    assert_eq!(budget.balance(), 5);
    advance(seconds(86_400)).await;
    assert_eq!((0..1_000).filter(|_| budget.withdraw()).count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_other_limits_forbid_costs_nothing() {
    let budget = RetryBudget::new(NONE_FOR_FREE.share(1.0));
    let refused = Retry::new(PLAIN, |_: &&str| false).budget(&budget);
    let late = Retry::on_every_error(PLAIN.total_timeout(seconds(1))).budget(&budget);
    let single = Retry::on_every_error(PLAIN.attempts(1)).budget(&budget);
    for (number, retry) in [refused, late, single].iter().enumerate() {
        assert!(retry.call(|_| ready(Err::<(), _>("down"))).await.is_err());
        assert_eq!(budget.balance(), number as u64 + 1, "it has earned one and spent none");
    }
}

#[tokio::test(start_paused = true)]
async fn it_follows_new_options_without_losing_what_is_saved() {
    let budget = RetryBudget::new(NONE_FOR_FREE.share(1.0).burst(10));
    (0..10).for_each(|_| budget.deposit());
    budget.reconfigure(&NONE_FOR_FREE.share(0.5).burst(4)).unwrap();
    assert_eq!(budget.balance(), 4, "the new burst holds at once");
    assert!((0..4).all(|_| budget.withdraw()) && !budget.withdraw());
    budget.deposit();
    assert_eq!(budget.balance(), 0);
    budget.deposit();
    assert_eq!(budget.balance(), 1);
    budget.reconfigure(&NONE_FOR_FREE.min_per_second(2)).unwrap();
    assert_eq!(budget.clone().balance(), 3);
}

proptest! {
    /// The promise in the docs of the type, over retriers, outages and waits as they come.
    #[test]
    fn retries_never_exceed_the_share_of_calls_the_minimum_and_the_burst(
        share in 0_u32..200,
        minimum in 0_u32..5,
        burst in 1_u32..10,
        calls in proptest::collection::vec((any::<bool>(), 0_u64..3_000), 1..60),
    ) {
        dayfly_testing::paused(async {
            let options = RetryBudgetOptions::new()
                .share(f64::from(share) / 100.0)
                .min_per_second(minimum)
                .burst(burst);
            let budget = RetryBudget::new(options);
            let eager = RetryOptions::new().attempts(20).backoff(Backoff::constant(seconds(0)));
            let retry = Retry::on_every_error(eager).budget(&budget);
            let start = tokio::time::Instant::now();
            let (mut made, mut retries) = (0_u64, 0_u64);
            for (is_up, pause) in calls {
                let ended = retry.call(|_| ready(if is_up { Ok(()) } else { Err(()) })).await;
                made += 1;
                retries += ended.map_or_else(|given_up| u64::from(given_up.attempts) - 1, |()| 0);
                let earned = made * u64::from(share);
                let free = u128::from(minimum) * (start.elapsed().as_millis() + 1_000);
                assert!(
                    u128::from(retries) * 1_000 <= u128::from(earned) * 10 + free,
                    "{retries} retries for {made} calls"
                );
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            }
        });
    }
}

#[test]
#[should_panic(expected = "share must be between 0 and 1,000")]
fn a_share_that_is_no_number_breaks_its_rule() {
    let _ = RetryBudgetOptions::new().share(f64::NAN);
}

#[test]
#[should_panic(expected = "burst must be at least 1")]
fn no_burst_breaks_its_rule() {
    let _ = RetryBudgetOptions::new().burst(0);
}

#[test]
#[should_panic(expected = "min_per_second must be at most 1,000,000")]
fn too_large_a_minimum_breaks_its_rule() {
    let _ = RetryBudgetOptions::new().min_per_second(1_000_001);
}
