//! Every public future of the crate, dropped at every moment of its life: no retry is lost or made.

use std::future::pending;

use dayfly::{Coordinator, CoordinatorOptions, Operation, SignalSink};
use dayfly_retry::{Retry, RetryBudget, RetryBudgetOptions};
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::support::{Attempts, PLAIN, seconds};

/// A budget of four retries that nothing fills up, half of them from each purse.
fn four() -> RetryBudget {
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(1.0).min_per_second(2).burst(2));
    budget.deposit();
    budget.deposit();
    budget
}

#[test]
fn a_dropped_call_makes_no_attempt_and_gives_the_retry_that_it_waits_for_back() {
    for attempt_timeout in [None, Some(seconds(5))] {
        let report = drop_at_every_poll(
            || (four(), Attempts::default()),
            |(budget, attempts)| async move {
                let options = attempt_timeout.map_or(PLAIN, |timeout| PLAIN.attempt_timeout(timeout));
                // So that the second's minimum does not come back while the call is under way.
                let options = options.backoff(dayfly_retry::Backoff::constant(seconds(1) / 100));
                let retry = Retry::on_every_error(options).budget(&budget);
                let ended = retry.call(|_| {
                    attempts.note();
                    async {
                        sleep(seconds(1) / 100).await;
                        Err::<(), _>(())
                    }
                });
                assert_eq!(ended.await.unwrap_err().attempts, 3);
            },
            |(budget, attempts), _| async move {
                let made = attempts.count();
                let retries = u64::try_from(made.saturating_sub(1)).unwrap();
                assert_eq!(budget.balance(), 4 - retries);
                sleep(seconds(1) / 10).await;
                assert_eq!(attempts.count(), made);
            },
        );
        assert!(report.drops >= 10, "{report:?}");
    }
}

#[test]
fn a_dropped_call_for_an_operation_leaves_nothing_behind() {
    let report = drop_at_every_poll(
        || {
            let (out, operations) = mpsc::channel(1);
            let work = Coordinator::spawn(
                CoordinatorOptions::new(),
                &SignalSink::default(),
                move |(), op: Operation| {
                    let out = out.clone();
                    async move {
                        drop(out.send(op).await);
                        pending::<()>().await;
                    }
                },
            );
            work.try_enqueue(()).unwrap();
            let operations = std::sync::Arc::new(tokio::sync::Mutex::new(operations));
            (four(), Attempts::default(), work, operations)
        },
        |(budget, attempts, _work, operations)| async move {
            let op = operations.lock().await.recv().await.unwrap();
            let options = PLAIN.backoff(dayfly_retry::Backoff::constant(seconds(1) / 100));
            let retry = Retry::on_every_error(options).budget(&budget);
            let ended = retry.call_for(&op, |_| {
                attempts.note();
                async {
                    sleep(seconds(1) / 100).await;
                    Err::<(), _>(())
                }
            });
            assert_eq!(ended.await.unwrap_err().attempts, 3);
        },
        |(budget, attempts, work, _), point| async move {
            let retries = u64::try_from(attempts.count().saturating_sub(1)).unwrap();
            assert_eq!(budget.balance(), 4 - retries);
            settle().await;
            let report = work.cancel().await;
            assert_eq!(report.accepted, 1, "{point:?}");
            if point == DropPoint::Completed {
                assert_eq!(attempts.count(), 3);
            }
        },
    );
    assert!(report.drops >= 10, "{report:?}");
}
