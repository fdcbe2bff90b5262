//! Work in lanes, the more important first.

use std::fmt;
use std::sync::Arc;

use dayfly_signal::SignalSink;
use futures_util::{FutureExt, Stream};

use crate::control::{Handle, control};
use crate::engine::{AttemptEnd, Engine, Manner, Offer};
use crate::feed::feed_in_order;
use crate::lane::arrange;
use crate::schedule::Priority;
use crate::{
    CoordinatorOptions, EnqueueError, FeedError, Lane, LaneEnqueueError, LaneOptions, LanesError, Operation,
    OperationId, Outcome, TryLaneEnqueueError, WeakHandle,
};

/// Runs items through a body, always starting the next one from the highest lane that may run.
///
/// Within a lane the order is that of arrival. A lane may have bounds and gates of its own. With
/// [`age_after`](CoordinatorOptions::age_after) what waits rises one lane for each such time, so that a low lane is
/// not starved; it keeps its own lane's bounds and gates. What is tried again waits anew, from the time on that its next
/// attempt is due.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly::{CoordinatorOptions, LaneOptions, PriorityCoordinator, SignalSink};
///
/// let signals = SignalSink::default();
/// let lanes = [LaneOptions::new("urgent"), LaneOptions::new("bulk").max_concurrency(2)];
/// let work = PriorityCoordinator::spawn(CoordinatorOptions::new(), lanes, &signals, |job: &str, _| async move {
///     println!("{job}");
/// })
/// .unwrap();
/// work.enqueue("bulk", "rebuild the index").await.unwrap();
/// work.enqueue("urgent", "answer the customer").await.unwrap();
/// assert!(work.try_enqueue("no such lane", "lost?").is_err());
/// assert_eq!(work.drain().await.completed, 2);
/// # }
/// ```
pub struct PriorityCoordinator<T: Send + 'static> {
    handle: Arc<Handle<Priority<T>>>,
    lanes: Arc<[Lane]>,
}

