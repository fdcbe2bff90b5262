//! A model of the machine that is too simple to be wrong: lists that are searched from end to end.

use crate::BatcherOptions;

/// Its number, its weight and its identity.
pub(super) type Item = (u32, u64, u8);

#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) key: u8,
    pub(super) items: Vec<Item>,
    /// For each who wants an item: which, and who.
    pub(super) wants: Vec<(u32, usize)>,
    pub(super) opened_at: u64,
    pub(super) epoch: u64,
    pub(super) is_open: bool,
    pub(super) is_due: bool,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) limits: BatcherOptions,
    pub(super) is_serial: bool,
    pub(super) coalesces: bool,
    pub(super) now: u64,
    /// Not due, in the order of their beginning.
    pub(super) filling: Vec<Batch>,
    pub(super) ready: Vec<Batch>,
    /// Due, behind another of their key.
    pub(super) line: Vec<Batch>,
    pub(super) in_flight: Vec<(u8, u64)>,
    pub(super) epoch: u64,
}

impl Model {
    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Batch> {
        self.filling.iter_mut().chain(&mut self.ready).chain(&mut self.line)
    }

    fn weight(batch: &Batch) -> u64 {
        batch.items.iter().map(|item| item.1).sum()
    }

    pub(super) fn due(&mut self, at: usize) {
        let mut batch = self.filling.remove(at);
        batch.is_due = true;
        let busy = self.ready.iter().any(|other| other.key == batch.key)
            || self.in_flight.iter().any(|(key, _)| *key == batch.key);
        if self.is_serial && busy { self.line.push(batch) } else { self.ready.push(batch) }
    }

    /// Shuts the open batch of the key.
    pub(super) fn shut(&mut self, key: u8) {
        if let Some(at) = self.filling.iter().position(|batch| batch.key == key && batch.is_open) {
            self.filling[at].is_open = false;
            self.due(at);
        }
        self.all().filter(|batch| batch.key == key).for_each(|batch| batch.is_open = false);
    }

    pub(super) fn push(&mut self, key: u8, item: Item, who: usize, ends: bool) {
        let limits = self.limits.clone();
        let coalesces = self.coalesces;
        let open = self.all().find(|batch| batch.key == key && batch.is_open).cloned();
        let same = open.iter().flat_map(|open| &open.items).find(|own| coalesces && own.2 == item.2).copied();
        if let Some(same) = same {
            let open = self.all().find(|batch| batch.key == key && batch.is_open).unwrap();
            open.wants.push((same.0, who));
            if ends {
                self.shut(key);
            }
            return;
        }
        if let Some(open) = open
            && limits.max_weight.is_some_and(|max| Self::weight(&open) + item.1 > max)
        {
            self.shut(key);
        }
        if !self.all().any(|batch| batch.key == key && batch.is_open) {
            if self.filling.len() >= limits.max_keys {
                let oldest = self.filling[0].key;
                self.shut(oldest);
            }
            let (opened_at, epoch) = (self.now, self.epoch);
            self.filling.push(Batch {
                key,
                items: Vec::new(),
                wants: Vec::new(),
                opened_at,
                epoch,
                is_open: true,
                is_due: false,
            });
        }
        let open = self.all().find(|batch| batch.key == key && batch.is_open).unwrap();
        open.items.push(item);
        open.wants.push((item.0, who));
        let full = open.items.len() >= limits.max_items;
        let heavy = limits.max_weight.is_some_and(|max| Self::weight(open) >= max);
        if full || heavy || ends {
            self.shut(key);
        }
    }

    pub(super) fn tick(&mut self) {
        let Some(delay) = self.limits.max_delay else { return };
        while self
            .filling
            .first()
            .is_some_and(|batch| u128::from(batch.opened_at) + delay.as_millis() <= u128::from(self.now))
        {
            self.due(0);
        }
    }

    pub(super) fn shut_all(&mut self) {
        while !self.filling.is_empty() {
            self.filling[0].is_open = false;
            self.due(0);
        }
        self.all().for_each(|batch| batch.is_open = false);
    }

    pub(super) fn claim(&mut self) -> Option<Vec<Item>> {
        if self.in_flight.len() >= self.limits.max_in_flight || self.ready.is_empty() {
            return None;
        }
        let mut batch = self.ready.remove(0);
        let (mut count, mut weight) = (0, 0);
        for item in &batch.items {
            weight += item.1;
            let fits =
                count < self.limits.max_items && self.limits.max_weight.is_none_or(|max| weight <= max);
            if !fits && count > 0 {
                break;
            }
            count += 1;
        }
        let rest = batch.items.split_off(count);
        self.in_flight.push((batch.key, batch.epoch));
        let items = std::mem::take(&mut batch.items);
        if !rest.is_empty() {
            batch.wants.retain(|(item, _)| rest.iter().any(|own| own.0 == *item));
            batch.items = rest;
            batch.is_open = false;
            if self.is_serial { self.line.insert(0, batch) } else { self.ready.insert(0, batch) }
        }
        Some(items)
    }

    pub(super) fn next_of(&mut self, key: u8) {
        if let Some(at) = self.line.iter().position(|batch| batch.key == key) {
            let next = self.line.remove(at);
            self.ready.push(next);
        }
    }

    pub(super) fn finish(&mut self, at: usize) {
        let (key, _) = self.in_flight.remove(at);
        self.next_of(key);
    }

    /// Says whether an item went.
    pub(super) fn withdraw(&mut self, who: usize) -> bool {
        let Some(batch) = self.all().find(|batch| batch.wants.iter().any(|(_, own)| *own == who)) else {
            return false;
        };
        let at = batch.wants.iter().position(|(_, own)| *own == who).unwrap();
        let (item, _) = batch.wants.remove(at);
        if batch.wants.iter().any(|(own, _)| *own == item) {
            return false;
        }
        batch.items.retain(|own| own.0 != item);
        self.filling.retain(|batch| !batch.items.is_empty());
        self.line.retain(|batch| !batch.items.is_empty());
        if let Some(at) = self.ready.iter().position(|batch| batch.items.is_empty()) {
            let key = self.ready.remove(at).key;
            self.next_of(key);
        }
        true
    }

    pub(super) fn set_limits(&mut self, limits: &BatcherOptions) {
        self.limits = limits.clone();
        let meets = |batch: &Batch| {
            batch.items.len() >= limits.max_items
                || limits.max_weight.is_some_and(|max| Self::weight(batch) >= max)
        };
        while let Some(at) = self.filling.iter().position(meets) {
            self.filling[at].is_open = false;
            self.due(at);
        }
        while self.filling.len() > limits.max_keys {
            self.filling[0].is_open = false;
            self.due(0);
        }
    }

    pub(super) fn oldest_epoch(&mut self) -> u64 {
        let waiting = self.all().map(|batch| batch.epoch).min();
        let flying = self.in_flight.iter().map(|(_, epoch)| *epoch).min();
        waiting.into_iter().chain(flying).min().unwrap_or(u64::MAX)
    }

    /// With no delay, the batch of the latest item is due at once.
    pub(super) fn due_of(&mut self, key: u8) {
        if let Some(at) = self.filling.iter().position(|batch| batch.key == key && batch.is_open) {
            self.due(at);
        }
    }

    pub(super) fn make_room(&mut self) {
        while self.ready.is_empty() && !self.filling.is_empty() {
            self.due(0);
        }
    }
}
