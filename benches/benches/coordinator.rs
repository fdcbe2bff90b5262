//! What does an operation cost whose body is one atomic increment, 64 at once? (Section A)

use std::convert::Infallible;
use std::process::ExitCode;

use dayfly::{Coordinator, Operation, SignalSink};
use dayfly_benches::body::Body;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::pools::{self, AT_ONCE, OPTIONS, QUEUE};
use dayfly_benches::runtimes::stages;
use futures_util::{StreamExt, stream};
use tokio::task::JoinSet;
use tower::{Service, ServiceBuilder, ServiceExt};

const OPERATIONS: u64 = 200_000;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    for stage in &stages() {
        for (kind, body, operations) in
            [("ready", Body::Ready, OPERATIONS), ("yields", Body::Yields, OPERATIONS / 2)]
        {
            runner.ask(
                Contest::new(format!("coordinator, {}, {kind}", stage.name), operations)
                    .with("kanal channel, 64 worker loops", |n| stage.run(n, pools::kanal(body, n)))
                    .with("dayfly Coordinator", |n| stage.run(n, dayfly(body, n)))
                    .with("dayfly, one raise per operation", |n| stage.run(n, dayfly_raising(body, n)))
                    .with("for_each_concurrent", |n| stage.run(n, for_each(body, n)))
                    .with("spawn + Semaphore", |n| stage.run(n, pools::spawn_with_semaphore(body, n)))
                    .with("JoinSet, bounded", |n| stage.run(n, join_set(body, n)))
                    .with("tower buffer + limit, call_all", |n| stage.run(n, tower_call_all(body, n)))
                    .with("tower buffer + limit, spawned", |n| stage.run(n, tower_spawned(body, n))),
            );
        }
    }
    runner.end()
}

async fn dayfly(body: Body, operations: u64) {
    pools::dayfly(pools::coordinator(body), operations).await;
}

/// The sink is the coordinator's own, and the handle is looked up once, as the documentation advises.
async fn dayfly_raising(body: Body, operations: u64) {
    let signals = SignalSink::default();
    let ran = signals.handle("operation.ran");
    let before = signals.newest();
    let work = Coordinator::spawn(OPTIONS, &signals, move |_: u64, op: Operation| {
        op.raise(&ran);
        body.run()
    });
    pools::dayfly(work, operations).await;
    assert_eq!(signals.newest().get() - before.get(), operations);
}

async fn for_each(body: Body, operations: u64) {
    stream::iter(0..operations).for_each_concurrent(AT_ONCE, |_| body.run()).await;
}

async fn join_set(body: Body, operations: u64) {
    let mut tasks = JoinSet::new();
    for _ in 0..operations {
        if tasks.len() == AT_ONCE {
            tasks.join_next().await.expect("it is full").expect("the body ends");
        }
        tasks.spawn(body.run());
    }
    tasks.join_all().await;
}

/// The buffer stands outside of the limit, as only it can be cloned and shared.
fn tower(body: Body) -> impl Service<u64, Response = (), Error = tower::BoxError, Future: Send + 'static> {
    ServiceBuilder::new().buffer(QUEUE).concurrency_limit(AT_ONCE).service_fn(move |_: u64| async move {
        body.run().await;
        Ok::<_, Infallible>(())
    })
}

/// What tower offers for many requests; the caller's task polls all bodies.
async fn tower_call_all(body: Body, operations: u64) {
    let mut answers = tower(body).call_all(stream::iter(0..operations)).unordered();
    while let Some(answer) = answers.next().await {
        answer.expect("the body ends");
    }
}

/// A task for each answer, so that bodies run on all workers; ended tasks are taken out as it goes.
async fn tower_spawned(body: Body, operations: u64) {
    let mut service = tower(body);
    let mut answers = JoinSet::new();
    for number in 0..operations {
        let ready = service.ready().await.expect("the service lives");
        answers.spawn(ready.call(number));
        while let Some(ended) = answers.try_join_next() {
            ended.expect("the task ends").expect("the body ends");
        }
    }
    while let Some(ended) = answers.join_next().await {
        ended.expect("the task ends").expect("the body ends");
    }
}
