//! What can be seen from outside.

use dayfly::SignalSink;
use dayfly_batching::{Batch, BatchRules, Batcher, BatcherOptions};

#[tokio::test(start_paused = true)]
async fn batches_raise_how_many_items_were_handled_and_how_many_failed() {
    let signals = SignalSink::default();
    let mut events = signals.subscribe("batch.*");
    let rules = BatchRules::new().name("rows");
    let handler = |batch: Batch<u32>| async move {
        batch.iter().map(|item| if *item < 10 { Ok(()) } else { Err(()) }).collect::<Vec<_>>()
    };
    let batcher = Batcher::spawn_with(BatcherOptions::new(), &signals, rules, handler);
    for items in [vec![1, 2, 3], vec![4, 10], vec![11, 12]] {
        for item in items {
            batcher.push(item).await.unwrap();
        }
        batcher.flush().await;
    }
    let mut told = Vec::new();
    for _ in 0..4 {
        let event = events.recv().await.unwrap();
        assert_eq!(event.key(), Some("rows"));
        told.push(format!("{}:{}", event.name(), event.payload().unwrap()));
    }
    assert_eq!(told, ["batch.flushed:3", "batch.flushed:1", "batch.failed:1", "batch.failed:2"]);
    assert_eq!(batcher.signals().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn figures_add_up_at_any_moment() {
    let batcher = Batcher::spawn(
        BatcherOptions::new().max_items(2).max_in_flight(2),
        &SignalSink::default(),
        |batch: Batch<u32>| async move {
            tokio::time::sleep(std::time::Duration::from_millis(u64::from(batch[0]))).await;
            if batch[0].is_multiple_of(3) { Err("three") } else { Ok(()) }
        },
    );
    for item in 0..50 {
        if item % 7 == 0 {
            let mut submit = Box::pin(batcher.submit(item));
            assert!(futures_util::poll!(&mut submit).is_pending());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        } else {
            batcher.push(item).await.unwrap();
        }
        let s = batcher.stats();
        let ended = s.completed + s.failed + s.cancelled + s.withdrawn + s.coalesced;
        assert_eq!(s.accepted, s.queued + s.handling + ended, "{s:?}");
    }
    let report = batcher.drain().await;
    assert_eq!(report.accepted, report.completed + report.failed + report.withdrawn);
    assert!(format!("{batcher:?} {:?}", batcher.downgrade()).contains("accepted: 50"));
}
