//! What does passing an open gate cost, opening one for many who wait, and a signal that changes nothing for them?

use std::hint::black_box;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use dayfly_benches::contest::{Contest, Runner};
use dayfly_signal::SignalSink;
use dayfly_signal_aware::{Gate, GateOptions, Verdict};
use tokio::runtime::Builder;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

const PASSES: u64 = 200_000;
const WAITERS: u64 = 1_000;
const RAISES: u64 = 2_000;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    open(&mut runner);
    opening(&mut runner);
    shut(&mut runner);
    runner.end()
}

fn gate(signals: &SignalSink) -> Gate {
    Gate::new(GateOptions::new().cancel_on("shutdown").defer_on("backpressure.*"), signals)
}

/// Polls once what is ready at once.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it had to be ready"),
    }
}

fn open(runner: &mut Runner) {
    let signals = SignalSink::default();
    let (open, ageing_signals) = (gate(&signals), SignalSink::default());
    let resumed = Gate::new(GateOptions::new().defer_on("busy").resume_on("relief"), &ageing_signals);
    ageing_signals.raise("busy");
    ageing_signals.raise("relief");
    let (_keep, mut deferred) = watch::channel(false);
    let (_kept, cancelled) = watch::channel(false);
    let permits = Semaphore::new(1);
    runner.ask(
        Contest::new("pass an open gate", PASSES)
            .with("two watch channels by hand", |n| {
                for _ in 0..n {
                    assert!(!*black_box(&cancelled).borrow());
                    black_box(at_once(deferred.wait_for(|deferred| !deferred))).expect("the sender lives");
                }
            })
            .with("dayfly, pass", |n| {
                (0..n).for_each(|_| at_once(black_box(&open).pass()).expect("nothing is raised"));
            })
            .with("dayfly, check", |n| {
                (0..n).for_each(|_| assert_eq!(black_box(&open).check(), Verdict::Open));
            })
            .with("dayfly, pass while a resume ages", |n| {
                (0..n).for_each(|_| at_once(black_box(&resumed).pass()).expect("it is resumed"));
            })
            .with("dayfly, the sink asked by hand", |n| {
                (0..n).for_each(|_| assert!(!signals.is_raised(black_box("shutdown, backpressure.*"))));
            })
            .with("a semaphore's permit, taken and returned", |n| {
                (0..n).for_each(|_| drop(black_box(at_once(permits.acquire()))));
            }),
    );
}

fn opening(runner: &mut Runner) {
    let runtime = || Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (one, two, three) = (runtime(), runtime(), runtime());
    runner.ask(
        Contest::new("open for 1,000 who wait, per waiter", WAITERS)
            .with("watch channel", |n| {
                one.block_on(async {
                    let (sender, receiver) = watch::channel(true);
                    let mut waits = JoinSet::new();
                    for _ in 0..n {
                        let mut receiver = receiver.clone();
                        waits.spawn(async move { drop(receiver.wait_for(|shut| !shut).await) });
                    }
                    tokio::task::yield_now().await;
                    sender.send(false).expect("they wait");
                    waits.join_all().await;
                });
            })
            .with("Notify", |n| {
                two.block_on(async {
                    let notify = std::sync::Arc::new(Notify::new());
                    let mut waits = JoinSet::new();
                    for _ in 0..n {
                        let notify = std::sync::Arc::clone(&notify);
                        waits.spawn(async move { notify.notified().await });
                    }
                    while !waits.is_empty() {
                        tokio::task::yield_now().await;
                        notify.notify_waiters();
                        while waits.try_join_next().is_some() {}
                    }
                });
            })
            .with("dayfly, a hold that is dropped", |n| {
                three.block_on(async {
                    let signals = SignalSink::default();
                    let gate = gate(&signals);
                    let hold = signals.hold("backpressure.disk");
                    let mut waits = JoinSet::new();
                    for _ in 0..n {
                        let gate = gate.clone();
                        waits.spawn(async move { gate.pass().await });
                    }
                    tokio::task::yield_now().await;
                    drop(hold);
                    waits.join_all().await;
                });
            }),
    );
}

fn shut(runner: &mut Runner) {
    let runtime = || Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (one, two) = (runtime(), runtime());
    let (sender, receiver) = watch::channel(true);
    let signals = SignalSink::default();
    let gate = gate(&signals);
    let _hold = signals.hold("backpressure.disk");
    for _ in 0..WAITERS {
        let (mut receiver, gate) = (receiver.clone(), gate.clone());
        drop(one.spawn(async move { drop(receiver.wait_for(|shut| !shut).await) }));
        drop(two.spawn(async move { gate.pass().await }));
    }
    let settle = || async {
        for _ in 0..40 {
            tokio::task::yield_now().await;
        }
    };
    runner.ask(
        Contest::new("a signal that goes on while 1,000 wait, per raise", RAISES)
            .with("watch channel", |n| {
                one.block_on(async {
                    for _ in 0..n {
                        sender.send(true).expect("they wait");
                        settle().await;
                    }
                });
            })
            .with("dayfly", |n| {
                two.block_on(async {
                    for _ in 0..n {
                        signals.raise("backpressure.net");
                        settle().await;
                    }
                });
            }),
    );
    assert_eq!(gate.stats().deferred as u64, WAITERS);
}
