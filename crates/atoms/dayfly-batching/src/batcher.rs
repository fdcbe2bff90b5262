//! Batches of whatever comes.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Weak};

use dayfly::SignalSink;

use crate::control::{Handle, control};
use crate::engine::{Engine, Offer};
use crate::{Answer, Batch, BatchRules, BatcherOptions};

/// Gathers items into batches and hands each batch to a handler.
///
/// A batch is flushed when it holds [`max_items`](BatcherOptions::max_items), when it weighs
/// [`max_weight`](BatcherOptions::max_weight), [`max_delay`](BatcherOptions::max_delay) after its first item, at a
/// [boundary](BatchRules::boundary), on [`flush`](Self::flush) and when the batcher is closed. While
/// [`max_in_flight`](BatcherOptions::max_in_flight) batches are handled the next ones fill.
///
/// A handle is cheap to clone. When the last one is dropped, intake ends and what was accepted is still handled.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_batching::{Batch, Batcher, BatcherOptions, SubmitError};
/// use dayfly::SignalSink;
///
/// // One round trip for many look-ups; each caller gets its own answer.
/// let names = Batcher::spawn(BatcherOptions::new(), &SignalSink::default(), |ids: Batch<u32>| async move {
///     ids.iter().map(|id| if *id < 100 { Ok(format!("user {id}")) } else { Err("unknown") }).collect::<Vec<_>>()
/// });
/// let (one, other) = tokio::join!(names.submit(7), names.submit(700));
/// assert_eq!(one.unwrap(), "user 7");
/// assert!(matches!(other, Err(SubmitError::Failed(why)) if *why == "unknown"));
/// # }
/// ```
pub struct Batcher<T, V = (), E = Infallible>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    handle: Arc<Handle<T, (), V, E>>,
}

impl<T, V, E> Batcher<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    /// Starts a batcher on the current Tokio runtime. What a handler may return stands at [`Answer`].
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn<F, Fut>(options: BatcherOptions, signals: &SignalSink, handler: F) -> Self
    where
        F: Fn(Batch<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Answer<Value = V, Error = E>> + Send + 'static,
    {
        Self::spawn_with(options, signals, BatchRules::new(), handler)
    }

    /// Starts a batcher that weighs its items, sees boundaries, coalesces or recovers failures.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    #[expect(clippy::needless_pass_by_value, reason = "as every `spawn` of the house")]
    pub fn spawn_with<F, Fut>(
        options: BatcherOptions,
        signals: &SignalSink,
        rules: BatchRules<T, V, E>,
        handler: F,
    ) -> Self
    where
        F: Fn(Batch<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Answer<Value = V, Error = E>> + Send + 'static,
    {
        let engine = Engine::spawn(&options, signals, rules, false, handler);
        Self { handle: Arc::new(Handle { engine }) }
    }

    /// A handle that does not keep the batcher open.
    #[must_use]
    pub fn downgrade(&self) -> WeakBatcher<T, V, E> {
        WeakBatcher { handle: Arc::downgrade(&self.handle) }
    }

    fn offer(&self, item: T) -> Offer<T, ()> {
        self.handle.engine.rules.offer((), 0, item)
    }
}

control!([T, V, E] Batcher<T, V, E>, [T: Send + 'static, V: Send + 'static, E: Send + Sync + 'static]);

impl<T, V, E> Clone for Batcher<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<T, V, E> fmt::Debug for Batcher<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").field("stats", &self.stats()).finish()
    }
}

/// Leads back to a [`Batcher`] as long as somebody keeps it open: for a handler or a recovery that pushes into its own
/// batcher, which with a handle of its own would never close.
///
/// Such a closure must use [`try_push`](Batcher::try_push): waiting for room while holding a slot deadlocks on a full
/// queue.
pub struct WeakBatcher<T, V = (), E = Infallible>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    handle: Weak<Handle<T, (), V, E>>,
}

impl<T, V, E> WeakBatcher<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    /// The batcher, if any handle is left. It stays open at least as long as the result lives.
    #[must_use]
    pub fn upgrade(&self) -> Option<Batcher<T, V, E>> {
        Some(Batcher { handle: self.handle.upgrade()? })
    }
}

impl<T, V, E> Clone for WeakBatcher<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        Self { handle: Weak::clone(&self.handle) }
    }
}

impl<T, V, E> fmt::Debug for WeakBatcher<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakBatcher").finish_non_exhaustive()
    }
}
