//! Which event an endpoint's loader looks at next: pure, and bounded whatever the backlog.
//!
//! The loader walks through the backlog once, in the order of sequence numbers. Where a key's part of the queue is full, the
//! event stays where it is and the walk goes on, past every later event of that key: of each such key nothing is remembered
//! but the number of the first event that was passed. When the key has room, a second walk starts there, for that key alone.
//!
//! ```text
//!            first passed of A          first passed of B                  next
//!                    |                         |                            |
//!   ---- handed in --+-- A's wait, B's are in -+-- A's and B's wait --------+-- not looked at yet --->
//! ```
//!
//! So of a key that is not blocked everything before `next` is handed in, and of one that is, everything before its number.

use std::collections::{BTreeSet, HashMap};

/// How many keys may be blocked at once before the walk waits for one of them.
pub(super) const MAX_BLOCKED: usize = 1_024;

/// What became of an event that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    /// It was taken.
    Taken,
    /// Its key has no room.
    KeyFull,
    /// There is no room at all.
    Full,
}

/// A walk through a part of the backlog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// Over what nobody has looked at yet.
    Onward,
    /// Over what was passed, for these keys.
    Again(BTreeSet<String>),
}

/// Where a loader is.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    next: u64,
    blocked: HashMap<String, u64>,
}

impl Plan {
    /// Whether the walk may go on to more events, of which any may block another key.
    pub(super) fn may_go_on(&self) -> bool {
        self.blocked.len() < MAX_BLOCKED
    }

    /// The first number that nobody has looked at.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Nothing before this number waits any more that nobody has looked at.
    pub(super) fn skip_to(&mut self, seq: u64) {
        self.next = self.next.max(seq);
    }

    /// Where a walk begins.
    pub(super) fn start(&self, walk: &Walk) -> u64 {
        match walk {
            Walk::Onward => self.next,
            Walk::Again(keys) => {
                keys.iter().filter_map(|key| self.blocked.get(key)).min().copied().unwrap_or(self.next)
            }
        }
    }

    /// Whether a walk offers this event.
    pub(super) fn wants(&self, walk: &Walk, seq: u64, key: &str) -> bool {
        match walk {
            Walk::Onward => !self.blocked.contains_key(key),
            Walk::Again(keys) => {
                keys.contains(key) && self.blocked.get(key).is_some_and(|first| seq >= *first)
            }
        }
    }

    /// Notes what became of an event that a walk offered. Says whether the walk goes on.
    pub(super) fn offered(&mut self, walk: &mut Walk, seq: u64, key: String, offered: Offered) -> bool {
        match (walk, offered) {
            (Walk::Onward, Offered::Taken) => self.next = seq + 1,
            (Walk::Onward, Offered::KeyFull) => {
                self.blocked.insert(key, seq);
                self.next = seq + 1;
                return self.may_go_on();
            }
            (Walk::Onward, Offered::Full) => {
                self.next = seq;
                return false;
            }
            (Walk::Again(_), Offered::Taken) => drop(self.blocked.insert(key, seq + 1)),
            (Walk::Again(keys), Offered::KeyFull) => {
                keys.remove(&key);
                self.blocked.insert(key, seq);
                return !keys.is_empty();
            }
            (Walk::Again(_), Offered::Full) => {
                self.blocked.insert(key, seq);
                return false;
            }
        }
        true
    }

    /// Notes that a walk came past this number without offering its event.
    pub(super) fn passed(&mut self, walk: &Walk, seq: u64) {
        if matches!(walk, Walk::Onward) {
            self.next = self.next.max(seq + 1);
        }
    }

    /// Notes that a walk came to its end: of its keys nothing waits any more that was passed.
    pub(super) fn arrived(&mut self, walk: &Walk) {
        if let Walk::Again(keys) = walk {
            for key in keys {
                self.blocked.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
