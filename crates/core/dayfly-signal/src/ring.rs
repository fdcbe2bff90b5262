//! A queue that, once it is full, gives the place of its oldest item to the newest, without moving either.
//!
//! `VecDeque` can do the same by a rotation, at the price of fifty instructions in every raise.

/// Items from the oldest to the newest.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    places: Vec<Option<T>>,
    /// The oldest item's place.
    head: usize,
    len: usize,
}

impl<T> Ring<T> {
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new(), head: 0, len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The item that so many are older than.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        if at < self.len { self.places[self.place(at)].as_ref() } else { None }
    }

    /// Adds the newest. Room grows by doubling, but not beyond `limit` unless it must.
    pub(crate) fn push(&mut self, item: T, limit: usize) {
        if self.len == self.places.len() {
            self.places.rotate_left(self.head);
            self.head = 0;
            let room = (2 * self.len).max(4).min(limit).max(self.len + 1);
            self.places.resize_with(room, || None);
        }
        let place = self.place(self.len);
        self.places[place] = Some(item);
        self.len += 1;
    }

    /// Takes the oldest out.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let oldest = self.places.get_mut(self.head)?.take()?;
        self.head = self.place(1);
        self.len -= 1;
        Some(oldest)
    }

    /// Makes the oldest the newest, to be written anew; `None` when there is none.
    #[inline]
    pub(crate) fn recycle(&mut self) -> Option<&mut T> {
        if self.len == 0 {
            return None;
        }
        let place = self.place(self.len);
        // In a full ring the place after the newest is that of the oldest.
        if place != self.head {
            self.places.swap(self.head, place);
        }
        self.head = self.place(1);
        self.places.get_mut(place)?.as_mut()
    }

    /// All items from that many older ones on, oldest first.
    pub(crate) fn iter_from(&self, start: usize) -> impl Iterator<Item = &T> {
        (start..self.len).filter_map(|at| self.get(at))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let (newer, older) = self.places.split_at_mut(self.head);
        older.iter_mut().chain(newer).flatten()
    }

    /// How many items `is_before` picks; it must pick none that is newer than one that it does not.
    pub(crate) fn partition_point(&self, is_before: impl Fn(&T) -> bool) -> usize {
        let (mut start, mut end) = (0, self.len);
        while start < end {
            let middle = start.midpoint(end);
            if self.get(middle).is_some_and(&is_before) {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        start
    }

    /// Takes the items out that `goes` picks, oldest first.
    pub(crate) fn remove(&mut self, mut goes: impl FnMut(&T) -> bool) -> Vec<T> {
        let all = std::iter::from_fn(|| self.pop()).collect::<Vec<_>>();
        let (gone, kept): (Vec<T>, Vec<T>) = all.into_iter().partition(|item| goes(item));
        (self.head, self.len) = (0, kept.len());
        self.places = kept.into_iter().map(Some).collect();
        gone
    }

    #[inline]
    fn place(&self, at: usize) -> usize {
        let place = self.head + at;
        if place >= self.places.len() { place - self.places.len() } else { place }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push,
        Pop,
        Recycle,
        RemoveEvery(u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => Just(Step::Push),
            3 => Just(Step::Pop),
            4 => Just(Step::Recycle),
            1 => (1..4_u32).prop_map(Step::RemoveEvery),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn agrees_with_a_plain_queue(limit in 1..9_usize, steps in prop::collection::vec(step(), 1..80)) {
            let (mut ring, mut plain) = (Ring::new(), VecDeque::new());
            for (number, step) in (0_u32..).zip(steps) {
                match step {
                    Step::Push => {
                        ring.push(number, limit);
                        plain.push_back(number);
                    }
                    Step::Pop => prop_assert_eq!(ring.pop(), plain.pop_front()),
                    Step::Recycle => {
                        let oldest = plain.pop_front();
                        prop_assert_eq!(ring.recycle().map(|item| std::mem::replace(item, number)), oldest);
                        plain.extend(oldest.map(|_| number));
                    }
                    Step::RemoveEvery(nth) => {
                        let goes = |item: &u32| item.is_multiple_of(nth);
                        let gone: Vec<u32> = plain.iter().copied().filter(goes).collect();
                        plain.retain(|item| !goes(item));
                        prop_assert_eq!(ring.remove(goes), gone);
                    }
                }
                prop_assert_eq!(ring.len(), plain.len());
                prop_assert!(ring.iter_from(0).eq(&plain));
                prop_assert!(ring.iter_mut().map(|item| &*item).eq(&plain));
                prop_assert_eq!(ring.get(plain.len()), None);
                let middle = plain.get(plain.len() / 2).copied().unwrap_or(0);
                prop_assert_eq!(ring.partition_point(|item| *item < middle), plain.partition_point(|item| *item < middle));
            }
        }
    }
}
