//! Guards over one name: a handle that has looked it up, and a hold that keeps it raised.

use std::fmt;
use std::sync::Arc;

use crate::signal::Label;
use crate::topics::TopicKey;
use crate::{Draft, SignalId, SignalSink};

/// A name that was looked up once. Cheap to clone; [`raise`](Self::raise) through it looks nothing up.
///
/// It can be given wherever a [`Draft`] is taken; in another sink than its own it means the same name there.
#[derive(Clone)]
pub struct SignalHandle {
    inner: Arc<Pinned>,
}

/// The pin that keeps the topic interned while any clone of the handle lives.
struct Pinned {
    sink: SignalSink,
    topic: TopicKey,
    label: Arc<Label>,
}

impl SignalHandle {
    /// Takes over a pin of `topic`.
    pub(crate) fn new(sink: SignalSink, topic: TopicKey, label: Arc<Label>) -> Self {
        Self { inner: Arc::new(Pinned { sink, topic, label }) }
    }

    /// Raises the name, without a payload.
    pub fn raise(&self) -> SignalId {
        self.inner.sink.raise(self)
    }

    /// Raises the name with a payload.
    pub fn raise_with(&self, payload: &str) -> SignalId {
        self.inner.sink.raise(Draft::from(self).payload(payload))
    }

    /// Takes all raises of the name back, whoever added them. Says whether there were any.
    pub fn retract(&self) -> bool {
        self.inner.sink.retract(self)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.label.name
    }

    /// The key, if the handle was made with one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.inner.label.key.as_deref()
    }

    pub(crate) fn topic(&self) -> TopicKey {
        self.inner.topic
    }

    pub(crate) fn is_of(&self, sink: &SignalSink) -> bool {
        self.inner.sink.is_same(sink)
    }
}

impl fmt::Debug for SignalHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalHandle").field("name", &self.name()).field("key", &self.key()).finish()
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.sink.lock().topics.unpin(self.topic);
    }
}

/// Keeps a name raised, without ageing, until it is dropped.
#[derive(Debug)]
pub struct Hold {
    pub(crate) sink: SignalSink,
    pub(crate) topic: TopicKey,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.sink.change(|state, wakes| state.release(self.topic, wakes));
    }
}
