//! What the handles and the reporter share.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use dayfly::StatsHandle;
use dayfly_signal::{Lagged, Signal, SignalId, SignalSink, Subscription};
use futures_core::Stream;

use crate::Figures;
use crate::client::Metric;
use crate::ends::Ends;
use crate::tally::{Tally, is_over};

/// What the handles and the reporter share. Its locks are held for a few steps each, and no client is called under one.
#[derive(Debug)]
pub(crate) struct Desk {
    inbox: Mutex<Inbox>,
    watched: Mutex<Vec<Arc<Watched>>>,
    pub(crate) ends: Arc<Ends>,
    signals: SignalSink,
}

/// The queue, and what became of what was in it. They stand under one lock, so that they always add up.
#[derive(Debug)]
struct Inbox {
    /// Absent after the end.
    events: Option<Subscription>,
    taken: u64,
    figures: Figures,
}

/// A coordinator that is watched.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) name: Arc<str>,
    stats: StatsHandle,
    tally: Mutex<Tally>,
    /// Its place is taken, or it was let go: it is reported once more. Who tells of its operations' ends looks here too.
    is_leaving: Arc<AtomicBool>,
}

impl Watched {
    /// Marks the one of this name. Says whether there was one that was not marked.
    fn leave(all: &[Arc<Self>], name: &str) -> bool {
        let mut of_name = all.iter().filter(|watched| &*watched.name == name);
        of_name.any(|watched| !watched.is_leaving.swap(true, Ordering::AcqRel))
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Acquire)
    }

    /// What is to be reported of it, and whether it was the last time. Only the reporter asks, so nobody waits.
    pub(crate) fn report(&self) -> (Vec<Metric<'_>>, bool) {
        // Asked before the figures are read: what is let go in between is reported once more.
        let is_leaving = self.is_leaving();
        let mut stats = self.stats.stats();
        if is_leaving {
            (stats.running, stats.pending) = (0, 0);
        }
        let report = self.tally.lock().unwrap_or_else(PoisonError::into_inner).report(&self.name, stats);
        (report, is_leaving || is_over(&stats))
    }
}

impl Desk {
    pub(crate) fn new(events: Subscription, signals: SignalSink, ends: Arc<Ends>) -> Self {
        let inbox = Inbox { events: Some(events), taken: 0, figures: Figures::default() };
        Self { inbox: Mutex::new(inbox), watched: Mutex::default(), ends, signals }
    }

    /// Takes the next event that waits, and counts what was lost before it.
    pub(crate) fn take(&self) -> Option<Signal> {
        let inbox = &mut *self.lock();
        loop {
            match inbox.events.as_mut()?.try_recv() {
                Ok(next) => {
                    inbox.taken += u64::from(next.is_some());
                    return next;
                }
                Err(Lagged(lost)) => inbox.figures.dropped += lost,
            }
        }
    }

    /// Like [`take`](Self::take), and has the reporter woken by the next event if there is none.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Signal> {
        let inbox = &mut *self.lock();
        while let Some(events) = &mut inbox.events {
            match Pin::new(events).poll_next(context) {
                Poll::Ready(Some(Ok(signal))) => {
                    inbox.taken += 1;
                    return Poll::Ready(signal);
                }
                Poll::Ready(Some(Err(Lagged(lost)))) => inbox.figures.dropped += lost,
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }

    /// The newest event of the sink: what was raised before this is not newer.
    pub(crate) fn newest(&self) -> SignalId {
        self.signals.newest()
    }

    pub(crate) fn note(&self, note: impl FnOnce(&mut Figures)) {
        note(&mut self.lock().figures);
    }

    pub(crate) fn set_capacity(&self, events: usize) {
        if let Some(inbox) = &self.lock().events {
            inbox.set_capacity(events);
        }
        self.ends.set_capacity(events);
    }

    pub(crate) fn figures(&self) -> Figures {
        let watched = self.lock_watched().len();
        let ends_dropped = self.ends.dropped();
        let inbox = self.lock();
        let backlog = inbox.events.as_ref().map(Subscription::backlog).unwrap_or_default();
        let mut figures = inbox.figures;
        figures.dropped += backlog.lost;
        figures.queued = backlog.waiting as u64 + (inbox.taken - figures.processed);
        figures.received = figures.queued + figures.processed + figures.dropped;
        Figures { ends_dropped, watched, ..figures }
    }

    /// Takes no more events. What has not been taken by now is dropped, and counted.
    pub(crate) fn end(&self) {
        self.ends.end();
        let events = {
            let mut inbox = self.lock();
            let events = inbox.events.take();
            let backlog = events.as_ref().map(Subscription::backlog).unwrap_or_default();
            inbox.figures.dropped += backlog.lost + backlog.waiting as u64;
            events
        };
        // It may own payloads, and a waker: they go after the lock.
        drop(events);
        let watched = std::mem::take(&mut *self.lock_watched());
        drop(watched);
    }

    /// Watches these figures under this name, in the place of those that were watched under it before. The flag says from
    /// when on nobody wants to hear of it.
    pub(crate) fn watch(&self, name: &Arc<str>, stats: StatsHandle) -> Arc<AtomicBool> {
        let is_leaving = Arc::new(AtomicBool::new(false));
        let tally = Mutex::default();
        let mut had_place = false;
        let watched = Watched { name: Arc::clone(name), stats, tally, is_leaving: Arc::clone(&is_leaving) };
        let mut watched = Some(Arc::new(watched));
        {
            let inbox = self.lock();
            // After the end nobody would ever look at it.
            if inbox.events.is_some() {
                let mut all = self.lock_watched();
                had_place = Watched::leave(&all, name);
                all.extend(watched.take());
            }
        }
        if had_place {
            self.ends.is_filling.notify_one();
        }
        if watched.is_some() {
            is_leaving.store(true, Ordering::Release);
        }
        is_leaving
    }

    /// Has what is watched under this name reported once more, and then forgotten. Says whether there is such.
    pub(crate) fn let_go(&self, name: &str) -> bool {
        let is_there = Watched::leave(&self.lock_watched(), name);
        if is_there {
            self.ends.is_filling.notify_one();
        }
        is_there
    }

    /// Everyone who is watched, those who wait for their last report first.
    pub(crate) fn watched(&self) -> Vec<Arc<Watched>> {
        let mut watched = self.lock_watched().clone();
        watched.sort_by_key(|watched| !watched.is_leaving());
        watched
    }

    /// Forgets what was reported for the last time.
    pub(crate) fn forget(&self, watched: &Arc<Watched>) {
        let mut all = self.lock_watched();
        let at = all.iter().position(|other| Arc::ptr_eq(other, watched));
        let forgotten = at.map(|at| all.remove(at));
        drop(all);
        // It may be the last to hold the coordinator's body.
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_watched(&self) -> MutexGuard<'_, Vec<Arc<Watched>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
