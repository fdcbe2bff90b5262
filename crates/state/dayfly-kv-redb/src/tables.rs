//! What the operations do to the tables of one transaction. It knows no clock, no queue and no commit.

use std::sync::Arc;
use std::time::SystemTime;

use dayfly_kv::{
    Conflict, Corrupt, Deadline, DeleteError, Key, Namespace, Nonce, OpenError, Precondition, PutError,
    PutOptions, What,
};
use redb::{
    ReadableTable, ReadableTableMetadata, StorageError, Table, TableDefinition, TableError, WriteTransaction,
};

use crate::operation::{Chunk, Done, Operation};
use crate::record::{Record, etag};
use crate::rows;
use crate::space::Space;

/// Entries by namespace and key.
pub(crate) const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");
/// Entries with a deadline, by namespace and deadline: what a sweep goes through.
const DEADLINES: TableDefinition<'_, &[u8], ()> = TableDefinition::new("deadlines");
/// The numbers of the namespaces.
const SPACES: TableDefinition<'_, &[u8], u32> = TableDefinition::new("namespaces");
/// The format of the file, and how often it was opened.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// The format of all this, to be raised with every change that an older version would misread.
const FORMAT: u64 = 1;

/// The most namespaces that a file has.
const MOST_SPACES: u32 = 65_536;

/// How many entries one operation sweeps or clears at most, so that those who write wait for no long transaction.
const CHUNK: usize = 1_024;

/// The tables of one transaction, at one time.
pub(crate) struct Tables<'txn> {
    transaction: &'txn WriteTransaction,
    entries: Table<'txn, &'static [u8], &'static [u8]>,
    /// Opened when the first deadline is met: most transactions meet none.
    deadlines: Option<Table<'txn, &'static [u8], ()>>,
    location: &'txn str,
    now: SystemTime,
    /// What has happened, in order.
    pub(crate) changes: Vec<(Arc<Space>, What)>,
    /// Whether anything was written.
    pub(crate) is_changed: bool,
    row: Vec<u8>,
    bytes: Vec<u8>,
}

