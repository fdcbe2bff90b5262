//! What does a call cost whose answer is awaited? (Section A)

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use dayfly::{ResultCoordinator, SignalSink};
use dayfly_benches::body::Body;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::pools::{AT_ONCE, OPTIONS, QUEUE};
use dayfly_benches::runtimes::plain;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

/// A multiple of the callers.
const OPERATIONS: u64 = 1_600 * 64;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    // The callers are tasks everywhere, so it does not matter where the one stands that waits for them.
    for stage in &plain() {
        for callers in [1, 64] {
            runner.ask(
                Contest::new(format!("submit, {}, callers: {callers}", stage.name), OPERATIONS)
                    .with("kanal channel, 64 worker loops, oneshot", |n| stage.run(n, kanal(callers, n)))
                    .with("dayfly ResultCoordinator", |n| stage.run(n, dayfly(callers, n)))
                    .with("spawn + Semaphore, awaited", |n| stage.run(n, spawn(callers, n))),
            );
        }
    }
    runner.end()
}

/// So many tasks, each of which calls one time after the other, as servers do. They are tasks also when there is only
/// one: `block_on` would make the runtime wake another thread for every answer.
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

async fn answer(number: u64) -> u64 {
    Body::Ready.run().await;
    number + 1
}

async fn kanal(callers: u64, operations: u64) {
    let (sender, receiver) = kanal::bounded_async::<(u64, oneshot::Sender<u64>)>(QUEUE);
    let mut loops = JoinSet::new();
    for _ in 0..AT_ONCE {
        let receiver = receiver.clone();
        loops.spawn(async move {
            while let Ok((number, reply)) = receiver.recv().await {
                reply.send(answer(number).await).expect("the caller waits");
            }
        });
    }
    together(callers, || {
        let sender = sender.clone();
        async move {
            for number in 0..operations / callers {
                let (reply, answer) = oneshot::channel();
                sender.send((number, reply)).await.expect("the loops receive");
                assert_eq!(answer.await.expect("the loop answers"), number + 1);
            }
        }
    })
    .await;
    drop(sender);
    loops.join_all().await;
}

async fn dayfly(callers: u64, operations: u64) {
    let work = ResultCoordinator::spawn(OPTIONS, &SignalSink::default(), |number: u64, _| async move {
        Ok::<u64, Infallible>(answer(number).await)
    });
    together(callers, || {
        let work = work.clone();
        async move {
            for number in 0..operations / callers {
                let ticket = work.submit(number).await.expect("it is open");
                assert_eq!(ticket.await, Ok(number + 1));
            }
        }
    })
    .await;
    assert_eq!(work.drain().await.completed, operations);
}

async fn spawn(callers: u64, operations: u64) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    together(callers, || {
        let permits = Arc::clone(&permits);
        async move {
            for number in 0..operations / callers {
                let permit = Arc::clone(&permits).acquire_owned().await.expect("it is open");
                let task = tokio::spawn(async move {
                    let answer = answer(number).await;
                    drop(permit);
                    answer
                });
                assert_eq!(task.await.expect("the body ends"), number + 1);
            }
        }
    })
    .await;
}
