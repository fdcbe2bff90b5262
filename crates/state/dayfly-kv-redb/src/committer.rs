//! The one thread that writes.
//!
//! ```text
//!           +--------------------------------------------------+
//!           v                                                  |
//!   wait for an operation -> take all that wait -> one transaction -> one sync -> answer each
//!           |                                          |
//!    nobody is left                                 it failed: answer each, open the file again
//!           v
//!    sync, close the file
//! ```
//!
//! Nobody is waited for: a lone writer is committed at once, and what comes meanwhile shares the next transaction.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{Clock, OpenError, Unavailable};
use redb::{Database, Durability, StorageError, WriteTransaction};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::file::{File, begin, commit, unavailable};
use crate::group::{Ended, Group};
use crate::operation::{Done, Lost, Operation};
use crate::shared::Shared;

/// The one thread that writes.
pub(crate) struct Committer {
    pub(crate) file: File,
    pub(crate) shared: Arc<Shared>,
    pub(crate) operations: mpsc::Receiver<Operation>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) capacity: usize,
    pub(crate) sync_within: Option<Duration>,
    /// By when the oldest acknowledged write has to be synced; `None` when all are, or when there is no such time.
    pub(crate) due: Option<Instant>,
    pub(crate) is_unsynced: bool,
    pub(crate) is_closed: bool,
}

impl Committer {
    /// Opens the file, says how that went, and works until nobody is left.
    pub(crate) fn run(mut self, opened: oneshot::Sender<Result<(), OpenError>>) {
        match self.file.open(true) {
            Ok(database) => drop(self.shared.replace(Ok(database))),
            Err(error) => return drop(opened.send(Err(error))),
        }
        // A timer is needed only where a sync can become due.
        let timer = self.sync_within.map(|_| Builder::new_current_thread().enable_time().build());
        let timer = match timer.transpose() {
            Ok(timer) => timer,
            Err(error) => {
                let why = Unavailable::because("cannot make a timer", error);
                return drop(opened.send(Err(why.into())));
            }
        };
        // Whoever gave up opening has dropped the other end of the queue too.
        let _ = opened.send(Ok(()));
        self.work(timer.as_ref());
        // Nobody is left who could be told how this went.
        let _ = self.close();
    }

    fn work(&mut self, timer: Option<&Runtime>) {
        let (mut taken, mut queue) = (Vec::new(), VecDeque::new());
        loop {
            let is_open = self.take(timer, &mut taken);
            queue.extend(taken.drain(..));
            while !queue.is_empty() {
                match queue.front() {
                    Some(next) if !next.stands_alone() => self.commit(&mut queue),
                    _ => queue.pop_front().into_iter().for_each(|alone| self.do_alone(alone)),
                }
            }
            if self.due.is_some_and(|due| due <= Instant::now()) {
                let _ = self.sync();
            }
            if !is_open {
                return;
            }
        }
    }

    fn do_alone(&mut self, operation: Operation) {
        let ended = match &operation {
            Operation::Close { .. } => self.close(),
            Operation::Reopen { opening, .. } => self.reopen(*opening),
            _ => Ok(()),
        };
        match ended {
            Ok(()) => operation.answer(Done::Synced),
            Err(why) => operation.lose(Lost::Undone(why)),
        }
    }

    /// Waits for operations and takes all there are, or for the time at which a sync is due; says whether more may come.
    fn take(&mut self, timer: Option<&Runtime>, taken: &mut Vec<Operation>) -> bool {
        let Self { operations, due, capacity, .. } = self;
        let count = match (timer, *due) {
            (Some(timer), Some(due)) => {
                let received =
                    timer.block_on(async { timeout_at(due, operations.recv_many(taken, *capacity)).await });
                match received {
                    Ok(count) => count,
                    Err(_) => return true,
                }
            }
            _ => operations.blocking_recv_many(taken, *capacity),
        };
        count > 0
    }

