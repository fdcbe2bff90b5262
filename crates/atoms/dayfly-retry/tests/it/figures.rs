//! Every attempt is counted once, by what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, Operation, SignalSink};
use dayfly_retry::{GaveUp, Retry, RetryBudget, RetryBudgetOptions, RetryOptions};
use dayfly_testing::{Figures, paused};
use futures_util::FutureExt;

use crate::support::{PLAIN, ended, seconds};

/// What was counted under this name, without what was not.
fn attempts(figures: &Figures, name: &str) -> Vec<(&'static str, u64)> {
    let outcomes = [
        "succeeded",
        "retried",
        "not_retryable",
        "attempts_exhausted",
        "deadline_exceeded",
        "budget_exhausted",
        "cancelled",
        "dropped",
    ];
    let counted = outcomes.map(|outcome| {
        let name = match name {
            "" => format!("dayfly.retry.attempts{{outcome={outcome}}}"),
            name => format!("dayfly.retry.attempts{{retry={name},outcome={outcome}}}"),
        };
        (outcome, figures.count(&name))
    });
    counted.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn counted(told: impl Future<Output = ()>) -> Vec<(&'static str, u64)> {
    let figures = Figures::new();
    figures.of(|| paused(told));
    attempts(&figures, "")
}

#[test]
fn the_first_attempt_counts_and_so_does_each_that_follows() {
    let counted = counted(async {
        let retry = Retry::on_every_error(PLAIN);
        retry.call(|_| async { Ok::<_, ()>(()) }).await.unwrap();
        retry.call(|attempt| async move { if attempt < 3 { Err(()) } else { Ok(()) } }).await.unwrap();
        retry.call(|_| async { Err::<(), _>(()) }).await.unwrap_err();
    });
    assert_eq!(counted, [("succeeded", 2), ("retried", 4), ("attempts_exhausted", 1)]);
}

#[test]
fn with_timeouts_it_is_the_same() {
    let counted = counted(async {
        let timed = PLAIN.attempt_timeout(seconds(1)).total_timeout(seconds(60));
        let retry = Retry::<()>::on_every_error(timed);
        let answer = |attempt| async move {
            if attempt == 1 {
                std::future::pending::<()>().await;
            }
            Ok(attempt)
        };
        assert_eq!(ended(retry.call(answer)).await, Ok(2));
        let short = Retry::<()>::on_every_error(PLAIN.total_timeout(Duration::from_millis(1_500)));
        let given_up = ended(short.call(|_| std::future::pending::<Result<(), ()>>())).await.unwrap_err();
        assert_eq!(given_up.why, GaveUp::DeadlineExceeded);
    });
    assert_eq!(counted, [("succeeded", 1), ("retried", 1), ("deadline_exceeded", 1)]);
}

#[test]
fn why_there_is_no_other_attempt_is_told() {
    let counted = counted(async {
        let never = Retry::new(PLAIN, |(): &()| false);
        never.call(|_| async { Err::<(), _>(()) }).await.unwrap_err();
        let none = RetryBudget::new(RetryBudgetOptions::new().share(0.0).min_per_second(0).burst(1));
        let poor = Retry::on_every_error(PLAIN).budget(&none);
        poor.call(|_| async { Err::<(), _>(()) }).await.unwrap_err();
    });
    assert_eq!(counted, [("not_retryable", 1), ("budget_exhausted", 1)]);
}

#[test]
fn an_attempt_that_nobody_waits_for_or_that_panics_is_dropped() {
    let counted = counted(async {
        let retry = Retry::<()>::on_every_error(PLAIN);
        drop(retry.call(|_| async { Ok(()) }));
        assert_eq!(retry.call(|_| std::future::pending::<Result<(), ()>>()).now_or_never(), None);
        let torn = AssertUnwindSafe(retry.call::<(), _, _>(|_| async { panic!("in an attempt") }));
        torn.catch_unwind().await.unwrap_err();
        let wrong = Retry::new(PLAIN, |(): &()| -> bool { panic!("in the classifier") });
        AssertUnwindSafe(wrong.call(|_| async { Err::<(), _>(()) })).catch_unwind().await.unwrap_err();
        let mut by_hand = wrong.begin();
        catch_unwind(AssertUnwindSafe(|| wrong.after(&mut by_hand, &(), None).is_ok())).unwrap_err();
        // While it waits for the second one, the first has been counted.
        assert_eq!(retry.call(|_| async { Err::<(), _>(()) }).now_or_never(), None);
    });
    assert_eq!(counted, [("retried", 1), ("dropped", 4)]);
}

#[test]
fn operations_and_attempts_by_hand_are_counted_as_well() {
    let counted = counted(async {
        let retry = Retry::on_every_error(PLAIN);
        let body = {
            let retry = retry.clone();
            move |succeeds: u32, op: Operation| {
                let retry = retry.clone();
                async move {
                    let result = if op.attempt() < succeeds { Err("not yet") } else { Ok(()) };
                    retry.conclude(&op, succeeds, result)
                }
            }
        };
        let work = Coordinator::spawn(CoordinatorOptions::new(), &SignalSink::default(), body);
        for succeeds in [1, 2, 9] {
            work.enqueue(succeeds).await.unwrap();
        }
        work.drain().await;

        let mut attempts = retry.begin();
        retry.after(&mut attempts, &"not yet", None).unwrap().begin(&mut attempts);
        retry.succeeded_at(&attempts);
    });
    assert_eq!(counted, [("succeeded", 3), ("retried", 4), ("attempts_exhausted", 1)]);
}

#[test]
fn an_operation_that_is_cancelled_has_its_attempt_counted_so() {
    let counted = counted(async {
        let retry = Retry::on_every_error(PLAIN);
        let work = Coordinator::spawn(
            CoordinatorOptions::new(),
            &SignalSink::default(),
            move |(), op: Operation| {
                let retry = retry.clone();
                async move {
                    op.cancelled().await;
                    retry.conclude(&op, (), Err::<(), _>("cancelled"))
                }
            },
        );
        work.enqueue(()).await.unwrap();
        dayfly_testing::settle().await;
        work.cancel().await;
    });
    assert_eq!(counted, [("cancelled", 1)]);
}

#[test]
fn a_name_is_a_label_of_its_clones_too() {
    let figures = Figures::new();
    figures.of(|| {
        paused(async {
            let signals = SignalSink::default();
            let bank = Retry::on_every_error(RetryOptions::new().attempts(1)).named("bank", &signals);
            let other = bank.clone().named("post", &signals);
            bank.clone().call(|_| async { Ok::<_, ()>(()) }).await.unwrap();
            other.call(|_| async { Err::<(), _>(()) }).await.unwrap_err();
        });
    });
    assert_eq!(attempts(&figures, "bank"), [("succeeded", 1)]);
    assert_eq!(attempts(&figures, "post"), [("attempts_exhausted", 1)]);
    assert_eq!(attempts(&figures, ""), []);
}
