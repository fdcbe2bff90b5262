//! What the committer is asked for, and how it answers.

use std::collections::VecDeque;
use std::sync::Arc;

use dayfly::contain::contain;
use dayfly_kv::{
    Bytes, ClearError, DeleteError, Etag, Key, Namespace, OpenError, Precondition, PutError, PutOptions,
    SweepError, Unavailable,
};
use tokio::sync::oneshot::Sender;

use crate::space::Space;

/// What a part of a sweep or of a clearing counts for, so that few share a transaction.
const CHUNK_BYTES: usize = 1_024 * 1_024;

/// What the committer is asked for. Whoever asks waits at the other end of `reply`, or has gone.
#[derive(Debug)]
pub(crate) enum Operation {
    Put {
        space: Arc<Space>,
        key: Key,
        value: Bytes,
        options: PutOptions,
        reply: Sender<Result<Etag, PutError>>,
    },
    Delete {
        space: Arc<Space>,
        key: Key,
        precondition: Precondition,
        reply: Sender<Result<bool, DeleteError>>,
    },
    /// Removes some of what has expired.
    Sweep { space: Arc<Space>, reply: Sender<Result<Chunk, SweepError>> },
    /// Removes some of what comes after a key.
    Clear { space: Arc<Space>, after: Option<Key>, reply: Sender<Result<Chunk, ClearError>> },
    /// Gives a namespace a number.
    Space { namespace: Namespace, reply: Sender<Result<u32, OpenError>> },
    /// Brings everything before it to the disk.
    Sync { reply: Sender<Result<(), Unavailable>> },
    /// Opens the file again, if it is still the opening of this number that failed.
    Reopen { opening: u64, reply: Sender<Result<(), Unavailable>> },
    /// Brings everything before it to the disk, and lets go of the file.
    Close { reply: Sender<Result<(), Unavailable>> },
}

/// What was done of a sweep or a clearing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) count: u64,
    /// After which key to go on.
    pub(crate) after: Option<Key>,
    pub(crate) is_last: bool,
}

/// What came of an operation, to be told when it is committed.
#[derive(Debug)]
pub(crate) enum Done {
    Put(Result<Etag, PutError>),
    Delete(Result<bool, DeleteError>),
    Chunk(Chunk),
    Space(Result<u32, OpenError>),
    Synced,
    /// Nothing, and nothing will.
    Nothing,
}

/// Why an operation has no answer of its own.
#[derive(Clone, Debug)]
pub(crate) enum Lost {
    /// It was not done.
    Undone(Unavailable),
    /// It may have been done.
    Unknown(Unavailable),
}

impl Operation {
    /// How many bytes a transaction holds for it.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Put { key, value, .. } => key.as_str().len() + value.len(),
            // It removes a thousand entries, and a change of each is told.
            Self::Sweep { .. } | Self::Clear { .. } => CHUNK_BYTES,
            _ => 0,
        }
    }

    /// Whether it is not done in a transaction with others.
    pub(crate) const fn stands_alone(&self) -> bool {
        matches!(self, Self::Reopen { .. } | Self::Close { .. })
    }

    /// The first of the queue, if it may share a transaction.
    pub(crate) fn next_of_group(queue: &mut VecDeque<Self>) -> Option<Self> {
        if queue.front()?.stands_alone() { None } else { queue.pop_front() }
    }

    /// Answers what was done.
    pub(crate) fn answer(self, done: Done) {
        match (self, done) {
            (Self::Put { reply, .. }, Done::Put(result)) => tell(reply, result),
            (Self::Delete { reply, .. }, Done::Delete(result)) => tell(reply, result),
            (Self::Sweep { reply, .. }, Done::Chunk(chunk)) => tell(reply, Ok(chunk)),
            (Self::Clear { reply, .. }, Done::Chunk(chunk)) => tell(reply, Ok(chunk)),
            (Self::Space { reply, .. }, Done::Space(result)) => tell(reply, result),
            (Self::Sync { reply } | Self::Reopen { reply, .. } | Self::Close { reply }, Done::Synced) => {
                tell(reply, Ok(()));
            }
            // What is dropped without an answer is unknown to whoever waits for it.
            (operation, _) => drop(operation),
        }
    }

    /// Answers that there is no answer.
    pub(crate) fn lose(self, lost: Lost) {
        match self {
            Self::Put { reply, .. } => tell(reply, Err(lost.into())),
            Self::Delete { reply, .. } => tell(reply, Err(lost.into())),
            Self::Sweep { reply, .. } => tell(reply, Err(lost.into())),
            Self::Clear { reply, .. } => tell(reply, Err(lost.into())),
            Self::Space { reply, .. } => tell(reply, Err(lost.into())),
            Self::Sync { reply } | Self::Reopen { reply, .. } | Self::Close { reply } => {
                tell(reply, Err(lost.into()));
            }
        }
    }
}

impl Done {
    /// Whether the operation ended without a change, whatever becomes of the transaction.
    pub(crate) const fn is_refused(&self) -> bool {
        matches!(self, Self::Put(Err(_)) | Self::Delete(Err(_)) | Self::Nothing)
    }
}

impl Lost {
    pub(crate) fn why(self) -> Unavailable {
        match self {
            Self::Undone(why) | Self::Unknown(why) => why,
        }
    }
}

impl From<Lost> for PutError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Undone(why) => Self::Unavailable(why),
            Lost::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<Lost> for DeleteError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Undone(why) => Self::Unavailable(why),
            Lost::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<Lost> for SweepError {
    fn from(lost: Lost) -> Self {
        Self::Unavailable(lost.why())
    }
}

impl From<Lost> for ClearError {
    fn from(lost: Lost) -> Self {
        Self::Unavailable(lost.why())
    }
}

impl From<Lost> for OpenError {
    fn from(lost: Lost) -> Self {
        Self::Unavailable(lost.why())
    }
}

impl From<Lost> for Unavailable {
    fn from(lost: Lost) -> Self {
        lost.why()
    }
}

/// The waker of whoever waits is somebody else's code, and so is the drop of what nobody waits for: if it panics, the
/// others still get their answers.
fn tell<T>(reply: Sender<T>, answer: T) {
    contain(|| drop(reply.send(answer)));
}
