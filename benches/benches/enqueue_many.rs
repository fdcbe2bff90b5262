//! What does an operation cost when its producer hands in 32 at a time? (Section A)

use std::process::ExitCode;

use dayfly_benches::body::Body;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::pools::{self, AT_ONCE, QUEUE};
use dayfly_benches::runtimes::stages;
use tokio::task::JoinSet;

const CHUNK: u64 = 32;
/// A multiple of the chunk.
const OPERATIONS: u64 = 6_400 * CHUNK;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    for stage in &stages() {
        for (kind, body, operations) in
            [("ready", Body::Ready, OPERATIONS), ("yields", Body::Yields, OPERATIONS / 2)]
        {
            runner.ask(
                Contest::new(format!("enqueue_many, {}, {kind}", stage.name), operations)
                    .with("kanal channel, 64 worker loops", |n| stage.run(n, kanal(body, n)))
                    .with("dayfly, enqueue_many(32)", |n| stage.run(n, many(body, n)))
                    .with("dayfly, enqueue one by one", |n| stage.run(n, one_by_one(body, n)))
                    .with("kanal channel of chunks", |n| stage.run(n, kanal_of_chunks(body, n))),
            );
        }
    }
    runner.end()
}

/// A kanal channel takes items one by one; `try_send` first spares the future while there is room.
async fn kanal(body: Body, operations: u64) {
    let (sender, loops) = pools::kanal_loops(body);
    for number in 0..operations {
        if !sender.try_send(number).expect("the loops receive") {
            sender.send(number).await.expect("the loops receive");
        }
    }
    drop(sender);
    loops.join_all().await;
}

async fn many(body: Body, operations: u64) {
    let work = pools::coordinator(body);
    for chunk in 0..operations / CHUNK {
        let items = chunk * CHUNK..(chunk + 1) * CHUNK;
        assert_eq!(work.enqueue_many(items).await.expect("it is open"), CHUNK);
    }
    assert_eq!(work.drain().await.completed, operations);
}

async fn one_by_one(body: Body, operations: u64) {
    pools::dayfly(pools::coordinator(body), operations).await;
}

/// The cheapest way there is, for what it gives up: one body that waits holds back the rest of its chunk.
async fn kanal_of_chunks(body: Body, operations: u64) {
    let (sender, receiver) = kanal::bounded_async::<Vec<u64>>(QUEUE / CHUNK as usize);
    let mut loops = JoinSet::new();
    for _ in 0..AT_ONCE {
        let receiver = receiver.clone();
        loops.spawn(async move {
            while let Ok(chunk) = receiver.recv().await {
                for _ in chunk {
                    body.run().await;
                }
            }
        });
    }
    drop(receiver);
    for chunk in 0..operations / CHUNK {
        let items = (chunk * CHUNK..(chunk + 1) * CHUNK).collect();
        sender.send(items).await.expect("the loops receive");
    }
    drop(sender);
    loops.join_all().await;
}
