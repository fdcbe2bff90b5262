//! One event, as readers of a sink see it.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use crate::cause::Lineage;
use crate::{OperationId, SignalId};

/// What happened to the name: it was raised, or a raise was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignalKind {
    /// The name was raised, or a hold on it began.
    Raised,
    /// A raise was taken back, or a hold ended. The history still shows the raise itself.
    Retracted,
}

/// One event of a sink. Cheap to clone: it shares its texts with the sink.
#[derive(Clone, Debug)]
pub struct Signal {
    pub(crate) id: SignalId,
    pub(crate) kind: SignalKind,
    pub(crate) sink: SinkId,
    pub(crate) label: Arc<Label>,
    pub(crate) payload: Option<Arc<str>>,
    pub(crate) operation: Option<OperationId>,
    pub(crate) at: Instant,
    pub(crate) lineage: Lineage,
    pub(crate) visited: Option<Arc<Visited>>,
}

/// The sinks that an event has come through by forwarding, the newest first.
#[derive(Debug)]
pub(crate) struct Visited {
    pub(crate) sink: SinkId,
    pub(crate) earlier: Option<Arc<Visited>>,
}

/// Tells the sinks of a process apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SinkId(pub(crate) u64);

/// The identity of a signal in its sink: the name and, if there is one, the key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) name: Box<str>,
    pub(crate) key: Option<Box<str>>,
}

impl Signal {
    /// The event's place in its sink.
    #[must_use]
    pub const fn id(&self) -> SignalId {
        self.id
    }

    /// Whether the name was raised or taken back.
    #[must_use]
    pub const fn kind(&self) -> SignalKind {
        self.kind
    }

    /// The name, without the payload.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.label.name
    }

    /// The key, if the signal has one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.label.key.as_deref()
    }

    /// What stood behind the first colon, if there was one.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        self.payload.as_deref()
    }

    /// The operation that raised it, if one did.
    #[must_use]
    pub const fn operation(&self) -> Option<OperationId> {
        self.operation
    }

    /// The signal that it was raised in answer to, if there was one.
    #[must_use]
    pub const fn cause(&self) -> Option<SignalId> {
        self.lineage.cause
    }

    /// Its place in the chain of causes: 1 for a root, and for a leaf, which has no chain.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.lineage.depth()
    }

    /// Whether it is of this sink, or came through it.
    pub(crate) fn has_visited(&self, sink: SinkId) -> bool {
        let visited = std::iter::successors(self.visited.as_deref(), |visited| visited.earlier.as_deref());
        self.sink == sink || visited.into_iter().any(|visited| visited.sink == sink)
    }

    /// When it was raised, on Tokio's clock. Instants of one sink never go backwards.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(payload) = self.payload() {
            write!(f, ":{payload}")?;
        }
        match self.key() {
            Some(key) => write!(f, " [{key}]"),
            None => Ok(()),
        }
    }
}

/// A name that is raised at this moment, as [`SignalSink::state`](crate::SignalSink::state) lists it.
#[derive(Clone, Debug)]
pub struct Raised {
    pub(crate) label: Arc<Label>,
    pub(crate) newest: SignalId,
    pub(crate) count: u64,
    pub(crate) expires_at: Option<Instant>,
}

impl Raised {
    /// The raised name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.label.name
    }

    /// The key under which it is raised, if any.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.label.key.as_deref()
    }

    /// Its newest raise.
    #[must_use]
    pub const fn newest(&self) -> SignalId {
        self.newest
    }

    /// How many raises and holds there are that have neither been taken back nor aged out; at least 1.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// When it will have aged out unless it is raised again; `None` while it is held.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Instant> {
        self.expires_at
    }
}
