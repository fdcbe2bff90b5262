//! How much waits, kept as it comes and goes, so that nobody has to count.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// How much waits, in all and for each endpoint.
#[derive(Debug, Default)]
pub(in crate::serve) struct Counts {
    figures: Mutex<Figures>,
    fewer: Notify,
}

/// The figures at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Figures {
    /// Events that wait for at least one endpoint.
    pub(in crate::serve) events: u64,
    /// Room that requests under way have been promised.
    promised: u64,
    /// Events that wait for an endpoint.
    pub(in crate::serve) waiting: BTreeMap<String, u64>,
    /// Events that are parked for an endpoint.
    pub(in crate::serve) parked: BTreeMap<String, u64>,
}

/// Room in the backlog for a request under way. It is given back when the request has ended.
#[derive(Debug)]
pub(in crate::serve) struct Promise<'a> {
    counts: &'a Counts,
    events: u64,
}

impl Counts {
    pub(in crate::serve) fn figures(&self) -> Figures {
        self.lock().clone()
    }

    /// How much waits for one endpoint.
    pub(in crate::serve) fn waiting_for(&self, endpoint: &str) -> u64 {
        self.lock().waiting.get(endpoint).copied().unwrap_or_default()
    }

    /// How much is parked for one endpoint.
    pub(in crate::serve) fn parked_for(&self, endpoint: &str) -> u64 {
        self.lock().parked.get(endpoint).copied().unwrap_or_default()
    }

    /// Promises room for so many events in a backlog of this size, if there is any.
    pub(in crate::serve) fn promise(&self, events: u64, backlog: u64) -> Option<Promise<'_>> {
        let mut figures = self.lock();
        if events > figures.room(backlog) {
            return None;
        }
        figures.promised += events;
        Some(Promise { counts: self, events })
    }

    /// Promises room for so many events or fewer, and for one at least, if there is any.
    pub(in crate::serve) fn promise_up_to(&self, events: u64, backlog: u64) -> Option<Promise<'_>> {
        let mut figures = self.lock();
        let events = events.min(figures.room(backlog));
        if events == 0 {
            return None;
        }
        figures.promised += events;
        Some(Promise { counts: self, events })
    }

    /// Waits until nothing waits for this endpoint.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    pub(in crate::serve) async fn nothing_waits_for(&self, endpoint: &str) {
        self.come_to(|counts| counts.waiting_for(endpoint) == 0).await;
    }

    /// Waits until nothing waits for any endpoint, gone ones included.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    pub(in crate::serve) async fn nothing_waits(&self) {
        self.come_to(|counts| counts.lock().events == 0).await;
    }

    async fn come_to(&self, wanted: impl Fn(&Self) -> bool) {
        loop {
            let fewer = self.fewer.notified();
            let mut fewer = std::pin::pin!(fewer);
            // Listed before the look, so that a change after it wakes.
            fewer.as_mut().enable();
            if wanted(self) {
                return;
            }
            fewer.await;
        }
    }

    pub(super) fn entered(&self, waiting: &[String]) {
        let mut figures = self.lock();
        figures.events += 1;
        for endpoint in waiting {
            *figures.waiting.entry(endpoint.clone()).or_default() += 1;
        }
    }

    pub(super) fn left(&self, endpoint: &str, is_last: bool) {
        let mut figures = self.lock();
        figures.events = figures.events.saturating_sub(u64::from(is_last));
        if let Some(waiting) = figures.waiting.get_mut(endpoint) {
            *waiting = waiting.saturating_sub(1);
        }
        drop(figures);
        self.fewer.notify_waiters();
    }

    pub(super) fn parked(&self, endpoint: &str) {
        *self.lock().parked.entry(endpoint.to_owned()).or_default() += 1;
    }

    pub(super) fn unparked(&self, endpoint: &str) {
        if let Some(parked) = self.lock().parked.get_mut(endpoint) {
            *parked = parked.saturating_sub(1);
        }
    }

    pub(super) fn set_parked(&self, parked: BTreeMap<String, u64>) {
        self.lock().parked = parked;
    }

    /// Nothing that panics runs under this lock, so a poisoned one still guards sound figures.
    fn lock(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Figures {
    /// What is left of a backlog of this size.
    fn room(&self, backlog: u64) -> u64 {
        backlog.saturating_sub(self.events).saturating_sub(self.promised)
    }
}

impl Promise<'_> {
    /// How many events there is room for.
    pub(in crate::serve) const fn events(&self) -> u64 {
        self.events
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        let mut figures = self.counts.lock();
        figures.promised = figures.promised.saturating_sub(self.events);
    }
}
