//! Refusals, each with the item that was refused.

use thiserror::Error;

/// Why an operation cannot be pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinError {
    /// As many operations are pinned as the options allow.
    #[error("{max_pinned} operations are pinned already")]
    Full {
        /// The limit.
        max_pinned: usize,
    },
    /// The operation neither runs nor is remembered.
    #[error("the operation neither runs nor is remembered")]
    Unknown,
}

/// The coordinator is closed; the item comes back.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnqueueError<T> {
    /// The coordinator takes no more work.
    #[error("the coordinator is closed")]
    Closed(T),
    /// An operation with the id that the caller brought has not ended yet.
    #[error("an operation with this id has not ended yet")]
    Duplicate(T),
}

/// The item was not taken, and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryEnqueueError<T> {
    /// The queue has no room.
    #[error("the queue is full")]
    Full(T),
    /// The queue has no room for more work of the item's key.
    #[error("the queue is full for this key")]
    KeyFull(T),
    /// The coordinator takes no more work.
    #[error("the coordinator is closed")]
    Closed(T),
    /// An operation with the id that the caller brought has not ended yet.
    #[error("an operation with this id has not ended yet")]
    Duplicate(T),
}

/// The item was not taken into its lane, and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LaneEnqueueError<T> {
    /// There is no lane of this name.
    #[error("there is no such lane")]
    UnknownLane(T),
    /// The coordinator takes no more work.
    #[error("the coordinator is closed")]
    Closed(T),
    /// An operation with the id that the caller brought has not ended yet.
    #[error("an operation with this id has not ended yet")]
    Duplicate(T),
}

/// The item was not taken into its lane, and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryLaneEnqueueError<T> {
    /// There is no lane of this name.
    #[error("there is no such lane")]
    UnknownLane(T),
    /// The queue has no room.
    #[error("the queue is full")]
    Full(T),
    /// The lane has no room.
    #[error("the lane is full")]
    LaneFull(T),
    /// The coordinator takes no more work.
    #[error("the coordinator is closed")]
    Closed(T),
    /// An operation with the id that the caller brought has not ended yet.
    #[error("an operation with this id has not ended yet")]
    Duplicate(T),
}

impl<T> LaneEnqueueError<T> {
    /// The item that was refused.
    pub fn into_item(self) -> T {
        match self {
            Self::UnknownLane(item) | Self::Closed(item) | Self::Duplicate(item) => item,
        }
    }
}

impl<T> TryLaneEnqueueError<T> {
    /// The item that was refused.
    pub fn into_item(self) -> T {
        match self {
            Self::UnknownLane(item)
            | Self::Full(item)
            | Self::LaneFull(item)
            | Self::Closed(item)
            | Self::Duplicate(item) => item,
        }
    }
}

impl<T> EnqueueError<T> {
    /// The same refusal with another form of the item.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> EnqueueError<U> {
        match self {
            Self::Closed(item) => EnqueueError::Closed(form(item)),
            Self::Duplicate(item) => EnqueueError::Duplicate(form(item)),
        }
    }

    /// The item that was refused.
    pub fn into_item(self) -> T {
        match self {
            Self::Closed(item) | Self::Duplicate(item) => item,
        }
    }
}

impl<T> TryEnqueueError<T> {
    /// The same refusal with another form of the item.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> TryEnqueueError<U> {
        match self {
            Self::Full(item) => TryEnqueueError::Full(form(item)),
            Self::KeyFull(item) => TryEnqueueError::KeyFull(form(item)),
            Self::Closed(item) => TryEnqueueError::Closed(form(item)),
            Self::Duplicate(item) => TryEnqueueError::Duplicate(form(item)),
        }
    }

    /// The item that was refused.
    pub fn into_item(self) -> T {
        match self {
            Self::Full(item) | Self::KeyFull(item) | Self::Closed(item) | Self::Duplicate(item) => item,
        }
    }
}

// Items need not be `Debug` for the error to be, so that `unwrap` and `?` always work.
impl<T> std::fmt::Debug for EnqueueError<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "Closed(..)",
            Self::Duplicate(_) => "Duplicate(..)",
        })
    }
}

impl<T> std::fmt::Debug for TryEnqueueError<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::KeyFull(_) => "KeyFull(..)",
            Self::Closed(_) => "Closed(..)",
            Self::Duplicate(_) => "Duplicate(..)",
        })
    }
}

impl<T> std::fmt::Debug for LaneEnqueueError<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownLane(_) => "UnknownLane(..)",
            Self::Closed(_) => "Closed(..)",
            Self::Duplicate(_) => "Duplicate(..)",
        })
    }
}

impl<T> std::fmt::Debug for TryLaneEnqueueError<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownLane(_) => "UnknownLane(..)",
            Self::Full(_) => "Full(..)",
            Self::LaneFull(_) => "LaneFull(..)",
            Self::Closed(_) => "Closed(..)",
            Self::Duplicate(_) => "Duplicate(..)",
        })
    }
}

impl<T> From<EnqueueError<T>> for LaneEnqueueError<T> {
    fn from(refused: EnqueueError<T>) -> Self {
        match refused {
            EnqueueError::Closed(item) => Self::Closed(item),
            EnqueueError::Duplicate(item) => Self::Duplicate(item),
        }
    }
}

impl<T> From<TryEnqueueError<T>> for TryLaneEnqueueError<T> {
    fn from(refused: TryEnqueueError<T>) -> Self {
        match refused {
            TryEnqueueError::Full(item) => Self::Full(item),
            TryEnqueueError::KeyFull(item) => Self::LaneFull(item),
            TryEnqueueError::Closed(item) => Self::Closed(item),
            TryEnqueueError::Duplicate(item) => Self::Duplicate(item),
        }
    }
}
