//! Whoever looks at names: watches, counters, subscriptions, callbacks. Each topic knows its interests, so that a raise
//! matches no pattern and touches only those who asked for its name.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use crate::clock::Ticks;
use crate::listener::{self, Callback, Delivery};
use crate::published::FigureWriter;
use crate::state::State;
use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::window::CountWindow;
use crate::{Lagged, PatternSet, Signal, SignalId, SignalKind, SignalSink};

pub(crate) struct Interest {
    pub(crate) patterns: PatternSet,
    pub(crate) of: Interested,
}

pub(crate) enum Interested {
    Watch { version: Arc<AtomicU64>, waker: Option<Waker> },
    Counter(Tally),
    Subscription(Mailbox),
    Listener(Callback),
}

/// Events that wait for one subscriber, the oldest dropped and counted when there are too many.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) waiting: VecDeque<Signal>,
    pub(crate) lagged: u64,
    pub(crate) capacity: usize,
    pub(crate) intake: Arc<Intake>,
    pub(crate) waker: Option<Waker>,
}

/// What is to be known and done at a mailbox without receiving from it.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    /// How many events were dropped ever.
    pub(crate) dropped: AtomicU64,
    /// Takes no more events; those that wait stay.
    pub(crate) is_closed: AtomicBool,
}

/// Whom to tell once the sink's lock is free: wakers, and callbacks with their event. Nobody waits for most raises, so
/// that case is nothing at all, not even two empty lists.
#[derive(Default)]
pub(crate) struct Wakes {
    wakers: Option<Vec<Waker>>,
    callbacks: Option<Vec<(Callback, Signal)>>,
}

/// An event on its way past those who look at its name. The signal is built for the first who keeps it.
pub(crate) struct Shown<F> {
    pub(crate) id: SignalId,
    pub(crate) at: Ticks,
    pub(crate) kind: SignalKind,
    pub(crate) signal: Option<Signal>,
    pub(crate) build: F,
}

impl<F: Fn() -> Signal> Shown<F> {
    fn signal(&mut self) -> Signal {
        self.signal.get_or_insert_with(&self.build).clone()
    }
}

/// A registered count: the window that knows, and the board that its readers look at.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) window: CountWindow,
    pub(crate) writer: FigureWriter,
}

impl Tally {
    pub(crate) fn publish(&mut self, max_age: Ticks) {
        self.writer.publish(self.window.figure(max_age));
    }
}

impl Interest {
    /// Shows an event of the sink, after the state has taken it in.
    pub(crate) fn show<F: Fn() -> Signal>(
        &mut self,
        shown: &mut Shown<F>,
        max_age: Ticks,
        wakes: &mut Wakes,
    ) {
        match &mut self.of {
            Interested::Watch { .. } => self.state_changed(wakes),
            Interested::Counter(tally) => {
                if shown.kind == SignalKind::Raised {
                    tally.window.push(shown.id.0, shown.at);
                    tally.publish(max_age);
                }
            }
            Interested::Subscription(mailbox) => {
                mailbox.push(shown.signal());
                wakes.add(mailbox.waker.take());
            }
            Interested::Listener(callback) => wakes.call(callback, shown.signal()),
        }
    }

    /// The history has dropped an event of a name that this looks at: a count must not hold it any longer.
    pub(crate) fn forget(&mut self, now: Ticks, oldest_in_history: u64, max_age: Ticks) {
        if let Interested::Counter(tally) = &mut self.of {
            tally.window.trim(now, oldest_in_history);
            tally.publish(max_age);
        }
    }

    /// A count that holds for another time than before has to be published anew.
    pub(crate) fn publish(&mut self, max_age: Ticks) {
        if let Interested::Counter(tally) = &mut self.of {
            tally.publish(max_age);
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

impl State {
    /// Registers an interest with the names that it means, those to come included.
    pub(crate) fn listen(&mut self, interest: Interest) -> usize {
        let at = self.interests.insert(interest);
        let patterns = &self.interests[at].patterns;
        for topic in self.topics.iter_mut() {
            if patterns.matches(&topic.label.name) {
                topic.interests.push(at);
            }
        }
        at
    }

    pub(crate) fn interest(&mut self, at: usize) -> &mut Interested {
        &mut self.interests[at].of
    }

    pub(crate) fn unlisten(&mut self, at: usize) -> Interest {
        for topic in self.topics.iter_mut() {
            topic.interests.retain(|&interest| interest != at);
        }
        self.interests.remove(at)
    }
}

impl Mailbox {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { waiting: VecDeque::new(), lagged: 0, capacity, intake: Arc::default(), waker: None }
    }

    /// What comes next: the loss is told in the place of what was lost, before the oldest event that was kept.
    pub(crate) fn take(&mut self) -> Result<Option<Signal>, Lagged> {
        match std::mem::take(&mut self.lagged) {
            0 => Ok(self.waiting.pop_front()),
            lost => Err(Lagged(lost)),
        }
    }

    /// Holds at most so many from now on, and hands over what is too much.
    pub(crate) fn bound(&mut self, capacity: usize) -> Vec<Signal> {
        self.capacity = capacity;
        let excess = self.waiting.len().saturating_sub(capacity);
        self.lose(excess as u64);
        self.waiting.drain(..excess).collect()
    }

    pub(crate) fn push(&mut self, signal: Signal) {
        if self.intake.is_closed.load(Ordering::Acquire) {
            return;
        }
        if self.waiting.len() >= self.capacity {
            self.waiting.pop_front();
            self.lose(1);
        }
        self.waiting.push_back(signal);
    }

    fn lose(&mut self, events: u64) {
        self.lagged += events;
        self.intake.dropped.fetch_add(events, Ordering::Relaxed);
    }
}

impl Wakes {
    pub(crate) fn add(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.wakers.get_or_insert_default().push(waker);
        }
    }

    fn call(&mut self, callback: &Callback, signal: Signal) {
        self.callbacks.get_or_insert_default().push((Arc::clone(callback), signal));
    }

    /// Wakes and delivers. A delivery runs foreign code in this very call.
    #[inline]
    pub(crate) fn carry_out(self, sink: &SignalSink) {
        let Self { wakers, callbacks } = self;
        if let Some(wakers) = wakers {
            let mut wakers = wakers.into_iter();
            // A waker is foreign code: one that panics costs nobody else the news.
            while listener::contained(|| wakers.by_ref().for_each(Waker::wake)).is_none() {}
        }
        if let Some(callbacks) = callbacks {
            let with_sink = |(callback, signal)| Delivery { sink: sink.clone(), signal, callback };
            listener::deliver(callbacks.into_iter().map(with_sink).collect());
        }
    }

    /// Adds the wakers of `more`, and not its callbacks.
    pub(crate) fn add_wakers(&mut self, more: Self) {
        if let Some(more) = more.wakers {
            self.wakers.get_or_insert_default().extend(more);
        }
    }
}
