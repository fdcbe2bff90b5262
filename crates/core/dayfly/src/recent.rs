//! The last signals that an operation raised.
//!
//! A raise only notes its id; the signal itself is fetched from the sink as soon as the body's poll is over. So a body
//! pays little for a raise, and only one that is followed by more raises than the sink's history holds, within the same
//! poll, can be missing from the record.

use dayfly_signal::{Signal, SignalId, SignalSink};

use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, PoisonError};

/// How many signals are kept.
const KEPT: usize = 8;

#[derive(Default)]
pub(crate) struct Recent {
    /// Signals that were raised, and those of them that were fetched.
    raised: AtomicU64,
    fetched: AtomicU64,
    /// The ids of the last ones raised, the n-th at n modulo their number; zero where the next one is to stand.
    ids: [AtomicU64; KEPT],
    signals: Mutex<Vec<Signal>>,
}

impl Recent {
    /// A signal was raised.
    pub(crate) fn note(&self, id: SignalId) {
        let place = self.raised.fetch_add(1, Ordering::AcqRel);
        self.ids[place_of(place)].store(id.get(), Ordering::Release);
    }

    /// Fetches what was noted. Where nothing was, this is two loads.
    pub(crate) fn fetch(&self, sink: &SignalSink) {
        if self.raised.load(Ordering::Acquire) != self.fetched.load(Ordering::Acquire) {
            self.fetch_noted(sink, &mut self.lock());
        }
    }

    /// The signals so far, oldest first.
    pub(crate) fn list(&self, sink: &SignalSink) -> Vec<Signal> {
        self.fetch(sink);
        if self.is_empty() { Vec::new() } else { self.lock().clone() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.raised.load(Ordering::Acquire) == 0
    }

    /// Moves the signals into `list`, and forgets all for the next operation.
    pub(crate) fn take(&self, sink: &SignalSink, list: &mut Vec<Signal>) {
        if self.fetched.load(Ordering::Acquire) > 0 {
            list.append(&mut self.lock());
        }
        self.fetch_noted(sink, list);
        self.raised.store(0, Ordering::Release);
        self.fetched.store(0, Ordering::Release);
    }

    fn fetch_noted(&self, sink: &SignalSink, signals: &mut Vec<Signal>) {
        let (fetched, raised) = (self.fetched.load(Ordering::Acquire), self.raised.load(Ordering::Acquire));
        let mut ids = [SignalId::from_u64(0); KEPT];
        let first = fetched.max(raised.saturating_sub(KEPT as u64));
        let mut count = 0;
        for (id, place) in ids.iter_mut().zip(first..raised) {
            let noted = &self.ids[place_of(place)];
            if noted.load(Ordering::Acquire) == 0 {
                // Raised on another thread, which is about to note it, and fetches it then with all that follow.
                break;
            }
            // Taken out, so that nobody takes what is left of an earlier raise for this one.
            *id = SignalId::from_u64(noted.swap(0, Ordering::AcqRel));
            count += 1;
        }
        sink.events_into(&ids[..count], signals);
        if signals.len() > KEPT {
            signals.drain(..signals.len() - KEPT);
        }
        self.fetched.store(first + count as u64, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Signal>> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the id of the raise with this number stands.
#[expect(clippy::cast_possible_truncation, reason = "the remainder is smaller than the number of places")]
const fn place_of(number: u64) -> usize {
    (number % KEPT as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_in_the_middle_of_a_raise_takes_nothing_away_and_sees_nothing_foreign() {
        let (sink, recent) = (SignalSink::default(), Recent::default());
        let list = |recent: &Recent| recent.list(&sink).iter().map(Signal::to_string).collect::<Vec<_>>();
        recent.note(sink.raise("before"));
        recent.take(&sink, &mut Vec::new());
        // The next operation raises. These are the two steps of `note`, with a look in between.
        let id = sink.raise("own");
        let place = recent.raised.fetch_add(1, Ordering::AcqRel);
        assert!(list(&recent).is_empty(), "what an earlier operation raised is not its own");
        recent.ids[place_of(place)].store(id.get(), Ordering::Release);
        assert_eq!(list(&recent), ["own"]);
        for number in 0..20 {
            recent.note(sink.raise(&number.to_string()));
        }
        assert_eq!(list(&recent), (12..20).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}
