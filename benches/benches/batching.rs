//! What does an item cost that is handled with others? (Section H)

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use dayfly::SignalSink;
use dayfly_batching::{Batch, Batcher, BatcherOptions, KeyedBatcher};
use dayfly_benches::body::done_many;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::runtimes::{plain, stages};
use futures_util::{Stream, StreamExt};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;

/// Items of one batch.
const ITEMS: usize = 64;
/// Items that wait.
const QUEUE: usize = 1_024;
/// How long an item waits for others; in these benchmarks never so long.
const DELAY: Duration = Duration::from_millis(20);
const OPTIONS: BatcherOptions = BatcherOptions::new().max_items(ITEMS).max_delay(DELAY).queue_capacity(QUEUE);
/// A multiple of the batch and of the callers.
const PUSHED: u64 = 16_000 * 64;
const SUBMITTED: u64 = 3_200 * 64;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    for stage in &stages() {
        runner.ask(
            Contest::new(format!("push, {}", stage.name), PUSHED)
                .with("mpsc + recv_many, no deadline", |n| stage.run(n, recv_many(n)))
                .with("dayfly Batcher, push, deadline armed", |n| stage.run(n, pushed(n)))
                .with("dayfly KeyedBatcher, 16 keys, deadline armed", |n| stage.run(n, pushed_by_key(n)))
                .with("mpsc + chunks_timeout", |n| stage.run(n, chunks_timeout(n)))
                .with("swapped buffers, no deadline, no bound", |n| stage.run(n, swapped(n))),
        );
    }
    for stage in &plain() {
        for callers in [1, 64] {
            runner.ask(
                Contest::new(format!("submit, {}, callers: {callers}", stage.name), SUBMITTED)
                    .with("mpsc + recv_many + oneshot", |n| stage.run(n, oneshots(callers, n)))
                    .with("dayfly Batcher, submit, no delay", |n| stage.run(n, submitted(callers, n))),
            );
        }
    }
    runner.end()
}

async fn recv_many(operations: u64) {
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let mut consumer = JoinSet::new();
    consumer.spawn(async move {
        let mut batch: Vec<u64> = Vec::with_capacity(ITEMS);
        while receiver.recv_many(&mut batch, ITEMS).await > 0 {
            done_many(batch.len());
            batch.clear();
        }
    });
    for item in 0..operations {
        sender.send(item).await.expect("the consumer receives");
    }
    drop(sender);
    consumer.join_all().await;
}

async fn pushed(operations: u64) {
    let batcher = Batcher::spawn(OPTIONS, &SignalSink::default(), |batch: Batch<u64>| async move {
        done_many(batch.len());
    });
    for item in 0..operations {
        batcher.push(item).await.expect("it is open");
    }
    assert_eq!(batcher.drain().await.completed, operations);
}

async fn pushed_by_key(operations: u64) {
    let batcher = KeyedBatcher::spawn(
        OPTIONS,
        &SignalSink::default(),
        |item: &u64| item % 16,
        |_, batch: Batch<u64>| async move { done_many(batch.len()) },
    );
    for item in 0..operations {
        batcher.push(item).await.expect("it is open");
    }
    assert_eq!(batcher.drain().await.completed, operations);
}

async fn chunks_timeout(operations: u64) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let mut consumer = JoinSet::new();
    consumer.spawn(async move {
        let chunks = items(receiver).chunks_timeout(ITEMS, DELAY);
        let mut chunks = std::pin::pin!(chunks);
        while let Some(chunk) = StreamExt::next(&mut chunks).await {
            done_many(chunk.len());
        }
    });
    for item in 0..operations {
        sender.send(item).await.expect("the consumer receives");
    }
    drop(sender);
    consumer.join_all().await;
}

/// The receiver as a stream.
fn items(mut receiver: mpsc::Receiver<u64>) -> impl Stream<Item = u64> {
    futures_util::stream::poll_fn(move |context| receiver.poll_recv(context))
}

/// What one writes in an afternoon: a buffer behind a mutex, and a task that swaps it.
async fn swapped(operations: u64) {
    struct Shared {
        buffer: std::sync::Mutex<(Vec<u64>, bool)>,
        full: Notify,
        room: Notify,
    }
    let shared = Arc::new(Shared {
        buffer: std::sync::Mutex::new((Vec::with_capacity(ITEMS), false)),
        full: Notify::new(),
        room: Notify::new(),
    });
    let mut consumer = JoinSet::new();
    let own = Arc::clone(&shared);
    consumer.spawn(async move {
        let mut batch = Vec::with_capacity(ITEMS);
        loop {
            let is_last = {
                let mut buffer = own.buffer.lock().expect("nobody panics");
                std::mem::swap(&mut buffer.0, &mut batch);
                buffer.1
            };
            own.room.notify_one();
            done_many(batch.len());
            let was_empty = batch.is_empty();
            batch.clear();
            if was_empty {
                if is_last {
                    return;
                }
                own.full.notified().await;
            }
        }
    });
    for item in 0..operations {
        loop {
            let len = {
                let mut buffer = shared.buffer.lock().expect("nobody panics");
                if buffer.0.len() < QUEUE {
                    buffer.0.push(item);
                    buffer.0.len()
                } else {
                    0
                }
            };
            match len {
                0 => shared.room.notified().await,
                ITEMS => break shared.full.notify_one(),
                _ => break,
            }
        }
    }
    shared.buffer.lock().expect("nobody panics").1 = true;
    shared.full.notify_one();
    consumer.join_all().await;
}

/// So many tasks, each of which calls one time after the other, as servers do.
async fn together<F>(callers: u64, caller: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        tasks.spawn(caller());
    }
    tasks.join_all().await;
}

async fn oneshots(callers: u64, operations: u64) {
    let (sender, mut receiver) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(QUEUE);
    let mut consumer = JoinSet::new();
    consumer.spawn(async move {
        let mut batch = Vec::with_capacity(ITEMS);
        while receiver.recv_many(&mut batch, ITEMS).await > 0 {
            done_many(batch.len());
            for (item, reply) in batch.drain(..) {
                reply.send(item + 1).expect("the caller waits");
            }
        }
    });
    together(callers, || {
        let sender = sender.clone();
        async move {
            for item in 0..operations / callers {
                let (reply, answer) = oneshot::channel();
                sender.send((item, reply)).await.expect("the consumer receives");
                assert_eq!(answer.await.expect("it answers"), item + 1);
            }
        }
    })
    .await;
    drop(sender);
    consumer.join_all().await;
}

async fn submitted(callers: u64, operations: u64) {
    let batcher = Batcher::spawn(
        OPTIONS.max_delay(Duration::ZERO),
        &SignalSink::default(),
        |batch: Batch<u64>| async move {
            done_many(batch.len());
            Ok::<_, Infallible>(batch.iter().map(|item| item + 1).collect::<Vec<_>>())
        },
    );
    together(callers, || {
        let batcher = batcher.clone();
        async move {
            for item in 0..operations / callers {
                assert_eq!(batcher.submit(item).await, Ok(item + 1));
            }
        }
    })
    .await;
    assert_eq!(batcher.drain().await.completed, operations);
}
