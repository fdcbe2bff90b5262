//! Writing and removing entries.

use std::io::{self, ErrorKind};
use std::path::Path;

use dayfly_kv::{
    Bytes, Conflict, Corrupt, Deadline, DeleteError, Entry, Etag, Key, Precondition, PutError, PutOptions,
    Unavailable, Woken,
};

use super::{Folder, Found, Locked, failed, shard_of};
use crate::name;
use crate::record;

/// Why something was not changed, or may not have been.
enum Failed {
    /// Nothing was changed.
    Before(Unavailable),
    /// It may have been, and may be lost with the power.
    Maybe(Unavailable),
}

/// Why a write may not happen.
enum Refused {
    Conflict(Conflict),
    Corrupt(Corrupt),
}

impl Folder {
    /// Writes an entry, if the precondition holds.
    pub(crate) fn put(&self, key: &Key, value: Bytes, options: &PutOptions) -> Result<Etag, PutError> {
        let name = name::of(key.as_str());
        // It is dropped after the lock is: a waker is somebody else's code.
        let mut woken = Woken::default();
        let locked = self.lock(shard_of(&name))?;
        // What replaces anything does not depend on what is there: that is how a corrupt entry is repaired.
        if options.precondition != Precondition::Any {
            let found = self.read(key)?;
            match self.check(found, &options.precondition) {
                Ok(_) => {}
                Err(Refused::Conflict(conflict)) => return Err(conflict.into()),
                Err(Refused::Corrupt(corrupt)) => return Err(corrupt.into()),
            }
        }
        let deadline = options.time_to_live.and_then(|time| Deadline::after(self.clock.now(), time));
        let entry = Entry::new(value, self.etags.next()).nonce(options.nonce).deadline(deadline);
        match self.replace(&locked, &self.file(&name), &record::written(key, &entry)) {
            Ok(()) => {
                self.tell(&name, key, Some(&entry.etag), &mut woken);
                Ok(entry.etag)
            }
            Err(Failed::Before(error)) => Err(error.into()),
            Err(Failed::Maybe(error)) => {
                self.tell_of_a_gap(&mut woken);
                Err(PutError::Unknown(error))
            }
        }
    }

    /// Removes an entry, if the precondition holds; says whether there was one.
    pub(crate) fn delete(&self, key: &Key, precondition: &Precondition) -> Result<bool, DeleteError> {
        let name = name::of(key.as_str());
        let mut woken = Woken::default();
        let _locked = self.lock(shard_of(&name))?;
        let found = self.read(key)?;
        let is_file = !matches!(found, Found::Nothing);
        let was_there = match self.check(found, precondition) {
            Ok(was_there) => was_there,
            Err(Refused::Conflict(conflict)) => return Err(conflict.into()),
            Err(Refused::Corrupt(corrupt)) => return Err(corrupt.into()),
        };
        if !is_file {
            // What another has removed may not be synced yet, and we say that it is gone.
            self.sync()?;
            return Ok(false);
        }
        match self.remove(&self.file(&name)) {
            Ok(()) => {
                self.tell(&name, key, None, &mut woken);
                Ok(was_there)
            }
            Err(Failed::Before(error)) => Err(error.into()),
            Err(Failed::Maybe(error)) => {
                self.tell_of_a_gap(&mut woken);
                Err(DeleteError::Unknown(error))
            }
        }
    }

    /// Whether there is an entry, if the precondition allows to change it. What is corrupt is something, but nobody knows
    /// what.
    fn check(&self, found: Found, precondition: &Precondition) -> Result<bool, Refused> {
        let current = match found {
            Found::Corrupt(_) if *precondition == Precondition::Any => return Ok(true),
            Found::Corrupt(corrupt) => return Err(Refused::Corrupt(corrupt)),
            Found::Entry(entry) => (!self.is_expired(&entry)).then_some(entry.etag),
            Found::Nothing => None,
        };
        precondition.check(current.as_ref()).map_err(Refused::Conflict)?;
        Ok(current.is_some())
    }

    /// The one way in which a file comes to its name.
    fn replace(&self, locked: &Locked<'_>, file: &Path, bytes: &[u8]) -> Result<(), Failed> {
        let draft = self.draft(locked.shard);
        // The bytes have to be on the disk before the name is, or the name may outlive the power, and they not.
        if let Err(error) = self.write(&draft, bytes) {
            // A draft means nothing, and the next writer replaces it.
            let _ = self.disk.remove(&draft);
            return Err(Failed::Before(failed("write", &draft, error)));
        }
        if let Err(error) = self.disk.rename(&draft, file) {
            let error = failed("replace", file, error);
            // As long as the draft has its own name it has no other.
            return match self.disk.exists(&draft) {
                Ok(true) => {
                    let _ = self.disk.remove(&draft);
                    Err(Failed::Before(error))
                }
                _ => Err(Failed::Maybe(error)),
            };
        }
        self.sync().map_err(Failed::Maybe)
    }

    fn write(&self, draft: &Path, mut bytes: &[u8]) -> io::Result<()> {
        let mut file = self.disk.create(draft)?;
        while !bytes.is_empty() {
            match file.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        file.sync()
    }

    fn remove(&self, file: &Path) -> Result<(), Failed> {
        match self.disk.remove(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let error = failed("remove", file, error);
                return match self.disk.exists(file) {
                    Ok(true) => Err(Failed::Before(error)),
                    _ => Err(Failed::Maybe(error)),
                };
            }
            _ => {}
        }
        self.sync().map_err(Failed::Maybe)
    }

    /// Removes the file of this name if it holds an entry that is to go; says whether that one could be read until then.
    pub(super) fn discard(
        &self,
        name: &str,
        goes: impl Fn(&Entry) -> bool,
        corrupt_goes: bool,
    ) -> Result<Discarded, Unavailable> {
        let mut woken = Woken::default();
        let _locked = self.lock(shard_of(name))?;
        let file = self.file(name);
        let (discarded, key) = match self.open(&file, None)? {
            Some(Ok((key, entry))) if goes(&entry) => {
                (Discarded::Entry { is_live: !self.is_expired(&entry) }, Some(key))
            }
            Some(Err(_)) if corrupt_goes => (Discarded::Corrupt, name::key(name)),
            _ => return Ok(Discarded::Nothing),
        };
        match self.disk.remove(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                self.tell_of_a_gap(&mut woken);
                Err(failed("remove", &file, error))
            }
            _ => {
                match key {
                    Some(key) => self.tell(name, &key, None, &mut woken),
                    None => self.tell_of_a_gap(&mut woken),
                }
                Ok(discarded)
            }
        }
    }
}

/// What was removed.
pub(super) enum Discarded {
    Nothing,
    Corrupt,
    Entry { is_live: bool },
}
