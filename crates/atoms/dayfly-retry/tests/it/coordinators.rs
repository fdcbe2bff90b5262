//! In the body of a coordinator: the slot is given back, and the operation is the same.

use std::future::{pending, ready};

use dayfly::{
    Coordinator, CoordinatorOptions, KeyedCoordinator, Operation, OperationState, ResultCoordinator,
    SignalSink,
};
use dayfly_retry::{GaveUp, Retry, RetryBudget, RetryBudgetOptions, Verdict};
use dayfly_testing::settle;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::support::{PLAIN, seconds};

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1);

/// Fails until the attempt that the item names.
fn stubborn(retry: &Retry<String>, signals: &SignalSink) -> Coordinator<u32> {
    let retry = retry.clone();
    Coordinator::spawn(WORK, signals, move |succeeds: u32, op: Operation| {
        let retry = retry.clone();
        async move {
            let attempt = op.attempt();
            let result = if attempt < succeeds { Err(format!("attempt {attempt} failed")) } else { Ok(()) };
            retry.conclude(&op, succeeds, result)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn waiting_gives_the_slot_back_and_the_operation_keeps_its_id() {
    let signals = SignalSink::default();
    let work = stubborn(&Retry::on_every_error(PLAIN), &signals);
    let start = Instant::now();
    let patient = work.enqueue(3).await.unwrap();
    let quick = work.enqueue(1).await.unwrap();
    settle().await;
    assert_eq!((work.stats().completed, work.stats().waiting, work.stats().running), (1, 1, 0));
    assert!(work.get(quick).is_some());
    assert_eq!(work.drain().await.completed, 2);
    assert_eq!(work.get(patient).unwrap().attempt, 3);
    assert_eq!(start.elapsed(), seconds(2));
    let told = signals.history("retry.attempt");
    assert!(told.iter().all(|signal| signal.operation() == Some(patient)));
    let numbers: Vec<_> = told.iter().map(|signal| signal.payload().unwrap().to_owned()).collect();
    assert_eq!(numbers, ["2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_fails_with_its_own_error_and_a_signal_says_why() {
    let signals = SignalSink::default();
    let retry = Retry::on_every_error(PLAIN).named("bank", &SignalSink::default());
    let work = stubborn(&retry, &signals);
    let id = work.enqueue(9).await.unwrap();
    assert_eq!(work.drain().await.failed, 1);
    let ended = work.get(id).unwrap();
    assert_eq!((ended.attempt, ended.error.as_deref()), (3, Some("attempt 3 failed")));
    let told = signals.history("retry.exhausted.bank");
    assert_eq!(told.len(), 1, "in the coordinator's sink, under the retrier's name");
    assert_eq!((told[0].payload(), told[0].operation()), (Some("attempts"), Some(id)));
}

#[tokio::test(start_paused = true)]
async fn within_a_key_nothing_overtakes_what_is_tried_again() {
    let retry = Retry::<&str>::on_every_error(PLAIN);
    let (out, mut order) = mpsc::channel(16);
    let key = |item: &(char, u32)| item.0;
    let work =
        KeyedCoordinator::spawn(WORK.max_concurrency(4), &SignalSink::default(), key, move |item, op| {
            let (retry, out) = (retry.clone(), out.clone());
            async move {
                let result = if item == ('a', 1) && op.attempt() < 3 { Err("busy") } else { Ok(()) };
                if result.is_ok() {
                    out.try_send(item).unwrap();
                }
                retry.conclude(&op, item, result)
            }
        });
    for item in [('a', 1), ('a', 2), ('b', 1)] {
        work.enqueue(item).await.unwrap();
    }
    assert_eq!(work.drain().await.completed, 3);
    drop(work);
    let mut ended = Vec::new();
    while let Ok(item) = order.try_recv() {
        ended.push(item);
    }
    assert_eq!(ended, [('b', 1), ('a', 1), ('a', 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_value_and_the_last_error_reach_the_ticket() {
    let retry = Retry::new(PLAIN, |error: &&str| *error == "busy");
    let work = ResultCoordinator::spawn(
        WORK,
        &SignalSink::default(),
        move |error: Option<&'static str>, op: Operation| {
            let retry = retry.clone();
            async move {
                let result = error.map_or_else(|| Ok(op.attempt()), Err);
                let item = if error == Some("busy") { None } else { error };
                retry.conclude(&op, item, result)
            }
        },
    );
    assert_eq!(work.submit(None).await.unwrap().await.unwrap(), 1);
    assert_eq!(work.submit(Some("busy")).await.unwrap().await.unwrap(), 2);
    let failed = work.submit(Some("declined")).await.unwrap().await.unwrap_err();
    assert!(format!("{failed:?}").contains("declined"), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_is_cancelled_is_not_tried_again() {
    let retry = Retry::on_every_error(PLAIN);
    let signals = SignalSink::default();
    let work = Coordinator::spawn(WORK, &signals, move |(), op: Operation| {
        let retry = retry.clone();
        async move {
            op.cancelled().await;
            let ended: dayfly::Ended<(), (), &str> = retry.decide(&op, (), "interrupted");
            assert_eq!(ended, dayfly::Ended::Failed("interrupted"));
            ended
        }
    });
    let id = work.enqueue(()).await.unwrap();
    settle().await;
    let report = work.cancel().await;
    assert_eq!((report.accepted, report.panicked), (1, 0));
    assert_ne!(work.get(id).unwrap().state, OperationState::Running);
    assert!(signals.history("retry.*").is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_budget_counts_each_operation_once_and_bounds_their_retries() {
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(0.5).min_per_second(0));
    let retry = Retry::on_every_error(PLAIN.attempts(10)).budget(&budget);
    let work = stubborn(&retry, &SignalSink::default());
    for _ in 0..6 {
        work.enqueue(1).await.unwrap();
    }
    work.enqueue(99).await.unwrap();
    work.enqueue(99).await.unwrap();
    let report = work.drain().await;
    assert_eq!((report.completed, report.failed), (6, 2));
    assert_eq!(budget.balance(), 0);
    let attempts: u32 = work.window().iter().map(|ended| ended.attempt).sum();
    assert_eq!(attempts, 8 + 4, "half of eight operations");
}

#[tokio::test(start_paused = true)]
async fn a_call_for_an_operation_ends_when_the_operation_is_cancelled() {
    for is_waiting in [true, false] {
        let retry = Retry::on_every_error(PLAIN.attempts(u32::MAX));
        let retry =
            if is_waiting { retry } else { Retry::new(PLAIN, |(): &()| Verdict::RetryAfter(seconds(0))) };
        let (out, mut ended) = mpsc::channel(1);
        let signals = SignalSink::default();
        let work = Coordinator::spawn(WORK, &signals, move |(), op: Operation| {
            let (retry, out) = (retry.clone(), out.clone());
            async move {
                let attempt = |_| async {
                    if !is_waiting {
                        op.cancelled().await;
                    }
                    Err::<(), _>(())
                };
                out.try_send(retry.call_for(&op, attempt).await).unwrap();
            }
        });
        let id = work.enqueue(()).await.unwrap();
        tokio::time::sleep(seconds(3) / 2).await;
        work.cancel().await;
        let given_up = ended.recv().await.unwrap().unwrap_err();
        let attempts = if is_waiting { 2 } else { 1 };
        assert_eq!((given_up.why, given_up.attempts), (GaveUp::Cancelled, attempts));
        let told = signals.history("retry.*");
        assert_eq!(told.len(), if is_waiting { 2 } else { 0 }, "{told:?}");
        assert!(told.iter().all(|signal| signal.operation() == Some(id)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_body_takes_its_call_with_it() {
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(1.0).min_per_second(0));
    let retry = Retry::on_every_error(PLAIN.attempts(2)).budget(&budget);
    let work = Coordinator::spawn(WORK, &SignalSink::default(), move |(), op: Operation| {
        let retry = retry.clone();
        async move {
            drop(retry.call_for(&op, |_| ready(Err::<(), _>(()))).await);
            pending::<()>().await;
        }
    });
    let id = work.enqueue(()).await.unwrap();
    settle().await;
    assert_eq!(budget.balance(), 0, "it waits for the attempt that it has taken");
    assert!(work.kill(id));
    assert_eq!(work.drain().await.cancelled, 1);
    assert_eq!(budget.balance(), 1, "the retry that was not made is there again");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_keeps_its_item_decides_as_every_other_does() {
    #[derive(Debug)]
    struct Precious(u32);

    let signals = SignalSink::default();
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(0.5).min_per_second(0));
    let retry = Retry::new(PLAIN, |error: &String| error != "no").budget(&budget);
    let (park, mut parked) = mpsc::channel(16);
    let body = move |item: Precious, op: Operation| {
        let (retry, park) = (retry.clone(), park.clone());
        async move {
            let error = match item.0 {
                0 => {
                    retry.succeeded(&op);
                    return op.done();
                }
                1 => "no".to_owned(),
                number => format!("attempt {} of {number}", op.attempt()),
            };
            match retry.next_attempt(&op, &error) {
                Ok(after) => op.again(item, after),
                Err(why) => {
                    park.try_send((item, why)).unwrap();
                    op.fail(error)
                }
            }
        }
    };
    let work = Coordinator::spawn(WORK, &signals, body);
    for item in [0, 0, 0, 1, 2, 3] {
        work.enqueue(Precious(item)).await.unwrap();
    }
    let start = Instant::now();
    let report = work.drain().await;
    assert_eq!((report.completed, report.failed), (3, 3));
    assert_eq!(start.elapsed(), seconds(2));
    let mut given_up = Vec::new();
    while let Ok((item, why)) = parked.try_recv() {
        given_up.push((item.0, why));
    }
    // Six operations pay for three retries: two for the first that needs some, and the last one finds no second.
    let expected = [(1, GaveUp::NotRetryable), (2, GaveUp::AttemptsExhausted), (3, GaveUp::BudgetExhausted)];
    given_up.sort_unstable_by_key(|(item, _)| *item);
    assert_eq!(given_up, expected);
    assert_eq!(signals.history("retry.attempt").len(), 3);
}
