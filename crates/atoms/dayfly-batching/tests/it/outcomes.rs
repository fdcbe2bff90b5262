//! Each item gets its own outcome.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use dayfly::SignalSink;
use dayfly_batching::{Answers, Batch, Batcher, BatcherOptions, SubmitError};
use dayfly_testing::settle;
use futures_util::future::join_all;

use crate::support::Watched;

const FOUR: BatcherOptions = BatcherOptions::new().max_items(4);

#[tokio::test(start_paused = true)]
async fn a_value_for_each_item() {
    let batcher = Batcher::spawn(FOUR, &SignalSink::default(), |batch: Batch<u32>| async move {
        Ok::<_, Infallible>(batch.iter().map(|item| item * 2).collect::<Vec<_>>())
    });
    // What is pushed in between has an answer that nobody waits for.
    batcher.push(100).await.unwrap();
    let values = join_all((0..9).map(|item| batcher.submit(item))).await;
    let values: Vec<u32> = values.into_iter().map(Result::unwrap).collect();
    assert_eq!(values, (0..9).map(|item| item * 2).collect::<Vec<_>>());
    assert_eq!(batcher.drain().await.completed, 10);
}

#[tokio::test(start_paused = true)]
async fn a_value_or_an_error_for_each_item() {
    let batcher = Batcher::spawn(FOUR, &SignalSink::default(), |batch: Batch<u32>| async move {
        batch.into_iter().map(|item| if item % 2 == 0 { Ok(item) } else { Err(item) }).collect::<Vec<_>>()
    });
    for (item, outcome) in (0..).zip(join_all((0..8).map(|item| batcher.submit(item))).await) {
        match outcome {
            Ok(value) => assert_eq!(value, item),
            Err(SubmitError::Failed(error)) => assert_eq!((*error, item % 2), (item, 1)),
            other => panic!("{other:?}"),
        }
    }
    let report = batcher.drain().await;
    assert_eq!((report.completed, report.failed, report.failed_batches), (4, 4, 2));
}

#[tokio::test(start_paused = true)]
async fn one_error_for_a_whole_batch_is_shared() {
    let batcher =
        Batcher::spawn(FOUR, &SignalSink::default(), |_: Batch<u32>| async { Err::<(), _>("no disk") });
    let errors = join_all((0..4).map(|item| batcher.submit(item))).await;
    let mut errors = errors.into_iter().map(|outcome| match outcome {
        Err(SubmitError::Failed(error)) => error,
        other => panic!("{other:?}"),
    });
    let first = errors.next().unwrap();
    assert!(errors.all(|error| Arc::ptr_eq(&error, &first)));
    assert_eq!(*first, "no disk");
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_fail_on_all_or_on_each() {
    let batcher = Batcher::spawn(FOUR, &SignalSink::default(), |batch: Batch<u32>| async move {
        match batch[0] {
            0 => Answers::Failed("all"),
            1 => Answers::Each(batch.iter().map(|item| item.checked_sub(2).ok_or("each")).collect()),
            _ => Answers::Values(batch.to_vec()),
        }
    });
    let failed = |outcome: &Result<u32, SubmitError<u32, &str>>, text| matches!(outcome, Err(SubmitError::Failed(error)) if **error == text);
    let outcomes = join_all([0, 9, 9, 9, 1, 2, 9, 9, 2, 3, 4, 5].map(|item| batcher.submit(item))).await;
    assert!(outcomes[..4].iter().all(|outcome| failed(outcome, "all")));
    assert!(failed(&outcomes[4], "each"));
    assert_eq!(outcomes[5], Ok(0));
    assert_eq!(outcomes[8..], [Ok(2), Ok(3), Ok(4), Ok(5)]);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_too_few_or_too_many_are_an_error_for_everybody() {
    for answers in [0, 3, 5] {
        let batcher = Batcher::spawn(FOUR, &SignalSink::default(), move |_: Batch<u32>| async move {
            Ok::<_, Infallible>(vec![7; answers])
        });
        for outcome in join_all((0..4).map(|item| batcher.submit(item))).await {
            assert_eq!(outcome, Err(SubmitError::Miscounted { items: 4, answers }));
        }
        assert_eq!(batcher.stats().failed, 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_reaches_those_of_its_batch_and_nobody_else() {
    for late in [false, true] {
        let batcher = Batcher::spawn(FOUR, &SignalSink::default(), move |batch: Batch<u32>| {
            assert!(late || batch[0] != 0, "at once");
            async move {
                tokio::task::yield_now().await;
                assert!(batch[0] != 0, "late");
            }
        });
        let outcomes = join_all((0..8).map(|item| batcher.submit(item))).await;
        assert!(outcomes[..4].iter().all(|outcome| *outcome == Err(SubmitError::Panicked)));
        assert!(outcomes[4..].iter().all(|outcome| *outcome == Ok(())));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_takes_the_item_out() {
    let watched = Watched::shut();
    let batcher = watched.spawn(BatcherOptions::new().max_items(3).without_max_delay());
    let mut submits: Vec<_> = (0..8).map(|item| Box::pin(batcher.submit(item))).collect();
    for submit in &mut submits {
        assert!(futures_util::poll!(submit).is_pending());
    }
    settle().await;
    // 0 is with the handler, 4 is in a full batch that waits, 6 in the one that fills.
    for gone in [6, 4, 0] {
        drop(submits.remove(gone));
    }
    assert_eq!((batcher.stats().withdrawn, batcher.stats().queued), (2, 3));
    watched.let_out(3);
    let drained = batcher.drain();
    assert!(join_all(submits).await.into_iter().all(|outcome| outcome == Ok(())));
    let report = drained.await;
    assert_eq!((report.accepted, report.completed, report.withdrawn), (8, 6, 2));
    assert_eq!(watched.items(), [vec![0, 1, 2], vec![3, 5], vec![7]]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_everybody_left_is_no_batch() {
    let watched = Watched::open();
    let batcher = watched.spawn(BatcherOptions::new().max_delay(Duration::from_millis(5)));
    for _ in 0..3 {
        let mut submit = Box::pin(batcher.submit(1));
        assert!(futures_util::poll!(&mut submit).is_pending());
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(watched.items().len(), 0);
    batcher.flush().await;
    let report = batcher.drain().await;
    assert_eq!((report.withdrawn, report.flushed_batches), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_taken_out_makes_room() {
    let watched = Watched::shut();
    let batcher = watched.spawn(BatcherOptions::new().max_items(1).queue_capacity(1));
    batcher.push(0).await.unwrap();
    settle().await;
    let mut submit = Box::pin(batcher.submit(1));
    assert!(futures_util::poll!(&mut submit).is_pending());
    let mut push = Box::pin(batcher.push(2));
    assert!(futures_util::poll!(&mut push).is_pending());
    drop(submit);
    push.await.unwrap();
    watched.let_out(2);
    batcher.drain().await;
    assert_eq!(watched.items(), [[0], [2]]);
}