/// What stands in an entry's place.
enum Current {
    Nothing,
    Live(u128, Option<Deadline>),
    Expired(Deadline),
    Corrupt(&'static str),
}

/// Makes the tables of a new file; says whether they were there already, or that somebody else's format is.
pub(crate) fn prepare(transaction: &WriteTransaction) -> Result<Result<bool, String>, StorageError> {
    let opened = |error| storage(error);
    let mut about = transaction.open_table(ABOUT).map_err(opened)?;
    let format = about.get("format")?.map(|format| format.value());
    if let Some(format) = format.filter(|format| *format != FORMAT) {
        return Ok(Err(format!("its format is {format}, and this version knows {FORMAT} only")));
    }
    about.insert("format", FORMAT)?;
    let opens = about.get("opens")?.map_or(0, |opens| opens.value());
    about.insert("opens", opens.saturating_add(1))?;
    transaction.open_table(ENTRIES).map_err(opened)?;
    transaction.open_table(DEADLINES).map_err(opened)?;
    transaction.open_table(SPACES).map_err(opened)?;
    Ok(Ok(format.is_some()))
}

impl<'txn> Tables<'txn> {
    pub(crate) fn open(
        transaction: &'txn WriteTransaction,
        location: &'txn str,
        now: SystemTime,
    ) -> Result<Self, StorageError> {
        let entries = transaction.open_table(ENTRIES).map_err(storage)?;
        let (changes, row, bytes) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            transaction,
            entries,
            deadlines: None,
            location,
            now,
            changes,
            is_changed: false,
            row,
            bytes,
        })
    }

    /// Does it. An error is one of the file: then nothing of the transaction may be committed.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Result<Done, StorageError> {
        match operation {
            Operation::Put { space, key, value, options, .. } => {
                self.put(space, key, value, options).map(Done::Put)
            }
            Operation::Delete { space, key, precondition, .. } => {
                self.delete(space, key, precondition).map(Done::Delete)
            }
            Operation::Sweep { space, .. } => self.sweep(space).map(Done::Chunk),
            Operation::Clear { space, after, .. } => self.clear(space, after.as_ref()).map(Done::Chunk),
            Operation::Space { namespace, .. } => self.space(namespace).map(Done::Space),
            // A transaction that is synced is all that these ask for.
            Operation::Sync { .. } | Operation::Reopen { .. } | Operation::Close { .. } => Ok(Done::Synced),
        }
    }

    fn put(
        &mut self,
        space: &Arc<Space>,
        key: &Key,
        value: &[u8],
        options: &PutOptions,
    ) -> Result<Result<dayfly_kv::Etag, PutError>, StorageError> {
        let due = match self.admit(space, key, &options.precondition)? {
            Ok((_, due)) => due,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let deadline = options.time_to_live.and_then(|time| Deadline::after(self.now, time));
        let write = Nonce::unique().to_u128();
        self.bytes.clear();
        Record { write, deadline, nonce: options.nonce, value }.encode(&mut self.bytes);
        self.is_changed = true;
        self.entries.insert(&*self.row, &*self.bytes)?;
        if due != deadline {
            if let Some(due) = due {
                self.deadlines()?.remove(&*rows::deadline(space.id, due, key.as_str()))?;
            }
            if let Some(deadline) = deadline {
                self.deadlines()?.insert(&*rows::deadline(space.id, deadline, key.as_str()), ())?;
            }
        }
        let etag = etag(write);
        self.changes.push((Arc::clone(space), What::Put { key: key.clone(), etag: etag.clone() }));
        Ok(Ok(etag))
    }

    fn delete(
        &mut self,
        space: &Arc<Space>,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<Result<bool, DeleteError>, StorageError> {
        let (was_there, due) = match self.admit(space, key, precondition)? {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let removed = self.entries.remove(&*self.row)?.is_some();
        if removed {
            self.removed(space, key.clone(), due)?;
        }
        Ok(Ok(was_there))
    }

    /// Whether the precondition holds of what is there; then whether anything is, and which deadline it has in the index.
    fn admit(
        &mut self,
        space: &Space,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<Result<(bool, Option<Deadline>), Refused>, StorageError> {
        rows::write_entry(&mut self.row, space.id, key.as_str());
        let found = self.entries.get(&*self.row)?;
        let current = found.map_or(Current::Nothing, |bytes| current(bytes.value(), self.now));
        let (live, due) = match current {
            Current::Nothing => (None, None),
            Current::Live(write, due) => (Some(etag(write)), due),
            Current::Expired(due) => (None, Some(due)),
            // What cannot be read can be replaced. A row of its deadline stays until a sweep meets it.
            Current::Corrupt(_) if *precondition == Precondition::Any => return Ok(Ok((true, None))),
            Current::Corrupt(reason) => {
                return Ok(Err(Refused::Corrupt(self.corrupt(space, key, reason))));
            }
        };
        Ok(match precondition.check(live.as_ref()) {
            Ok(()) => Ok((live.is_some(), due)),
            Err(conflict) => Err(Refused::Conflict(conflict)),
        })
    }

    /// Removes the first entries that have expired.
    fn sweep(&mut self, space: &Arc<Space>) -> Result<Chunk, StorageError> {
        let (first, now) = (rows::first_deadline(space.id, 0), self.now);
        let mut due = Vec::new();
        for row in self.deadlines()?.range(&*first..)? {
            let row = row?.0;
            let row = row.value();
            if !row.starts_with(&space.id.to_be_bytes()) {
                break;
            }
            let Some((deadline, key)) = rows::of_deadline(row) else { continue };
            if !deadline.is_past(now) || due.len() == CHUNK {
                break;
            }
            due.push((deadline, key.to_owned()));
        }
        let mut chunk = Chunk { count: 0, after: None, is_last: due.len() < CHUNK };
        for (deadline, key) in due {
            rows::write_entry(&mut self.row, space.id, &key);
            let found = self.entries.get(&*self.row)?;
            let is_its = found.is_some_and(|bytes| {
                Record::decode(bytes.value()).is_ok_and(|record| record.deadline == Some(deadline))
            });
            self.is_changed = true;
            self.deadlines()?.remove(&*rows::deadline(space.id, deadline, &key))?;
            if is_its && let Ok(key) = Key::new(&key) {
                self.entries.remove(&*self.row)?;
                self.changes.push((Arc::clone(space), What::Deleted { key }));
                chunk.count += 1;
            }
        }
        Ok(chunk)
    }

    /// Removes the first entries after that one.
    fn clear(&mut self, space: &Arc<Space>, after: Option<&Key>) -> Result<Chunk, StorageError> {
        let first = rows::entry(space.id, after.map_or("", Key::as_str));
        let (mut found, mut chunk) = (Vec::new(), Chunk { count: 0, after: None, is_last: true });
        for entry in self.entries.range(&*first..)? {
            let (row, bytes) = entry?;
            if !row.value().starts_with(&space.id.to_be_bytes()) {
                break;
            }
            // The one after which to go on is gone, or was written again meanwhile.
            if after.is_some() && row.value() == first {
                continue;
            }
            if found.len() == CHUNK {
                chunk.is_last = false;
                break;
            }
            let current = current(bytes.value(), self.now);
            let due = match current {
                Current::Live(_, due) => due,
                Current::Expired(due) => Some(due),
                Current::Nothing | Current::Corrupt(_) => None,
            };
            chunk.count += u64::from(matches!(current, Current::Live(..)));
            found.push((row.value().to_vec(), due));
        }
        for (row, due) in found {
            self.is_changed = true;
            self.entries.remove(&*row)?;
            if let Some(key) = rows::key_of_entry(&row) {
                chunk.after = Some(key.clone());
                self.removed(space, key, due)?;
            }
        }
        Ok(chunk)
    }

    /// The number of a namespace, which is given one if it has none.
    fn space(&mut self, namespace: &Namespace) -> Result<Result<u32, OpenError>, StorageError> {
        let mut spaces = self.transaction.open_table(SPACES).map_err(storage)?;
        let row = rows::namespace(namespace);
        if let Some(id) = spaces.get(&*row)?.map(|id| id.value()) {
            return Ok(Ok(id));
        }
        // None is ever removed, so their count is a number that nobody has.
        let id = u32::try_from(spaces.len()?).unwrap_or(u32::MAX);
        if id >= MOST_SPACES {
            let (namespace, most) = (namespace.clone(), MOST_SPACES as usize);
            return Ok(Err(OpenError::TooMany { namespace, most }));
        }
        self.is_changed = true;
        spaces.insert(&*row, id)?;
        Ok(Ok(id))
    }

    fn removed(&mut self, space: &Arc<Space>, key: Key, due: Option<Deadline>) -> Result<(), StorageError> {
        self.is_changed = true;
        if let Some(due) = due {
            self.deadlines()?.remove(&*rows::deadline(space.id, due, key.as_str()))?;
        }
        self.changes.push((Arc::clone(space), What::Deleted { key }));
        Ok(())
    }

    fn deadlines(&mut self) -> Result<&mut Table<'txn, &'static [u8], ()>, StorageError> {
        let deadlines = match self.deadlines.take() {
            Some(deadlines) => deadlines,
            None => self.transaction.open_table(DEADLINES).map_err(storage)?,
        };
        Ok(self.deadlines.insert(deadlines))
    }

    fn corrupt(&self, space: &Space, key: &Key, reason: &str) -> Corrupt {
        space.corrupt(self.location, Some(key.clone()), reason)
    }
}

/// Why an operation is not done.
enum Refused {
    Conflict(Conflict),
    Corrupt(Corrupt),
}

impl From<Refused> for PutError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Conflict(conflict) => conflict.into(),
            Refused::Corrupt(corrupt) => corrupt.into(),
        }
    }
}

impl From<Refused> for DeleteError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Conflict(conflict) => conflict.into(),
            Refused::Corrupt(corrupt) => corrupt.into(),
        }
    }
}

fn current(bytes: &[u8], now: SystemTime) -> Current {
    match Record::decode(bytes) {
        Ok(Record { deadline: Some(deadline), .. }) if deadline.is_past(now) => Current::Expired(deadline),
        Ok(record) => Current::Live(record.write, record.deadline),
        Err(reason) => Current::Corrupt(reason),
    }
}

/// A table that is not what it was made as is as good as a broken file.
pub(crate) fn storage(error: TableError) -> StorageError {
    match error {
        TableError::Storage(error) => error,
        other => StorageError::Corrupted(other.to_string()),
    }
}
