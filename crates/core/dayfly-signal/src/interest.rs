//! Whoever looks at names: watches, counters, subscriptions, callbacks. Each topic knows its interests, so that a raise
//! matches no pattern and touches only those who asked for its name.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use crate::listener::{self, Callback, Delivery};
use crate::window::CountWindow;
use crate::{Lagged, PatternSet, Signal, SignalKind, SignalSink};

pub(crate) struct Interest {
    pub(crate) patterns: PatternSet,
    pub(crate) of: Interested,
}

pub(crate) enum Interested {
    Watch { version: Arc<AtomicU64>, waker: Option<Waker> },
    Counter(CountWindow),
    Subscription(Mailbox),
    Listener(Callback),
}

/// Events that wait for one subscriber, the oldest dropped and counted when there are too many.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) waiting: VecDeque<Signal>,
    pub(crate) lagged: u64,
    pub(crate) capacity: usize,
    pub(crate) waker: Option<Waker>,
}

/// Whom to tell once the sink's lock is free: wakers, and callbacks with their event.
#[derive(Default)]
pub(crate) struct Wakes {
    wakers: Vec<Waker>,
    callbacks: Vec<(Callback, Signal)>,
}

impl Interest {
    /// Shows an event of the sink, after the state has taken it in.
    pub(crate) fn show(&mut self, signal: &Signal, oldest_in_history: u64, wakes: &mut Wakes) {
        match &mut self.of {
            Interested::Watch { .. } => self.state_changed(wakes),
            Interested::Counter(window) => {
                if signal.kind == SignalKind::Raised {
                    window.push(signal.id.0, signal.at, oldest_in_history);
                }
            }
            Interested::Subscription(mailbox) => {
                mailbox.push(signal.clone());
                wakes.add(mailbox.waker.take());
            }
            Interested::Listener(callback) => wakes.callbacks.push((Arc::clone(callback), signal.clone())),
        }
    }

    /// Tells a watch that something it looks at was raised, taken back or aged out.
    pub(crate) fn state_changed(&mut self, wakes: &mut Wakes) {
        if let Interested::Watch { version, waker } = &mut self.of {
            version.fetch_add(1, Ordering::Release);
            wakes.add(waker.take());
        }
    }
}

impl Mailbox {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { waiting: VecDeque::new(), lagged: 0, capacity, waker: None }
    }

    /// What comes next: the loss is told in the place of what was lost, before the oldest event that was kept.
    pub(crate) fn take(&mut self) -> Result<Option<Signal>, Lagged> {
        match std::mem::take(&mut self.lagged) {
            0 => Ok(self.waiting.pop_front()),
            lost => Err(Lagged(lost)),
        }
    }

    pub(crate) fn push(&mut self, signal: Signal) {
        if self.waiting.len() >= self.capacity {
            self.waiting.pop_front();
            self.lagged += 1;
        }
        self.waiting.push_back(signal);
    }
}

impl Wakes {
    pub(crate) fn add(&mut self, waker: Option<Waker>) {
        self.wakers.extend(waker);
    }

    /// Wakes and delivers. A delivery runs foreign code in this very call.
    pub(crate) fn carry_out(self, sink: &SignalSink) {
        self.wakers.into_iter().for_each(Waker::wake);
        if !self.callbacks.is_empty() {
            let callbacks = self.callbacks.into_iter();
            let with_sink = |(callback, signal)| Delivery { sink: sink.clone(), signal, callback };
            listener::deliver(callbacks.map(with_sink).collect());
        }
    }

    /// Adds the wakers of `more`, and not its callbacks.
    pub(crate) fn add_wakers(&mut self, more: Self) {
        self.wakers.extend(more.wakers);
    }
}
