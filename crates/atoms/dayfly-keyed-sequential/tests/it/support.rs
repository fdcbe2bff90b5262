//! Work that fails as tests want it to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use dayfly::{CoordinatorOptions, SignalSink};
use dayfly_keyed_sequential::{KeyedSequential, SequentialOptions};

/// An item: its key and its number.
pub(crate) type Item = (u32, u32);

/// What fails as long as it is in here, and the attempts in their order.
#[derive(Clone, Default)]
pub(crate) struct World {
    broken: Arc<Mutex<HashSet<Item>>>,
    attempts: Arc<Mutex<Vec<Item>>>,
}

impl World {
    pub(crate) fn breaking(items: &[Item]) -> Self {
        let world = Self::default();
        world.broken.lock().unwrap().extend(items);
        world
    }

    /// From now on nothing fails.
    pub(crate) fn mend(&self) {
        self.broken.lock().unwrap().clear();
    }

    pub(crate) fn attempt(&self, item: Item) -> Result<(), String> {
        self.attempts.lock().unwrap().push(item);
        if self.broken.lock().unwrap().contains(&item) { Err(format!("{item:?} is broken")) } else { Ok(()) }
    }

    /// The attempts of a key, by number.
    pub(crate) fn of(&self, key: u32) -> Vec<u32> {
        self.attempts.lock().unwrap().iter().filter(|item| item.0 == key).map(|item| item.1).collect()
    }
}

pub(crate) fn options(work: CoordinatorOptions) -> SequentialOptions {
    SequentialOptions::new().work(work)
}

pub(crate) fn spawn(
    work: CoordinatorOptions,
    signals: &SignalSink,
    world: &World,
) -> KeyedSequential<u32, Item> {
    let world = world.clone();
    KeyedSequential::spawn(
        options(work),
        signals,
        |item: &Item| item.0,
        move |item: Arc<Item>, _| {
            let attempted = world.attempt(*item);
            async move { attempted }
        },
    )
}
