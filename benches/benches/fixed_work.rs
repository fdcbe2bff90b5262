//! What does a fixed pool of two threads add to work for the processor, 20 us and 2 us a piece?

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use dayfly::{CoordinatorOptions, SignalSink};
use dayfly_benches::body::{done, verified};
use dayfly_benches::busy::Work;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::runtimes::{ct, mt2};
use dayfly_fixed_work::{FixedWork, FixedWorkOptions};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const THREADS: usize = 2;
const QUEUE: usize = 1_024;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    for (micros, operations) in [(20, 5_000), (2, 50_000)] {
        let work = Work::lasting(Duration::from_micros(micros));
        for (name, runtime) in [("mt2", mt2()), ("ct", ct())] {
            let pool = {
                let _inside = runtime.enter();
                let options = FixedWorkOptions::new()
                    .workers(THREADS)
                    .work(CoordinatorOptions::new().queue_capacity(QUEUE));
                FixedWork::spawn_cpu(options, &SignalSink::default(), move |(), _| one(work))
            };
            let rayon = ThreadPoolBuilder::new().num_threads(THREADS).build().expect("there are threads");
            runner.ask(
                Contest::new(format!("fixed_work, {name}, {micros} us"), operations)
                    .with("ideal: the work over two threads", |n| ideal(work, n))
                    .with("dayfly FixedWork, enqueue", |n| dayfly(&runtime, &pool, n))
                    .with("dayfly FixedWork, submit, ticket awaited", |n| dayfly_tickets(&runtime, &pool, n))
                    .with("rayon spawn, unbounded", |n| rayon_spawn(&rayon, work, n))
                    .with("spawn_blocking + Semaphore", |n| spawn_blocking(&runtime, work, n)),
            );
            drop(pool);
        }
    }
    runner.end()
}

fn one(work: Work) {
    work.run();
    done();
}

/// Measured, not computed: what the machine has to give changes from round to round.
fn ideal(work: Work, operations: u64) {
    verified(operations, || {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..operations / THREADS as u64).for_each(|_| one(work)));
            }
        });
    });
}

fn dayfly(runtime: &Runtime, pool: &FixedWork<()>, operations: u64) {
    verified(operations, || {
        runtime.block_on(async {
            for _ in 0..operations {
                pool.enqueue(()).await.expect("it is open");
            }
            pool.idle().await;
        });
    });
}

fn dayfly_tickets(runtime: &Runtime, pool: &FixedWork<(), (), Infallible>, operations: u64) {
    verified(operations, || {
        runtime.block_on(async {
            let mut tickets = Vec::with_capacity(operations as usize);
            for _ in 0..operations {
                tickets.push(pool.submit(()).await.expect("it is open"));
            }
            for ticket in tickets {
                ticket.await.expect("it completes");
            }
        });
    });
}

fn rayon_spawn(pool: &ThreadPool, work: Work, operations: u64) {
    verified(operations, || {
        pool.in_place_scope(|scope| (0..operations).for_each(|_| scope.spawn(move |_| one(work))));
    });
}

fn spawn_blocking(runtime: &Runtime, work: Work, operations: u64) {
    verified(operations, || {
        runtime.block_on(async {
            let permits = Arc::new(Semaphore::new(THREADS));
            let mut tasks = JoinSet::new();
            for _ in 0..operations {
                let permit = permits.clone().acquire_owned().await.expect("it is open");
                tasks.spawn_blocking(move || {
                    one(work);
                    drop(permit);
                });
            }
            while let Some(ended) = tasks.join_next().await {
                ended.expect("it does not panic");
            }
        });
    });
}
