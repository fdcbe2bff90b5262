//! Bounds, gates and the end: as for a keyed coordinator.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use dayfly::{DrainReport, Fixed, KeyStats, OperationId, Reconfigure, SignalSink, Stats, StatsHandle};

use crate::line::SharedLine;
use crate::{KeyedSequential, SequentialOptions, SequentialReport};

impl<K, T> KeyedSequential<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    /// The figures at this moment. Failed items of parked keys are pending, and waiting.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.work.stats()
    }

    /// Reads the figures without keeping this open: for who reports them until the very end.
    #[must_use]
    pub fn stats_handle(&self) -> StatsHandle {
        self.shared.work.stats_handle()
    }

    /// The figures of one key; zeros when it has no work. A parked key has one operation that waits.
    #[must_use]
    pub fn key_stats(&self, key: &K) -> KeyStats {
        self.shared.work.key_stats(key)
    }

    /// The `n` keys with the most work, the most first. Costs a look at every key that has work.
    #[must_use]
    pub fn hottest(&self, n: usize) -> Vec<(K, KeyStats)> {
        self.shared.work.hottest(n)
    }

    /// The options of the start.
    #[must_use]
    pub fn options(&self) -> &SequentialOptions {
        &self.shared.options
    }

    /// The sink that this works with.
    #[must_use]
    pub fn signals(&self) -> &SignalSink {
        self.shared.work.signals()
    }

    /// Changes the limit on running operations, at once in both directions.
    ///
    /// # Panics
    /// When it is zero; to start nothing for a while, [`pause`](Self::pause).
    pub fn set_max_concurrency(&self, operations: usize) {
        self.shared.work.set_max_concurrency(operations);
        self.list_at_least(&self.shared.options.work.clone().max_concurrency(operations));
    }

    /// Starts nothing new until [`resume`](Self::resume). What runs goes on; work is still taken in.
    pub fn pause(&self) {
        self.shared.work.pause();
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.shared.work.resume();
    }

    /// Starts nothing of this key until [`resume_key`](Self::resume_key); other keys go on. A pause and a failed item stop
    /// a key independently of each other.
    pub fn pause_key(&self, key: K) {
        self.shared.work.pause_key(key);
    }

    /// Ends the pause of a key. Says whether it was paused.
    pub fn resume_key(&self, key: &K) -> bool {
        self.shared.work.resume_key(key)
    }

    /// Ends one operation: one that has not started is removed, the failed one of a parked key too, and a running one sees
    /// its cancellation and is dropped at its next suspension. Its key goes on with the next. Says whether it was
    /// there; it counts as cancelled, and its item is [given up](Self::given_up).
    pub fn kill(&self, id: OperationId) -> bool {
        self.shared.work.kill(id)
    }

    /// Waits until nothing is pending and nothing runs, so no key is parked either. Intake stays open.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn idle(&self) {
        self.shared.work.idle().await;
    }

    /// Waits until the queue has room for so many operations more, and nobody stands in line for it; for as many as it takes
    /// at all where that is fewer. Returns at once when intake has ended.
    ///
    /// It is for who hands in with `try_enqueue` and comes again when that is worth while. This takes no place and none in
    /// line, so others may be faster. All who wait for no more than there is are woken.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn room(&self, operations: usize) {
        self.shared.work.room(operations).await;
    }

    /// Like [`room`](Self::room), for a key's part of the queue, which
    /// [`max_queued_per_key`](dayfly::CoordinatorOptions::max_queued_per_key) bounds. It says nothing of room in all. A
    /// parked key has none while its part is full of what waits behind the failed item.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn room_of(&self, key: &K, operations: usize) {
        self.shared.work.room_of(key, operations).await;
    }

    /// Ends intake. What was accepted is still finished; producers that wait for room get their items back.
    pub fn close(&self) {
        self.shared.work.close();
    }

    /// Ends intake and waits until everything that was accepted has ended, as long as that takes: for parked keys until
    /// somebody retries, skips or discards them, which remains possible. Closing happens when this is called, not when
    /// the future is polled.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait and undoes nothing. Any number of callers may wait.
    pub fn drain(&self) -> impl Future<Output = SequentialReport<K, T>> + Send + use<K, T> {
        reported(Arc::clone(&self.shared.line), self.shared.work.drain())
    }

    /// Like [`drain`](Self::drain), and cancels what has not ended after `limit`, parked keys included. Their failed items
    /// and everything behind these are in the report, as given up.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait; the limit holds all the same.
    pub fn drain_for(
        &self,
        limit: Duration,
    ) -> impl Future<Output = SequentialReport<K, T>> + Send + use<K, T> {
        reported(Arc::clone(&self.shared.line), self.shared.work.drain_for(limit))
    }

    /// Ends intake and what has not started, and lets what runs come to its end, as long as that takes. What has not started
    /// counts as cancelled, and so do the failed items of parked keys, and those that fail from now on: they and what was
    /// behind them are in the report, as given up. This lies between [`drain`](Self::drain), which starts everything, and
    /// [`cancel`](Self::cancel), which interrupts what runs. It happens when this is called, not when the future is polled.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait and undoes nothing.
    pub fn drain_running(&self) -> impl Future<Output = SequentialReport<K, T>> + Send + use<K, T> {
        reported(Arc::clone(&self.shared.line), self.shared.work.drain_running())
    }

    /// Like [`drain_running`](Self::drain_running), and cancels what has not ended after `limit`.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait; the limit holds all the same.
    pub fn drain_running_for(
        &self,
        limit: Duration,
    ) -> impl Future<Output = SequentialReport<K, T>> + Send + use<K, T> {
        reported(Arc::clone(&self.shared.line), self.shared.work.drain_running_for(limit))
    }

    /// Stops now: what has not started and what is parked counts as cancelled, bodies see their cancellation and are
    /// dropped after [`cancel_grace`](dayfly::CoordinatorOptions::cancel_grace). Waits until nothing runs any more. The
    /// items of all of them are in the report, as given up. Stopping happens when this is called, not when the future
    /// is polled.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait and undoes nothing.
    pub fn cancel(&self) -> impl Future<Output = SequentialReport<K, T>> + Send + use<K, T> {
        reported(Arc::clone(&self.shared.line), self.shared.work.cancel())
    }
}

/// The figures of the end, with what was given up until then.
async fn reported<K: Eq + Hash + Clone, T>(
    line: SharedLine<K, T>,
    ended: impl Future<Output = DrainReport> + Send,
) -> SequentialReport<K, T> {
    let figures = ended.await;
    let (given_up, forgotten) = line.given_up();
    SequentialReport { figures, given_up, forgotten }
}

impl<K, T> Reconfigure<SequentialOptions> for KeyedSequential<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    fn check(&self, options: &SequentialOptions) -> Result<(), Fixed> {
        if options.parked_signal != self.shared.options.parked_signal {
            return Err(Fixed::new("parked_signal"));
        }
        self.shared.work.check(&options.work)
    }

    fn reconfigure(&self, options: &SequentialOptions) -> Result<(), Fixed> {
        self.check(options)?;
        self.shared.work.reconfigure(&options.work)?;
        self.list_at_least(&options.work);
        Ok(())
    }
}
