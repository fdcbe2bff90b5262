//! The ledger behind its lock, and those who are told of it. Signals, wake-ups and drops of items come after the lock.

use std::fmt::Display;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dayfly::contain::contain;
use dayfly::{Draft, SignalSink};
use tokio::sync::watch;

use crate::ledger::{Ledger, Parking};
use crate::options::SequentialOptions;
use crate::{GivenUp, Parked};

pub(crate) struct Line<K, T> {
    ledger: Mutex<Ledger<K, T>>,
    /// Lets bodies pass the lock by as long as somebody is left to unpark keys.
    is_abandoned: AtomicBool,
    /// Counts changes of the parked keys.
    changes: watch::Sender<u64>,
    signals: SignalSink,
    parked_signal: String,
}

impl<K: Eq + Hash + Clone, T> Line<K, T> {
    pub(crate) fn new(options: &SequentialOptions, signals: &SignalSink) -> Self {
        Self {
            ledger: Mutex::new(Ledger::new(options.work.most_at_once())),
            is_abandoned: AtomicBool::new(false),
            changes: watch::Sender::new(0),
            signals: signals.clone(),
            parked_signal: options.parked_signal.clone().into_owned(),
        }
    }

    /// Parks a key, and says whether it is: not when nobody is left to unpark it, nor when it panics.
    pub(crate) fn park(&self, key: &K, parking: Parking<T>) -> bool
    where
        K: Display,
    {
        // Foreign, as what it writes goes into a signal: never under the lock.
        let text = contain(|| key.to_string());
        // A key that panics is not parked, and so its item is given up.
        let number = contain(|| self.lock().park(key.clone(), parking)).flatten();
        let Some(number) = number else { return false };
        self.tell();
        if let Some(text) = text {
            // Who listens may unpark the key in this very call, so the signal is left only with the stay it is for.
            let hold = self.signals.hold(Draft::named(&self.parked_signal).key(&text));
            contain(|| {
                let surplus = self.lock().keep(key, number, hold);
                drop(surplus);
            });
        }
        true
    }

    /// Takes a key out; its item goes on.
    pub(crate) fn release(&self, key: &K) -> Option<Parking<T>> {
        let parking = self.lock().release(key)?;
        self.tell();
        Some(parking)
    }

    /// Takes a key out; its item is handed back.
    pub(crate) fn remove(&self, key: &K) -> Option<Parking<T>> {
        let parking = self.lock().remove(key)?;
        self.tell();
        Some(parking)
    }

    /// The engine has ended an operation that will not run (again).
    pub(crate) fn end(&self, ended: GivenUp<K, T>) {
        let (parking, surplus) = self.lock().end(ended);
        if parking.is_some() {
            self.tell();
        }
        contain(|| drop(parking));
        contain(|| drop(surplus));
    }

    /// An operation has ended whose item nobody gets otherwise.
    pub(crate) fn give_up(&self, ended: GivenUp<K, T>) {
        let surplus = self.lock().give_up(ended);
        contain(|| drop(surplus));
    }

    /// Nobody is left to unpark keys. What was parked is returned.
    pub(crate) fn abandon(&self) -> Vec<Parking<T>> {
        // First, so that whoever finds a line stopped for good has every body look for it.
        self.is_abandoned.store(true, Ordering::Release);
        let parked = self.lock().stop();
        self.tell();
        parked
    }

    /// Whether a key's line has stopped for good.
    pub(crate) fn has_stopped(&self, key: &K) -> bool {
        self.is_abandoned.load(Ordering::Acquire) && self.lock().has_stopped(key)
    }

    pub(crate) fn keys(&self) -> Vec<K> {
        self.lock().keys()
    }

    pub(crate) fn get(&self, key: &K) -> Option<Parked<K>> {
        self.lock().get(key)
    }

    pub(crate) fn list(&self) -> Vec<Parked<K>> {
        self.lock().list()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn given_up(&self) -> (Vec<GivenUp<K, T>>, u64) {
        self.lock().given_up()
    }

    pub(crate) fn take_given_up(&self) -> Vec<GivenUp<K, T>> {
        self.lock().take_given_up()
    }

    pub(crate) fn list_at_least(&self, items: usize) {
        self.lock().list_at_least(items);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn tell(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// Keys are foreign code; whatever of it panicked, the ledger's own steps are whole.
    fn lock(&self) -> MutexGuard<'_, Ledger<K, T>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the line is kept; it leads nowhere else, so that nothing keeps the engine alive.
pub(crate) type SharedLine<K, T> = Arc<Line<K, T>>;
