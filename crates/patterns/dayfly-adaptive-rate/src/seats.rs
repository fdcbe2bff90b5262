//! What is kept of keys: of each that owes something, waits or is paused, and of no other for long.
//!
//! Seats stand in the order in which they were last used. One that owes nothing is as good as none; with each new one, two
//! of those that were used longest ago are looked at and go if they may. So nothing sweeps.

use std::sync::Arc;

use hashbrown::HashTable;
use slab::Slab;

use crate::quota::{Bucket, Quota, Ticks};

/// What the seats of a table are called.
pub(crate) type SeatId = usize;

/// The seat that keys share for whom there is no room. It never goes.
pub(crate) const CROWD: SeatId = 0;

/// How many idle ones go with each new one.
const AT_ONCE: usize = 2;

/// How many are looked at for one that may go when there is no room.
const LOOKS: usize = 8;

/// A key, looked up by its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) hash: u64,
    pub(crate) text: &'a str,
}

/// What is kept of a key.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) text: Arc<str>,
    hash: u64,
    pub(crate) bucket: Bucket,
    pub(crate) paused_until: Ticks,
    /// Whether its pause has an end that somebody has to be told of.
    pub(crate) is_paused: bool,
    /// Who waits, who of them was called and has not come yet, and who of them did not come in time.
    pub(crate) waiting: usize,
    pub(crate) called: usize,
    pub(crate) aside: usize,
    /// How often in a row somebody was called and did not come.
    pub(crate) lapses: u32,
    /// When the first in its line is to be called.
    pub(crate) due: Option<Ticks>,
    newer: Option<SeatId>,
    older: Option<SeatId>,
}

#[derive(Debug)]
pub(crate) struct Seats {
    places: HashTable<SeatId>,
    kept: Slab<Seat>,
    /// Used last, and longest ago.
    newest: Option<SeatId>,
    oldest: Option<SeatId>,
}

impl Seat {
    fn new(named: Named<'_>, bucket: Bucket, paused_until: Ticks) -> Self {
        Self {
            text: named.text.into(),
            hash: named.hash,
            bucket,
            paused_until,
            is_paused: false,
            waiting: 0,
            called: 0,
            aside: 0,
            lapses: 0,
            due: None,
            newer: None,
            older: None,
        }
    }

    /// Who waits and is there.
    pub(crate) const fn standing(&self) -> usize {
        self.waiting - self.aside
    }

    /// Whether forgetting it changes nothing.
    pub(crate) fn is_idle(&self, quota: &Quota, now: Ticks) -> bool {
        self.waiting == 0 && !self.is_paused && self.paused_until <= now && self.bucket.is_full(quota, now)
    }
}

impl Seats {
    pub(crate) fn new() -> Self {
        let mut kept = Slab::new();
        let crowd = kept.insert(Seat::new(Named { hash: 0, text: "" }, Bucket::default(), 0));
        debug_assert_eq!(crowd, CROWD);
        Self { places: HashTable::new(), kept, newest: None, oldest: None }
    }

    /// How many keys have a seat of their own.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn seat(&self, id: SeatId) -> &Seat {
        &self.kept[id]
    }

    pub(crate) fn seat_mut(&mut self, id: SeatId) -> &mut Seat {
        &mut self.kept[id]
    }

    pub(crate) fn ids(&self) -> Vec<SeatId> {
        self.kept.iter().map(|(id, _)| id).collect()
    }

    pub(crate) fn find(&self, named: Named<'_>) -> Option<SeatId> {
        self.places.find(named.hash, |&id| &*self.kept[id].text == named.text).copied()
    }

    /// A seat for a key that has none. It begins as a copy of the crowd's, of which the key may have been a part.
    pub(crate) fn insert(&mut self, named: Named<'_>) -> SeatId {
        let Seat { bucket, paused_until, .. } = self.kept[CROWD];
        let id = self.kept.insert(Seat::new(named, bucket, paused_until));
        let kept = &self.kept;
        self.places.insert_unique(named.hash, id, |&id| kept[id].hash);
        self.link(id);
        id
    }

    /// It was used just now.
    pub(crate) fn touch(&mut self, id: SeatId) {
        if id != CROWD && self.newest != Some(id) {
            self.unlink(id);
            self.link(id);
        }
    }

    /// Forgets a seat, if that changes nothing.
    pub(crate) fn forget_if_idle(&mut self, id: SeatId, quota: &Quota, now: Ticks) -> bool {
        let is_idle = id != CROWD && self.kept[id].is_idle(quota, now);
        if is_idle {
            self.unlink(id);
            let seat = self.kept.remove(id);
            if let Ok(place) = self.places.find_entry(seat.hash, |&other| other == id) {
                place.remove();
            }
        }
        is_idle
    }

    /// Whether there is room for another one, of so many.
    pub(crate) fn make_room(&mut self, most: usize, quota: &Quota, now: Ticks) -> bool {
        for look in 0..LOOKS {
            if look >= AT_ONCE && self.len() < most {
                break;
            }
            let Some(oldest) = self.oldest else { break };
            if self.forget_if_idle(oldest, quota, now) {
                continue;
            }
            let seat = &self.kept[oldest];
            if seat.waiting == 0 && seat.paused_until <= now {
                // It owes something yet, and those behind it were used later.
                break;
            }
            // It has its reasons; the next one may have none.
            self.touch(oldest);
        }
        self.len() < most
    }

    /// Forgets those that were used longest ago, up to the first that has its reasons.
    pub(crate) fn let_idle_go(&mut self, quota: &Quota, now: Ticks) {
        while let Some(oldest) = self.oldest
            && self.forget_if_idle(oldest, quota, now)
        {}
    }

    fn link(&mut self, id: SeatId) {
        (self.kept[id].newer, self.kept[id].older) = (None, self.newest);
        match self.newest {
            Some(newest) => self.kept[newest].newer = Some(id),
            None => self.oldest = Some(id),
        }
        self.newest = Some(id);
    }

    fn unlink(&mut self, id: SeatId) {
        let Seat { newer, older, .. } = self.kept[id];
        match newer {
            Some(newer) => self.kept[newer].older = older,
            None => self.newest = older,
        }
        match older {
            Some(older) => self.kept[older].newer = newer,
            None => self.oldest = newer,
        }
    }
}
