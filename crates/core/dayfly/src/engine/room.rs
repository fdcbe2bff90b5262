//! Room for accepted operations: in all, and of each key.
//!
//! A producer takes a place of its key first and a place of the queue second, and waits in line for either. An
//! operation that goes back to the queue for another attempt does not wait: it takes a place at once, and where
//! there is none it runs up a debt, which the next places that become free pay off.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use tokio::sync::{Semaphore, TryAcquireError};

pub(super) struct Room<K> {
    total: Places,
    /// Absent where there are no keys.
    keys: Option<Keys<K>>,
}

struct Keys<K> {
    per_key: PerKey<K>,
    of: Mutex<HashMap<K, KeyPlaces>>,
}

/// How many places a key has.
pub(crate) type PerKey<K> = Box<dyn Fn(&K) -> usize + Send + Sync>;

/// The places of one key, kept while an operation or a producer refers to them.
struct KeyPlaces {
    places: Places,
    users: usize,
}

/// Free places, first come, first served. Clones are the same places.
#[derive(Clone)]
struct Places(Arc<Counted>);

struct Counted {
    free: Semaphore,
    /// Places that were taken although there was none.
    debt: Mutex<usize>,
}

/// One place, given back on drop unless it is kept.
struct Taken(Option<Places>);

/// A place in the queue, given back on drop unless an operation takes it over.
pub(super) struct Place<'a, K: Eq + Hash + Clone> {
    total: Taken,
    key: Option<KeyPlace<'a, K>>,
}

/// A producer's use of its key's places, perhaps with one of them.
struct KeyPlace<'a, K: Eq + Hash + Clone> {
    keys: &'a Keys<K>,
    key: Option<&'a K>,
    taken: Option<Taken>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    Full,
    KeyFull,
    Closed,
}

impl<K: Eq + Hash + Clone> Room<K> {
    pub(super) fn new(total: usize, per_key: Option<PerKey<K>>) -> Self {
        let keys = per_key.map(|per_key| Keys { per_key, of: Mutex::new(HashMap::new()) });
        Self { total: Places::new(total), keys }
    }

    /// Waits in line for a place; `None` when the room is closed meanwhile.
    pub(super) async fn enter<'a>(&'a self, key: &'a K) -> Option<Place<'a, K>> {
        let key = match &self.keys {
            Some(keys) => {
                let mut place = keys.refer_to(key);
                place.taken = Some(keys.places(key).take().await?);
                Some(place)
            }
            None => None,
        };
        Some(Place { total: self.total.take().await?, key })
    }

    /// A place if there is one now and nobody is in line for it.
    pub(super) fn try_enter<'a>(&'a self, key: &'a K) -> Result<Place<'a, K>, NoRoom> {
        let key = match &self.keys {
            Some(keys) => {
                let mut place = keys.refer_to(key);
                place.taken = Some(keys.places(key).try_take(NoRoom::KeyFull)?);
                Some(place)
            }
            None => None,
        };
        Ok(Place { total: self.total.try_take(NoRoom::Full)?, key })
    }

    /// An operation has left the queue.
    pub(super) fn leave(&self, key: &K) {
        if let Some(keys) = &self.keys {
            keys.leave(key);
        }
        self.total.give_back();
    }

    /// An operation is about to be back in the queue, whether or not there is room.
    pub(super) fn come_back(&self, key: &K) {
        if let Some(keys) = &self.keys {
            keys.come_back(key);
        }
        self.total.force();
    }

    /// Ends every wait for a place.
    pub(super) fn close(&self) {
        // The total first: whoever makes new places of a key afterwards still finds the room closed.
        self.total.close();
        if let Some(keys) = &self.keys {
            keys.lock().values().for_each(|key| key.places.close());
        }
    }
}

impl<K: Eq + Hash + Clone> Place<'_, K> {
    /// Hands the place over to an operation, which gives it back by leaving.
    pub(super) fn hand_over(self) {
        self.total.keep();
        if let Some(mut place) = self.key {
            place.key = None;
            if let Some(taken) = place.taken.take() {
                taken.keep();
            }
        }
    }
}

