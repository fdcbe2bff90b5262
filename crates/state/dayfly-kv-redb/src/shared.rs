//! What readers and the committer share: the open database, and the namespaces.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use dayfly::contain::contain;
use dayfly_kv::{ChangeFeed, Namespace, Unavailable, Woken};
use redb::{Database, ReadOnlyTable, ReadableDatabase, StorageError};

use crate::file::{begin, calls_for_reopening, unavailable};
use crate::space::Space;
use crate::tables::{ENTRIES, storage};

/// The table of entries as a reader sees it: a snapshot.
pub(crate) type Entries = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// What readers and the committer share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) location: String,
    opened: RwLock<Opened>,
    spaces: Mutex<HashMap<Namespace, Arc<Space>>>,
    watch_history: usize,
}

/// The database, as long as it is open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) database: Result<Database, Unavailable>,
    /// How often it was opened.
    pub(crate) opening: u64,
}

/// A read that failed.
pub(crate) struct Failed {
    pub(crate) why: Unavailable,
    /// The number of the opening that failed, when opening the file again may help.
    pub(crate) opening: Option<u64>,
}

impl Shared {
    pub(crate) fn new(location: String, watch_history: usize) -> Self {
        let opened = Opened { database: Err(Unavailable::new("the database is not open yet")), opening: 0 };
        Self { location, opened: RwLock::new(opened), spaces: Mutex::new(HashMap::new()), watch_history }
    }

    /// Reads from a snapshot. No writer is waited for: the lock is only held to begin.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Entries) -> Result<T, StorageError>,
    ) -> Result<T, Failed> {
        let opened = self.opened();
        let opening = Some(opened.opening);
        let transaction = match &opened.database {
            Ok(database) => database.begin_read().map_err(begin),
            Err(why) => return Err(Failed { why: why.clone(), opening }),
        };
        drop(opened);
        let found = contain(|| {
            let entries = transaction?.open_table(ENTRIES).map_err(storage)?;
            read(&entries)
        });
        match found {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => {
                let opening = opening.filter(|_| calls_for_reopening(&error));
                Err(Failed { why: unavailable("cannot read the database", error), opening })
            }
            None => Err(Failed { why: Unavailable::new("redb panicked over the database"), opening: None }),
        }
    }

    pub(crate) fn opened(&self) -> RwLockReadGuard<'_, Opened> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts this in the place of the database, and gives what was there.
    pub(crate) fn replace(&self, database: Result<Database, Unavailable>) -> Result<Database, Unavailable> {
        let mut opened: RwLockWriteGuard<'_, Opened> =
            self.opened.write().unwrap_or_else(PoisonError::into_inner);
        opened.opening += u64::from(database.is_ok());
        std::mem::replace(&mut opened.database, database)
    }

    /// The namespace, if it is open.
    pub(crate) fn space(&self, namespace: &Namespace) -> Option<Arc<Space>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner).get(namespace).cloned()
    }

    /// The namespace, which has this number. Whoever comes first makes it.
    pub(crate) fn space_of(&self, namespace: &Namespace, id: u32) -> Arc<Space> {
        let mut spaces = self.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let changes = ChangeFeed::new(self.watch_history);
            Arc::new(Space { id, namespace: namespace.clone(), changes })
        };
        Arc::clone(spaces.entry(namespace.clone()).or_insert_with(made))
    }

    /// Tells everybody who watches that changes may have been missed.
    pub(crate) fn tell_gap(&self) {
        self.tell(ChangeFeed::gap);
    }

    /// Ends every watch.
    pub(crate) fn end_watches(&self) {
        self.tell(ChangeFeed::end);
    }

    fn tell(&self, what: impl Fn(&ChangeFeed, &mut Woken)) {
        // The guard ends with the statement: wakers may open a namespace.
        let spaces: Vec<Arc<Space>> =
            self.spaces.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let mut woken = Woken::default();
        for space in &spaces {
            what(&space.changes, &mut woken);
        }
        woken.wake();
    }
}
