//! How near to the cores does work for the processor come, 2 us a piece? (Section A)

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use dayfly_benches::body::{Body, done, verified};
use dayfly_benches::busy::Work;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::pools;
use dayfly_benches::runtimes::stages;

const OPERATIONS: u64 = 50_000;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let work = Work::lasting(Duration::from_micros(2));
    let body = Body::Busy(work);
    for stage in &stages() {
        runner.ask(
            Contest::new(format!("cpu_bound, {}, 2 us", stage.name), OPERATIONS)
                .with("ideal: the work over the cores", |n| ideal(work, stage.workers, n))
                .with("dayfly Coordinator", |n| stage.run(n, dayfly(body, n)))
                .with("kanal channel, 64 worker loops", |n| stage.run(n, pools::kanal(body, n)))
                .with("spawn + Semaphore", |n| stage.run(n, pools::spawn_with_semaphore(body, n))),
        );
    }
    runner.end()
}

/// Measured, not computed: what the machine has to give changes from round to round.
fn ideal(work: Work, cores: u64, operations: u64) {
    verified(operations, || {
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    for _ in 0..operations / cores {
                        work.run();
                        done();
                    }
                });
            }
        });
    });
}

async fn dayfly(body: Body, operations: u64) {
    pools::dayfly(pools::coordinator(body), operations).await;
}
