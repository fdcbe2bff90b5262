//! Threads that raise, retract and wait at once: nobody is left behind.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
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

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Waits for the other thread to come to this time.
fn meet(other: &AtomicUsize, time: usize) {
    while other.load(Ordering::SeqCst) < time {
        std::thread::yield_now();
    }
}

/// Who finds the gate shut and is not in line yet when it opens is not woken by that, and has to see it by itself.
#[test]
fn a_gate_that_opens_while_somebody_enters_the_line_is_missed_by_nobody() {
    const TIMES: usize = 2_000;
    let signals = SignalSink::default();
    let gate = Gate::new(GateOptions::new().defer_on("busy").keyed(true), &signals);
    let (polls, opens, busy) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(None));
    let mut sleepers = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for time in 1..=TIMES {
                meet(&polls, time);
                // It opens at another moment of the poll each time.
                (0..time % 256).for_each(|_| std::hint::spin_loop());
                drop(busy.lock().unwrap().take());
                opens.store(time, Ordering::SeqCst);
            }
        });
        for time in 1..=TIMES {
            *busy.lock().unwrap() = Some(signals.hold("busy"));
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            let mut pass = pin!(gate.pass_key(1));
            polls.store(time, Ordering::SeqCst);
            let polled = pass.as_mut().poll(&mut Context::from_waker(&waker));
            meet(&opens, time);
            sleepers += usize::from(polled.is_pending() && !woken.0.load(Ordering::SeqCst));
        }
    });
    assert_eq!(sleepers, 0, "so many were neither through nor woken");
}
