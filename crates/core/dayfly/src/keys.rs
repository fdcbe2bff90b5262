//! How items are sorted by key, and how keys share.

use std::fmt;
use std::sync::Arc;

use crate::engine::Offer;
use crate::schedule::Weight;

/// Which key an item belongs to, how much a key weighs, and which lane of its key an item goes into.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly::{CoordinatorOptions, KeyedCoordinator, Keys, SignalSink};
///
/// struct Job { tenant: u32, urgent: bool }
///
/// // Tenant 1 has paid for three turns where others have one; urgent jobs go before all others.
/// let keys = Keys::of(|job: &Job| job.tenant)
///     .weight(|tenant| if *tenant == 1 { 3 } else { 1 })
///     .lanes(2, |job| usize::from(!job.urgent));
/// let signals = SignalSink::default();
/// let jobs = KeyedCoordinator::spawn_with(CoordinatorOptions::new(), &signals, keys, |_: Job, _| async {});
/// jobs.enqueue(Job { tenant: 1, urgent: true }).await.unwrap();
/// assert_eq!(jobs.drain().await.completed, 1);
/// # }
/// ```
pub struct Keys<K, T> {
    pub(crate) sorting: Sorting<K, T>,
    pub(crate) weight: Option<Weight<K>>,
}

/// Which lane an item goes into.
type LaneOf<T> = Box<dyn Fn(&T) -> usize + Send + Sync>;

/// The part that producers ask, in their own call.
pub(crate) struct Sorting<K, T> {
    key_of: Box<dyn Fn(&T) -> K + Send + Sync>,
    pub(crate) lanes: usize,
    lane_of: Option<LaneOf<T>>,
}

impl<K, T> Keys<K, T> {
    /// Items belong to the key that `key_of` says. It is asked once per item, in the producer's call.
    #[must_use]
    pub fn of(key_of: impl Fn(&T) -> K + Send + Sync + 'static) -> Self {
        Self { sorting: Sorting { key_of: Box::new(key_of), lanes: 1, lane_of: None }, weight: None }
    }

    /// The same for items that have such an item in them, which `part` finds.
    #[must_use]
    pub fn within<U>(self, part: impl Fn(&U) -> &T + Send + Sync + 'static) -> Keys<K, U>
    where
        K: 'static,
        T: 'static,
    {
        let Sorting { key_of, lanes, lane_of } = self.sorting;
        let part = Arc::new(part);
        let of_key = Arc::clone(&part);
        let lane_of = lane_of.map(|lane_of| Box::new(move |item: &U| lane_of(part(item))) as LaneOf<U>);
        let key_of = Box::new(move |item: &U| key_of(of_key(item)));
        Keys { sorting: Sorting { key_of, lanes, lane_of }, weight: self.weight }
    }

    /// Gives a key as many turns in each round as `weight` says; 0 is taken as 1.
    ///
    /// It is asked when work of a key comes in that has none, under a lock: keep it short. A key for which it panics has one
    /// turn.
    #[must_use]
    pub fn weight(mut self, weight: impl Fn(&K) -> usize + Send + Sync + 'static) -> Self {
        self.weight = Some(Box::new(weight));
        self
    }

    /// Gives every key so many lanes. What is in a higher lane, 0 being the highest, starts before what is in a lower
    /// one, also of other keys; within a lane keys take turns. `lane_of` says where an item belongs, and is asked as
    /// `key_of` is; beyond the last lane is the last lane. An item that is tried again keeps its precedence in its key.
    ///
    /// Lower lanes can wait for as long as higher ones have work.
    ///
    /// # Panics
    /// When there is no lane.
    #[must_use]
    #[track_caller]
    pub fn lanes(mut self, lanes: usize, lane_of: impl Fn(&T) -> usize + Send + Sync + 'static) -> Self {
        assert!(lanes > 0, "a key needs at least one lane");
        self.sorting.lanes = lanes;
        self.sorting.lane_of = Some(Box::new(lane_of));
        self
    }
}

impl<K, T> Sorting<K, T> {
    pub(crate) fn sort(&self, item: T) -> Offer<T, K> {
        let key = (self.key_of)(&item);
        let lane = self.lane_of.as_ref().map_or(0, |lane_of| lane_of(&item).min(self.lanes - 1));
        Offer { lane, ..Offer::new(key, item) }
    }
}

impl<K, T> fmt::Debug for Keys<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("lanes", &self.sorting.lanes)
            .field("weighed", &self.weight.is_some())
            .finish_non_exhaustive()
    }
}