    /// Commits a group from the front of the queue. Whatever happens, each of its operations gets an answer.
    fn commit(&mut self, queue: &mut VecDeque<Operation>) {
        let transaction = match self.begin() {
            Ok(transaction) => transaction,
            Err(why) => {
                while let Some(operation) = Operation::next_of_group(queue) {
                    operation.lose(Lost::Undone(why.clone()));
                }
                return;
            }
        };
        let must_sync = self.sync_within.is_none()
            || self.due.is_some_and(|due| due <= Instant::now())
            || queue.iter().any(|operation| matches!(operation, Operation::Sync { .. }));
        let durability = if must_sync { Durability::Immediate } else { Durability::None };
        let mut group = Group::default();
        let clock = &self.clock;
        match group.run(queue, transaction, durability, &self.shared.location, || clock.now()) {
            Ended::Done { is_committed } => {
                if is_committed && must_sync {
                    (self.is_unsynced, self.due) = (false, None);
                } else if is_committed && !self.is_unsynced {
                    let within = self.sync_within.unwrap_or_default();
                    (self.is_unsynced, self.due) = (true, Instant::now().checked_add(within));
                }
                group.settle();
            }
            failed => {
                if group.is_empty()
                    && let Some(operation) = queue.pop_front()
                {
                    // Nobody was to blame, but somebody has to go, or this would never end.
                    operation.lose(Lost::Undone(Unavailable::new("the writer failed before it began")));
                }
                let _ = self.open_again();
                group.fail(failed);
            }
        }
    }

    /// Begins a transaction, in a file that is opened again if it has failed before.
    fn begin(&mut self) -> Result<WriteTransaction, Unavailable> {
        if let Ok(transaction) = self.try_begin() {
            return Ok(transaction);
        }
        self.open_again()?;
        self.try_begin()
    }

    fn try_begin(&self) -> Result<WriteTransaction, Unavailable> {
        let opened = self.shared.opened();
        let database = opened.database.as_ref().map_err(Clone::clone)?;
        database.begin_write().map_err(|error| unavailable("cannot write to the database", begin(error)))
    }

    /// Brings everything to the disk that was acknowledged.
    fn sync(&mut self) -> Result<(), Unavailable> {
        if !self.is_unsynced {
            return Ok(());
        }
        let synced = self.begin().and_then(|transaction| {
            let synced = transaction.commit().map_err(commit);
            synced.map_err(|error: StorageError| unavailable("cannot sync the database", error))
        });
        (self.is_unsynced, self.due) = (false, None);
        if synced.is_err() {
            let _ = self.open_again();
        }
        synced
    }

    /// Opens the file again, if it is still this opening that failed.
    fn reopen(&mut self, opening: u64) -> Result<(), Unavailable> {
        let opened = self.shared.opened();
        let is_another = opened.database.is_ok() && opened.opening != opening;
        drop(opened);
        if is_another { Ok(()) } else { self.open_again() }
    }

    /// Lets go of the file and opens it again. What was acknowledged and not synced is lost by that.
    fn open_again(&mut self) -> Result<(), Unavailable> {
        if self.is_closed {
            return Err(closed());
        }
        let failed = if self.file.has_failed_sync() {
            Unavailable::new(
                "a sync has failed: what is on the disk is uncertain until the database is opened anew",
            )
        } else {
            Unavailable::new("the database is being opened again after a failure")
        };
        let before: Result<Database, Unavailable> = self.shared.replace(Err(failed.clone()));
        drop(before);
        (self.is_unsynced, self.due) = (false, None);
        if self.file.has_failed_sync() {
            self.shared.tell_gap();
            return Err(failed);
        }
        let opened = self.file.open(false).map_err(|error| match error {
            OpenError::Unavailable(why) => why,
            other => Unavailable::because("cannot open the database again", other),
        });
        let result = opened.as_ref().map(|_| ()).map_err(Clone::clone);
        drop(self.shared.replace(opened));
        self.shared.tell_gap();
        result
    }

    /// Brings everything to the disk and lets go of the file. From then on nothing can be read or written.
    fn close(&mut self) -> Result<(), Unavailable> {
        let synced = self.sync();
        self.is_closed = true;
        self.operations.close();
        let before = self.shared.replace(Err(closed()));
        drop(before);
        self.shared.end_watches();
        synced
    }
}

/// Why nothing can be done any more.
pub(crate) fn closed() -> Unavailable {
    Unavailable::new("the database was closed")
}
