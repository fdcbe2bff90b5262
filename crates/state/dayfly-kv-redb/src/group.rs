//! One transaction for all who wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use dayfly::contain::contain;
use dayfly_kv::{Unavailable, What, Woken};
use redb::{Durability, StorageError, WriteTransaction};

use crate::file::{commit, unavailable};
use crate::operation::{Done, Lost, Operation};
use crate::space::Space;
use crate::tables::Tables;

/// How many bytes of keys and values one transaction takes; one operation more goes over it.
const MOST_BYTES: usize = 8 * 1_024 * 1_024;

/// Operations that share a transaction, in the order in which they came, each with what came of it.
#[derive(Debug, Default)]
pub(crate) struct Group {
    members: Vec<(Operation, Done)>,
    changes: Vec<(Arc<Space>, What)>,
}

/// How the transaction of a group ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It is done.
    Done {
        /// Whether there was anything to commit.
        is_committed: bool,
    },
    /// The file failed before the commit: nothing was changed.
    Undone(StorageError),
    /// The file failed in the commit: what was changed may be there, or not.
    Unknown(StorageError),
    /// Something panicked, and nothing was committed.
    Panicked,
}

impl Group {
    /// Takes operations from the front of the queue and does them in this transaction: first come, first done. A
    /// precondition sees what those before it have done.
    pub(crate) fn run(
        &mut self,
        queue: &mut VecDeque<Operation>,
        mut transaction: WriteTransaction,
        durability: Durability,
        location: &str,
        now: impl FnOnce() -> SystemTime,
    ) -> Ended {
        let mut committing = false;
        let ended = contain(|| {
            let now = now();
            // Only savepoints would forbid it, and there are none.
            if let Err(error) = transaction.set_durability(durability) {
                return Ended::Undone(StorageError::Corrupted(error.to_string()));
            }
            let is_changed = match self.apply(queue, &transaction, location, now) {
                Ok(is_changed) => is_changed,
                Err(error) => return Ended::Undone(error),
            };
            let is_asked_to_sync =
                self.members.iter().any(|(member, _)| matches!(member, Operation::Sync { .. }));
            let is_committed = is_changed || is_asked_to_sync;
            if is_committed {
                committing = true;
                if let Err(error) = transaction.commit().map_err(commit) {
                    return Ended::Unknown(error);
                }
            }
            Ended::Done { is_committed }
        });
        match ended {
            Some(ended) => ended,
            None if committing => Ended::Unknown(StorageError::Corrupted("redb panicked".to_owned())),
            None => Ended::Panicked,
        }
    }

    fn apply(
        &mut self,
        queue: &mut VecDeque<Operation>,
        transaction: &WriteTransaction,
        location: &str,
        now: SystemTime,
    ) -> Result<bool, StorageError> {
        let mut tables = Tables::open(transaction, location, now)?;
        let mut bytes = 0;
        while bytes < MOST_BYTES
            && let Some(operation) = Operation::next_of_group(queue)
        {
            bytes += operation.bytes();
            let at = self.members.len();
            self.members.push((operation, Done::Nothing));
            self.members[at].1 = tables.apply(&self.members[at].0)?;
        }
        self.changes = std::mem::take(&mut tables.changes);
        Ok(tables.is_changed)
    }

    /// Tells those who watch, and then those who wait: whoever is answered knows that the others can know.
    pub(crate) fn settle(self) {
        let mut woken = Woken::default();
        for (space, what) in self.changes {
            space.changes.tell(what, &mut woken);
        }
        for (operation, done) in self.members {
            operation.answer(done);
        }
        woken.wake();
    }

    /// Tells those who wait that there is nothing to wait for.
    pub(crate) fn fail(self, ended: Ended) {
        let (lost, undone) = match ended {
            Ended::Done { .. } => return self.settle(),
            Ended::Undone(error) => {
                let why = unavailable("cannot write to the database", error);
                (Lost::Undone(why.clone()), Lost::Undone(why))
            }
            Ended::Unknown(error) => {
                let why = unavailable("cannot commit to the database", error);
                (Lost::Unknown(why.clone()), Lost::Undone(why))
            }
            Ended::Panicked => {
                let why = Unavailable::new("the writer panicked");
                (Lost::Undone(why.clone()), Lost::Undone(why))
            }
        };
        for (operation, done) in self.members {
            // What was refused changes nothing, but what it was refused for may not be there any more.
            operation.lose(if done.is_refused() { undone.clone() } else { lost.clone() });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}