impl<K: Eq + Hash + Clone> Keys<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, KeyPlaces>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the key's places until the result is dropped.
    fn refer_to<'a>(&'a self, key: &'a K) -> KeyPlace<'a, K> {
        let mut of = self.lock();
        let fresh = || KeyPlaces { places: Places::new((self.per_key)(key)), users: 0 };
        of.entry(key.clone()).or_insert_with(fresh).users += 1;
        KeyPlace { keys: self, key: Some(key), taken: None }
    }

    /// The places of a key that somebody refers to.
    fn places(&self, key: &K) -> Places {
        let of = self.lock();
        of.get(key).map_or_else(|| Places::new((self.per_key)(key)), |key| key.places.clone())
    }

    fn leave(&self, key: &K) {
        let mut of = self.lock();
        if let Some(places) = of.get(key) {
            places.places.give_back();
        }
        Self::release(&mut of, key);
    }

    fn come_back(&self, key: &K) {
        // The operation refers to the places from now on, until it leaves again.
        let mut reference = self.refer_to(key);
        reference.key = None;
        self.places(key).force();
    }

    fn release(of: &mut HashMap<K, KeyPlaces>, key: &K) {
        if let Some(places) = of.get_mut(key) {
            places.users -= 1;
            if places.users == 0 {
                of.remove(key);
            }
        }
    }
}

impl<K: Eq + Hash + Clone> Drop for KeyPlace<'_, K> {
    fn drop(&mut self) {
        // The place goes back before the reference: the next in line must find the places.
        self.taken = None;
        if let Some(key) = self.key {
            Keys::release(&mut self.keys.lock(), key);
        }
    }
}

impl Places {
    fn new(places: usize) -> Self {
        Self(Arc::new(Counted { free: Semaphore::new(places), debt: Mutex::new(0) }))
    }

    /// Waits in line; `None` when the places are closed meanwhile.
    async fn take(&self) -> Option<Taken> {
        self.0.free.acquire().await.ok()?.forget();
        Some(Taken(Some(self.clone())))
    }

    fn try_take(&self, full: NoRoom) -> Result<Taken, NoRoom> {
        match self.0.free.try_acquire() {
            Ok(permit) => {
                permit.forget();
                Ok(Taken(Some(self.clone())))
            }
            Err(TryAcquireError::NoPermits) => Err(full),
            Err(TryAcquireError::Closed) => Err(NoRoom::Closed),
        }
    }

    /// Takes a place, whether or not there is one.
    fn force(&self) {
        *self.debt() += 1 - self.0.free.forget_permits(1);
    }

    fn give_back(&self) {
        let mut debt = self.debt();
        match *debt {
            0 => self.0.free.add_permits(1),
            _ => *debt -= 1,
        }
    }

    fn close(&self) {
        self.0.free.close();
    }

    /// Held while permits move too, so that a debt and a free place never stand side by side.
    fn debt(&self) -> MutexGuard<'_, usize> {
        self.0.debt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Leaves the place taken.
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_paid_before_a_place_is_free() {
        let room = Room::new(1, Some(Box::new(|_| 1)));
        room.try_enter(&"a").unwrap_or_else(|_| panic!("there is room")).hand_over();
        room.come_back(&"a");
        room.leave(&"a");
        assert_eq!(room.try_enter(&"b").err(), Some(NoRoom::Full));
        room.leave(&"a");
        assert!(room.try_enter(&"b").is_ok());
    }

    #[test]
    fn keys_without_work_leave_nothing_behind() {
        let room = Room::new(10, Some(Box::new(|_| 1)));
        for key in 0..5 {
            room.try_enter(&key).unwrap_or_else(|_| panic!("there is room")).hand_over();
            assert_eq!(room.try_enter(&key).err(), Some(NoRoom::KeyFull));
            room.leave(&key);
            drop(room.try_enter(&key));
        }
        assert!(room.keys.unwrap().lock().is_empty());
    }

    #[test]
    fn a_place_that_is_given_up_pays_a_debt_first() {
        let room = Room::new(1, None);
        let given_up = room.try_enter(&()).unwrap_or_else(|_| panic!("there is room"));
        room.come_back(&());
        drop(given_up);
        assert_eq!(room.try_enter(&()).err(), Some(NoRoom::Full), "the one that came back has the place");
        room.leave(&());
        assert!(room.try_enter(&()).is_ok());
    }
}
