//! Being told of changes.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::WatchError;
use crate::etag::Etag;
use crate::key::Key;

/// From where on changes are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchFrom {
    /// From the moment on at which `watch` returned.
    #[default]
    Now,
    /// After the change that had this cursor. When the store has forgotten what followed, the first thing told is a gap.
    After(Cursor),
}

/// A place in a store's changes. It is opaque: it means something to the store that told it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Arc<str>);

impl Cursor {
    /// The cursor of this text.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().into())
    }

    /// Its text, to be kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({})", self.0)
    }
}

/// Something that happened to an entry, or may have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// What it was.
    pub what: What,
    /// Where to go on; `None` when the store cannot go on from here later.
    pub cursor: Option<Cursor>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// An entry was written. Read it for its value: it may have been written again.
    Put {
        /// Which one.
        key: Key,
        /// The etag of that write.
        etag: Etag,
    },
    /// An entry was deleted, or had expired and was removed.
    Deleted {
        /// Which one.
        key: Key,
    },
    /// Changes were missed: list the entries again. Whatever happens after the gap was told is told, and perhaps some of
    /// what happened before it.
    Gap,
}

impl Change {
    /// A change.
    pub const fn new(what: What) -> Self {
        Self { what, cursor: None }
    }

    /// With a cursor.
    #[must_use]
    pub fn cursor(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Which entry it happened to; `None` for a gap.
    pub fn key(&self) -> Option<&Key> {
        match &self.what {
            What::Put { key, .. } | What::Deleted { key } => Some(key),
            What::Gap => None,
        }
    }
}

/// A stream of changes: each at least once, those of one key in order, of several changes of one key perhaps only the
/// last. After an error it ends. Dropping it ends the watching.
#[must_use = "nobody is told of changes by a watch that is dropped"]
pub struct Watch(Pin<Box<dyn Stream<Item = Result<Change, WatchError>> + Send>>);

impl Watch {
    /// A watch that is this stream.
    pub fn new(changes: impl Stream<Item = Result<Change, WatchError>> + Send + 'static) -> Self {
        Self(Box::pin(changes))
    }

    /// The next change; `None` when there will be none.
    ///
    /// # Cancel safety
    /// Nothing is lost: a change is taken only when it is returned.
    pub async fn next(&mut self) -> Option<Result<Change, WatchError>> {
        poll_fn(|context| self.0.as_mut().poll_next(context)).await
    }
}

impl Stream for Watch {
    type Item = Result<Change, WatchError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