impl<T: Send + 'static> PriorityCoordinator<T> {
    /// Starts a coordinator with these lanes, the highest first, on the current Tokio runtime.
    ///
    /// # Errors
    /// When there is no lane, a name is blank, or two lanes have the same name.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn<F, Fut>(
        options: CoordinatorOptions,
        lanes: impl IntoIterator<Item = LaneOptions>,
        signals: &SignalSink,
        body: F,
    ) -> Result<Self, LanesError>
    where
        F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<T>> + Send + 'static,
    {
        let settings: Vec<LaneOptions> = lanes.into_iter().collect();
        let lanes: Arc<[Lane]> = arrange(&settings)?.into();
        let limits = settings.iter().map(|lane| lane.max_concurrency.unwrap_or(usize::MAX));
        let schedule = Priority::new(limits, options.age_after);
        // A lane without a bound of its own has that of the whole queue, also when it changes.
        let depths: Vec<usize> = settings.iter().map(|lane| lane.max_queued.unwrap_or(usize::MAX)).collect();
        let manner = Manner {
            key_text: |lane: &Lane| Some(lane.name().to_owned()),
            keys_gate: false,
            max_queued: Some(Box::new(move |lane: &Lane| depths[lane.index()])),
            lanes: settings,
            lane_of: |lane| Some(lane.index()),
            discard: Box::new(|item, _| drop(item)),
            crew: None,
        };
        let body = move |item, op| body(item, op).map(AttemptEnd::of);
        let engine = Engine::spawn(options, signals, schedule, manner, body);
        Ok(Self { handle: Arc::new(Handle { engine }), lanes })
    }

    /// Hands an item into a lane, waiting in line for room of the lane and for room in all.
    ///
    /// # Errors
    /// The item comes back when there is no such lane, or the coordinator is closed, also while this waits.
    ///
    /// # Cancel safety
    /// The item was accepted if and only if this returned `Ok`. A future that is dropped before drops its item
    /// with it and leaves its place in line to the next; to keep the item, use [`try_enqueue`](Self::try_enqueue).
    pub async fn enqueue(&self, lane: &str, item: T) -> Result<OperationId, LaneEnqueueError<T>> {
        self.enqueue_under(None, lane, item).await
    }

    /// Like [`enqueue`](Self::enqueue), under an id that the caller brings: one that it drew beforehand from
    /// [`OperationId::next`], or that it got from elsewhere and answers for.
    ///
    /// # Errors
    /// As for [`enqueue`](Self::enqueue), and when another operation under an id that a caller brought has the same one
    /// and has not ended.
    ///
    /// # Cancel safety
    /// As for [`enqueue`](Self::enqueue).
    pub async fn enqueue_as(
        &self,
        id: OperationId,
        lane: &str,
        item: T,
    ) -> Result<OperationId, LaneEnqueueError<T>> {
        self.enqueue_under(Some(id), lane, item).await
    }

    async fn enqueue_under(
        &self,
        id: Option<OperationId>,
        lane: &str,
        item: T,
    ) -> Result<OperationId, LaneEnqueueError<T>> {
        let Some(lane) = self.lane(lane) else { return Err(LaneEnqueueError::UnknownLane(item)) };
        Ok(self.handle.engine.enqueue(Offer { id, ..Offer::new(lane, item) }).await?)
    }

    /// Hands an item into a lane if there is room now.
    ///
    /// # Errors
    /// The item comes back when there is no such lane, the lane or the queue is full, or the coordinator is closed.
    pub fn try_enqueue(&self, lane: &str, item: T) -> Result<OperationId, TryLaneEnqueueError<T>> {
        self.try_enqueue_under(None, lane, item)
    }

    /// Like [`try_enqueue`](Self::try_enqueue), under an id that the caller brings, as for
    /// [`enqueue_as`](Self::enqueue_as).
    ///
    /// # Errors
    /// As for [`try_enqueue`](Self::try_enqueue), and when the id is in use.
    pub fn try_enqueue_as(
        &self,
        id: OperationId,
        lane: &str,
        item: T,
    ) -> Result<OperationId, TryLaneEnqueueError<T>> {
        self.try_enqueue_under(Some(id), lane, item)
    }

    fn try_enqueue_under(
        &self,
        id: Option<OperationId>,
        lane: &str,
        item: T,
    ) -> Result<OperationId, TryLaneEnqueueError<T>> {
        let Some(lane) = self.lane(lane) else { return Err(TryLaneEnqueueError::UnknownLane(item)) };
        Ok(self.handle.engine.try_enqueue(Offer { id, ..Offer::new(lane, item) })?)
    }

    /// Hands what a stream yields into a lane, until the stream ends. Returns how many items went in.
    ///
    /// The stream is asked for the next item only when the one before is in, so what waits outside of the queue's bound is
    /// one item. When the stream fails, everything that was accepted, into whatever lane, is finished first, and then the
    /// error is reported; the coordinator stays open.
    ///
    /// # Errors
    /// What the stream says, or that the coordinator was closed, with the item at hand if there is one, or that there is no
    /// such lane.
    ///
    /// # Cancel safety
    /// What went in stays in. A future that is dropped drops the stream, and the item at hand if there is one.
    pub async fn feed<E: Send>(
        &self,
        lane: &str,
        stream: impl Stream<Item = Result<T, E>> + Send,
    ) -> Result<u64, FeedError<T, E>> {
        let Some(lane) = self.lane(lane) else { return Err(FeedError::UnknownLane) };
        let engine = &self.handle.engine;
        let hand_in = |item| {
            let offer = Offer::new(lane.clone(), item);
            async { engine.enqueue(offer).await.map_err(EnqueueError::into_item) }
        };
        feed_in_order(stream, hand_in, (self.closed(), self.idle())).await
    }

    /// The lanes, the highest first.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    fn lane(&self, name: &str) -> Option<Lane> {
        self.lanes.iter().find(|lane| lane.name() == name).cloned()
    }

    /// A handle that does not keep the coordinator open.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle<Self> {
        let handle = Arc::downgrade(&self.handle);
        let lanes = Arc::clone(&self.lanes);
        WeakHandle::new(move || Some(Self { handle: handle.upgrade()?, lanes: Arc::clone(&lanes) }))
    }
}

control!([T] PriorityCoordinator<T>, Lane, [T: Send + 'static]);

impl<T: Send + 'static> Clone for PriorityCoordinator<T> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle), lanes: Arc::clone(&self.lanes) }
    }
}

impl<T: Send + 'static> fmt::Debug for PriorityCoordinator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PriorityCoordinator")
            .field("lanes", &self.lanes)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
