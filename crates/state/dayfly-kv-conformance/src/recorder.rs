//! Writes down what clients do and see.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use dayfly_kv::{Bytes, DeleteError, Entry, Etag, Key, Nonce, Precondition, PutError, PutOptions, Store};

use crate::case::Broken;
use crate::linearizability::{Action, Condition, Operation, Seen, WriteId};

/// What clients have done to some keys, and seen of them.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    now: AtomicU64,
    writes: AtomicU64,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    operations: HashMap<Key, Vec<Operation>>,
    /// Which write an etag is of. Every client learns etags from answers, so each that it uses stands here.
    etags: HashMap<Etag, WriteId>,
}

impl Recorder {
    fn tick(&self) -> u64 {
        self.now.fetch_add(1, Ordering::SeqCst)
    }

    /// Reads, and gives the etag that was found.
    pub(crate) async fn get(&self, store: &dyn Store, key: &Key) -> Result<Option<Etag>, Broken> {
        let called = self.tick();
        let Ok(found) = store.get(key).await else { return Ok(None) };
        let returned = Some(self.tick());
        let seen = match &found {
            Some(entry) => Seen::Write(self.learn(entry)?),
            None => Seen::Nothing,
        };
        self.note(key, Operation { called, returned, action: Action::Get { found: seen } });
        Ok(found.map(|entry| entry.etag))
    }

    /// Writes, and gives the new etag, or that of the conflict.
    pub(crate) async fn put(
        &self,
        store: &dyn Store,
        key: &Key,
        precondition: Precondition,
    ) -> Result<Option<Etag>, Broken> {
        let write = self.writes.fetch_add(1, Ordering::SeqCst);
        let condition = self.condition(&precondition)?;
        let value = Bytes::from(write.to_string());
        let options = PutOptions::new().precondition(precondition).nonce(Nonce::unique());
        let called = self.tick();
        let answer = store.put(key, value, options).await;
        let returned = Some(self.tick());
        let (returned, done, etag) = match answer {
            Ok(etag) => {
                self.name(&etag, write)?;
                (returned, Some(true), Some(etag))
            }
            // Whoever was told of a write by a conflict only cannot know which one it was, so its etag is not passed on.
            Err(PutError::Conflict(_)) => (returned, Some(false), None),
            Err(PutError::Unknown(_)) => (None, None, None),
            Err(PutError::Unavailable(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        self.note(key, Operation { called, returned, action: Action::Put { write, condition, done } });
        Ok(etag)
    }

    /// Deletes.
    pub(crate) async fn delete(
        &self,
        store: &dyn Store,
        key: &Key,
        precondition: Precondition,
    ) -> Result<(), Broken> {
        let condition = self.condition(&precondition)?;
        let called = self.tick();
        let answer = store.delete(key, precondition).await;
        let returned = Some(self.tick());
        let (returned, done) = match answer {
            Ok(deleted) => (returned, Some(deleted)),
            Err(DeleteError::Conflict(_)) => (returned, Some(false)),
            Err(DeleteError::Unknown(_)) => (None, None),
            Err(DeleteError::Unavailable(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.note(key, Operation { called, returned, action: Action::Delete { condition, done } });
        Ok(())
    }

    /// Everything that was done, by key, in the order of the keys.
    pub(crate) fn into_histories(self) -> Vec<(Key, Vec<Operation>)> {
        let notes = self.notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut histories: Vec<_> = notes.operations.into_iter().collect();
        histories.sort_by(|one, other| one.0.cmp(&other.0));
        histories
    }

    /// Which write an entry is of, by its value; and that its etag is of no other.
    fn learn(&self, entry: &Entry) -> Result<WriteId, Broken> {
        let text = str::from_utf8(&entry.value).ok();
        let write = text.and_then(|text| text.parse().ok());
        let write =
            write.ok_or_else(|| Broken::new(format!("nobody wrote what was read: {:?}", entry.value)))?;
        self.name(&entry.etag, write)?;
        Ok(write)
    }

    fn name(&self, etag: &Etag, write: WriteId) -> Result<(), Broken> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        match notes.etags.insert(etag.clone(), write) {
            Some(other) if other != write => {
                Err(Broken::new(format!("the writes {other} and {write} both have the etag {etag}")))
            }
            _ => Ok(()),
        }
    }

    fn condition(&self, precondition: &Precondition) -> Result<Option<Condition>, Broken> {
        Ok(match precondition {
            Precondition::Any => None,
            Precondition::Absent => Some(Condition::Absent),
            Precondition::Present => Some(Condition::Present),
            Precondition::Matches(etag) => {
                let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
                let write = notes.etags.get(etag).copied();
                Some(Condition::Matches(write.ok_or_else(|| Broken::new("a client uses an etag of nobody"))?))
            }
        })
    }

    fn note(&self, key: &Key, operation: Operation) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.operations.entry(key.clone()).or_default().push(operation);
    }
}
