//! Threads that raise, retract and wait at once: nobody is left behind.

use std::time::Duration;

use dayfly_signal::{Draft, SignalSink};
use dayfly_signal_aware::{Gate, GateOptions};
use tokio::runtime::Handle;
use tokio::time::timeout;

const WAITERS: usize = 64;
const ROUNDS: usize = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_gets_through_a_gate_that_opens_and_shuts() {
    let signals = SignalSink::default();
    let gate = Gate::new(GateOptions::new().defer_on("busy.*").keyed(true), &signals);
    let flapping = (0..2).map(|number| {
        let signals = signals.clone();
        Handle::current().spawn(async move {
            for round in 0..ROUNDS {
                let draft = Draft::from(if number == 0 { "busy.a" } else { "busy.b" });
                let draft = if round % 2 == 0 { draft } else { draft.key("1") };
                let hold = signals.hold(draft);
                tokio::task::yield_now().await;
                drop(hold);
            }
        })
    });
    let flapping: Vec<_> = flapping.collect();
    let waiting = (0..WAITERS).map(|number| {
        let gate = gate.clone();
        Handle::current().spawn(async move {
            for round in 0..ROUNDS {
                match number % 3 {
                    0 => gate.pass().await.unwrap(),
                    1 => gate.pass_key(1).await.unwrap(),
                    // A waiter that gives up takes nobody's wake-up along.
                    _ if round % 2 == 0 => drop(timeout(Duration::ZERO, gate.pass()).await),
                    _ => gate.pass_key(2).await.unwrap(),
                }
            }
        })
    });
    let waiting: Vec<_> = waiting.collect();
    for task in flapping.into_iter().chain(waiting) {
        // A bound on a hang: what is waited for is the task.
        timeout(Duration::from_secs(60), task).await.unwrap().unwrap();
    }
    let stats = gate.stats();
    assert_eq!((stats.deferred, stats.refused), (0, 0));
}
