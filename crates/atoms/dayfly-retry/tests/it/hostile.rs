//! Attempts, classifiers and values that make it hard: what is promised holds all the same.

use std::cell::Cell;
use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, Operation, Reconfigure, SignalSink};
use dayfly_retry::{Backoff, GaveUp, Jitter, Retry, RetryBudget, RetryBudgetOptions, RetryOptions, Verdict};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::support::{PLAIN, seconds};

#[tokio::test(start_paused = true)]
async fn an_attempt_that_panics_costs_its_call_and_nothing_else() {
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(1.0).min_per_second(0));
    let retry = Retry::on_every_error(PLAIN).budget(&budget);
    let call = retry.call(|number| async move {
        assert!(number < 2, "the attempt broke");
        Err::<(), _>("down")
    });
    assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
    assert_eq!(budget.balance(), 0, "the retry was made");
    assert_eq!(retry.call(|_| ready(Ok(()))).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_classifier_that_panics_costs_its_call_and_nothing_else() {
    let retry = Retry::new(PLAIN, |error: &&str| -> Verdict { panic!("what is {error}?") });
    for _ in 0..2 {
        let call = retry.call(|_| ready(Err::<(), _>("this")));
        assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
    }
    retry.reconfigure(&PLAIN.attempts(1)).unwrap();
    assert_eq!(retry.options().attempts(1), PLAIN.attempts(1));
    let work =
        Coordinator::spawn(CoordinatorOptions::new(), &SignalSink::default(), move |(), op: Operation| {
            let retry = retry.clone();
            async move { retry.decide::<_, ()>(&op, (), "this") }
        });
    work.enqueue(()).await.unwrap();
    assert_eq!(work.drain().await.panicked, 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_drop_panics_costs_its_call_only() {
    #[derive(Debug)]
    struct Explosive(Cell<bool>);
    impl Drop for Explosive {
        fn drop(&mut self) {
            assert!(!self.0.replace(false), "the error broke");
        }
    }
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(2.0).min_per_second(0));
    let retry = Retry::on_every_error(PLAIN).budget(&budget);
    // The first error is dropped when the second one takes its place.
    let call = retry.call(|number| ready(Err::<(), _>(Explosive(Cell::new(number == 1)))));
    assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
    assert_eq!(budget.balance(), 1);
    assert!(retry.call(|_| ready(Ok(()))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn thousands_of_calls_at_once_share_one_budget_and_each_ends() {
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(0.1).min_per_second(0).burst(1_000));
    let retry = Retry::on_every_error(PLAIN.attempts(5)).budget(&budget);
    let calls = (0..5_000).map(|_| retry.call(|_| ready(Err::<(), _>("down"))));
    let given_up = join_all(calls).await;
    let retries: u32 = given_up.iter().map(|ended| ended.as_ref().unwrap_err().attempts - 1).sum();
    assert_eq!(retries, 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_several_threads_share_one_budget() {
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(0.5).min_per_second(0).burst(100_000));
    let eager = RetryOptions::new().attempts(3).backoff(Backoff::constant(seconds(0)));
    let retry = Retry::on_every_error(eager).budget(&budget);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let retry = retry.clone();
        tasks.spawn(async move {
            let mut retries = 0;
            for _ in 0..1_000 {
                retries += retry.call(|_| ready(Err::<(), _>(()))).await.unwrap_err().attempts - 1;
            }
            retries
        });
    }
    let retries: u32 = tasks.join_all().await.into_iter().sum();
    assert_eq!(u64::from(retries) + budget.balance(), 2_000);
}

#[tokio::test(start_paused = true)]
async fn the_longest_and_the_shortest_delays_are_no_panic() {
    let longest = Backoff::exponential(Duration::MAX).factor(f64::MAX).cap(Duration::MAX);
    for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
        let options = RetryOptions::new().attempts(u32::MAX).backoff(longest.jitter(jitter));
        let retry = Retry::on_every_error(options.clone());
        let waiting = retry.call(|_| ready(Err::<(), _>("down")));
        assert!(tokio::time::timeout(seconds(3_600), waiting).await.is_err());
        // With a total timeout it is known at once that there is nothing to wait for.
        let start = Instant::now();
        let seeded = options.backoff(longest).total_timeout(seconds(3_600));
        let given_up = Retry::on_every_error(seeded).call(|_| ready(Err::<(), _>("down"))).await.unwrap_err();
        assert_eq!((given_up.why, start.elapsed()), (GaveUp::DeadlineExceeded, seconds(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retrier_may_be_dropped_and_cloned_while_its_call_waits() {
    let retry = Retry::on_every_error(PLAIN);
    let clone = retry.clone();
    let call = async move { clone.call(|_| ready(Err::<(), _>("down"))).await };
    drop(retry);
    assert_eq!(call.await.unwrap_err().attempts, 3);
}

#[test]
fn a_call_without_timeouts_that_succeeds_needs_no_runtime() {
    let retry = Retry::<()>::on_every_error(RetryOptions::new());
    assert_eq!(retry.call(|_| ready(Ok(1))).now_or_never(), Some(Ok(1)));
    assert!(retry.call(|_| pending::<Result<(), _>>()).now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_call_with_borrowed_errors_can_run_in_a_task() {
    let retry = Retry::on_every_error(PLAIN.attempts(2));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        retry
            .call(|_| async {
                tokio::task::yield_now().await;
                Err::<(), &'static str>("down")
            })
            .await
    });
    assert_eq!(tasks.join_next().await.unwrap().unwrap().unwrap_err().error, Some("down"));
}
