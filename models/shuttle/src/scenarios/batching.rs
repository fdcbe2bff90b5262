//! Batches: their ends, their deadlines, and submitters that go away.

use std::time::Duration;

use dayfly::SignalSink;
use dayfly_batching::{Batch, BatchRules, Batcher, BatcherOptions, DrainReport, FailedBatch, SubmitError};
use tokio::task::{spawn, yield_now};

use super::places::polled_at_most;
use crate::watched::{Counted, Item};

const OPTIONS: BatcherOptions = BatcherOptions::new().without_max_delay();

/// Every accepted item ended in exactly one way. Returns how many.
fn balanced(report: DrainReport) -> u64 {
    let DrainReport { accepted, completed, failed, cancelled, withdrawn, coalesced, .. } = report;
    assert_eq!(accepted, completed + failed + cancelled + withdrawn + coalesced, "{report:?}");
    accepted
}

/// A close meets flushes, full batches and producers in line. What went in is handled, the rest comes back, and everybody
/// who waits for a flush hears of it.
pub(super) async fn close_while_flushing() {
    let dropped = Counted::default();
    let batcher = Batcher::spawn(
        OPTIONS.max_items(3).queue_capacity(2).max_in_flight(2),
        &SignalSink::default(),
        |batch: Batch<Item>| async move {
            assert!(batch.len() <= 3);
            yield_now().await;
        },
    );
    let producers = [0, 10].map(|first| {
        let (batcher, dropped) = (batcher.clone(), dropped.clone());
        spawn(async move {
            let mut accepted = 0;
            for number in first..first + 3 {
                match batcher.push(Item::new(number, &dropped)).await {
                    Ok(()) => accepted += 1,
                    Err(refused) => assert_eq!(refused.into_item().number, number),
                }
            }
            accepted
        })
    });
    let flushes = [(); 2].map(|()| {
        let batcher = batcher.clone();
        spawn(async move {
            yield_now().await;
            batcher.flush().await;
        })
    });
    yield_now().await;
    batcher.close();
    let mut accepted = 0;
    for producer in producers {
        accepted += producer.await.expect("a producer comes to its end");
    }
    for flush in flushes {
        flush.await.expect("a flush comes to its end");
    }
    let report = batcher.drain().await;
    assert_eq!((balanced(report), report.completed), (accepted, accepted));
    assert_eq!(dropped.all(), [1; 6], "each item leaves once");
}

/// Producers in line are more than the queue has room for, and a batch may be larger than the queue: nobody waits for who
/// waits for room.
pub(super) async fn line_longer_than_the_queue() {
    let batcher = Batcher::spawn(
        OPTIONS.max_items(3).queue_capacity(2),
        &SignalSink::default(),
        |batch: Batch<u32>| async move { assert!(batch.len() <= 2) },
    );
    let producers = [(); 3].map(|()| {
        let batcher = batcher.clone();
        spawn(async move {
            for number in 0..3 {
                batcher.push(number).await.expect("it is open");
            }
        })
    });
    for producer in producers {
        producer.await.expect("a producer comes to its end");
    }
    assert_eq!(balanced(batcher.drain().await), 9);
}

/// Items go into a batch while its deadline comes. None is left behind without a timer, and their order stays.
pub(super) async fn push_races_the_deadline() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let out = std::sync::Arc::clone(&seen);
    let batcher = Batcher::spawn(
        BatcherOptions::new().max_items(3).max_delay(Duration::from_micros(1)),
        &SignalSink::default(),
        move |batch: Batch<u32>| {
            out.lock().expect("nobody panics").extend(batch.iter().copied());
            async {}
        },
    );
    drop(spawn(tokio::time::drive()));
    for number in 0..5 {
        batcher.push(number).await.expect("it is open");
        if number % 2 == 0 {
            yield_now().await;
        }
    }
    // Nothing but time brings the last one to its end.
    assert_eq!(batcher.submit(5).await, Ok(()));
    assert_eq!(*seen.lock().expect("nobody panics"), [0, 1, 2, 3, 4, 5]);
    assert_eq!(balanced(batcher.drain().await), 6);
}

/// Submitters that go away at any moment take their item along or leave it to the handler, keep no room, and leave nobody
/// else waiting.
pub(super) async fn dropped_submitters() {
    let batcher = Batcher::spawn(
        OPTIONS.max_items(2).queue_capacity(1),
        &SignalSink::default(),
        |batch: Batch<u32>| async move {
            yield_now().await;
            batch.iter().map(|item| Ok::<_, ()>(*item)).collect::<Vec<_>>()
        },
    );
    let impatient = [10, 11].map(|number| {
        let batcher = batcher.clone();
        spawn(async move { polled_at_most(2, batcher.submit(number)).await })
    });
    let answered = Counted::default();
    let patient = [20, 21].map(|number| {
        let (batcher, answered) = (batcher.clone(), answered.clone());
        spawn(async move {
            assert_eq!(batcher.submit(number).await, Ok(number));
            answered.note(number);
        })
    });
    for submitter in impatient {
        submitter.await.expect("a submitter comes to its end");
    }
    // Whoever waits alone in a batch needs somebody who flushes.
    let flusher = {
        let batcher = batcher.clone();
        spawn(async move {
            while answered.all().len() < 2 {
                batcher.flush().await;
                yield_now().await;
            }
        })
    };
    for submitter in patient {
        submitter.await.expect("a submitter comes to its end");
    }
    flusher.await.expect("everything is handled");
    batcher.flush().await;
    batcher.try_push(1).expect("its room is free again");
    balanced(batcher.drain().await);
}

/// A cancellation meets items in every state; who waits hears of it, and every item is handled, or handed on.
pub(super) async fn cancel_in_flight() {
    let (dropped, recovered) = (Counted::default(), Counted::default());
    let out = recovered.clone();
    let rules = BatchRules::new().on_failure(move |failed: FailedBatch<Item, _>| {
        failed.items.iter().for_each(|item| out.note(item.number));
        async {}
    });
    let batcher = Batcher::spawn_with(
        OPTIONS.max_items(2).max_in_flight(2).cancel_grace(Duration::from_millis(1)),
        &SignalSink::default(),
        rules,
        |batch: Batch<Item>| async move {
            if batch[0].number >= 2 {
                std::future::pending::<()>().await;
            }
            drop(batch);
        },
    );
    drop(spawn(tokio::time::drive()));
    let submitters =
        [0, 1, 2, 3, 4].map(|number| {
            let (batcher, item) = (batcher.clone(), Item::new(number, &dropped));
            spawn(async move {
                batcher.submit(item).await.map_err(|error| matches!(error, SubmitError::Cancelled))
            })
        });
    yield_now().await;
    let report = batcher.cancel().await;
    let (mut done, mut cancelled, mut refused) = (0, 0, 0);
    for submitter in submitters {
        match submitter.await.expect("a submitter comes to its end") {
            Ok(()) => done += 1,
            Err(true) => cancelled += 1,
            Err(false) => refused += 1,
        }
    }
    assert_eq!(balanced(report) + refused, 5);
    assert_eq!((report.completed, report.cancelled), (done, cancelled));
    assert_eq!(recovered.all().iter().sum::<usize>() as u64, cancelled);
    assert_eq!(dropped.all(), [1; 5], "each item leaves once");
}
