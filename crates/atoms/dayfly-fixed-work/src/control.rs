//! What can be done once work is in: watch it, bound it, end it.

use std::fmt::Display;
use std::time::Duration;

use dayfly::{
    DrainReport, Echo, OperationId, OperationSnapshot, PinError, Query, Signal, SignalSink, Stats,
    StatsHandle,
};

use crate::FixedWork;

impl<T, V, E> FixedWork<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    /// The figures at this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.work.stats()
    }

    /// Reads the figures without keeping this open: for who reports them until the very end.
    #[must_use]
    pub fn stats_handle(&self) -> StatsHandle {
        self.work.stats_handle()
    }

    /// An operation that runs or that the window remembers.
    #[must_use]
    pub fn get(&self, id: OperationId) -> Option<OperationSnapshot> {
        self.work.get(id)
    }

    /// Every running operation and every finished one that the window remembers, by id.
    #[must_use]
    pub fn window(&self) -> Vec<OperationSnapshot> {
        self.work.window()
    }

    /// The operations that run now, by id.
    #[must_use]
    pub fn running(&self) -> Vec<OperationSnapshot> {
        self.work.running()
    }

    /// The failed and panicked operations that the window remembers, by id, each with its error.
    #[must_use]
    pub fn failed(&self) -> Vec<OperationSnapshot> {
        self.work.failed()
    }

    /// Keeps an operation in the window until it is unpinned, however old it gets. Pinning twice is once.
    ///
    /// # Errors
    /// When it neither runs nor is remembered, and when [`max_pinned`](dayfly::CoordinatorOptions::max_pinned) operations
    /// are pinned already.
    pub fn pin(&self, id: OperationId) -> Result<(), PinError> {
        self.work.pin(id)
    }

    /// Lets a pinned operation go. Says whether it was pinned.
    pub fn unpin(&self, id: OperationId) -> bool {
        self.work.unpin(id)
    }

    /// The signals that are meant of every running operation and every finished one that the window remembers, the last 8
    /// of each, by operation and then oldest first. Costs a look at all of them.
    #[must_use]
    pub fn history(&self, query: impl Into<Query>) -> Vec<Signal> {
        self.work.history(query)
    }

    /// Whether such an operation raised a signal that is meant, as [`history`](Self::history) shows it.
    #[must_use]
    pub fn has(&self, query: impl Into<Query>) -> bool {
        self.work.has(query)
    }

    /// How many signals that are meant [`history`](Self::history) shows.
    #[must_use]
    pub fn count(&self, query: impl Into<Query>) -> usize {
        self.work.count(query)
    }

    /// Signals of operations that have left the window, oldest first.
    #[must_use]
    pub fn echoes(&self) -> Vec<Echo> {
        self.work.echoes()
    }

    /// Calls `observer` with every operation that ends from now on, once each. It runs in the call that ended the
    /// operation, so on its thread where it had one, and never under a lock; a panic is contained.
    pub fn on_finish(&self, observer: impl Fn(&OperationSnapshot) + Send + Sync + 'static) {
        self.work.on_finish(observer);
    }

    /// Calls `observer` with every operation that leaves the window from now on, once each.
    pub fn on_evict(&self, observer: impl Fn(&OperationSnapshot) + Send + Sync + 'static) {
        self.work.on_evict(observer);
    }

    /// The sink that this works with.
    #[must_use]
    pub fn signals(&self) -> &SignalSink {
        self.work.signals()
    }

    /// Lets fewer workers work than there are, or more of them again, at once in both directions. Running bodies go on.
    ///
    /// Returns the limit that holds, which is never above [`workers`](Self::workers).
    ///
    /// # Panics
    /// When it is zero; to start nothing for a while, [`pause`](Self::pause).
    pub fn set_max_concurrency(&self, operations: usize) -> usize {
        let limit = operations.min(self.workers());
        self.work.set_max_concurrency(limit);
        limit
    }

    /// Starts nothing new until [`resume`](Self::resume). What runs goes on; work is still taken in.
    pub fn pause(&self) {
        self.work.pause();
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.work.resume();
    }

    /// Ends an operation's wait for its next attempt: its turn comes as if the time were over. Says whether it waits or
    /// runs.
    pub fn hasten(&self, id: OperationId) -> bool {
        self.work.hasten(id)
    }

    /// Ends one operation: one that has not started is removed, and a running one sees its cancellation. An async body is
    /// dropped at its next suspension and counts as cancelled. One on a thread goes on until it returns, and counts as
    /// what it returns, or as cancelled if it asks for another attempt. Says whether it was there.
    pub fn kill(&self, id: OperationId) -> bool {
        self.work.kill(id)
    }

    /// Waits until nothing is pending and nothing runs. Intake stays open.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn idle(&self) {
        self.work.idle().await;
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
        self.work.room(operations).await;
    }

    /// Ends intake. What was accepted is still finished; producers that wait for room get their items back.
    pub fn close(&self) {
        self.work.close();
    }

    /// Ends intake and waits until everything that was accepted has ended, as long as that takes. No body runs any more
    /// then; threads that are still there have nothing left to do but to end. Closing happens when this is called, not
    /// when the future is polled.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait and undoes nothing. Any number of callers may wait.
    pub fn drain(&self) -> impl Future<Output = DrainReport> + Send + use<T, V, E> {
        self.work.drain()
    }

    /// Like [`drain`](Self::drain), and cancels what has not ended after `limit`, as [`cancel`](Self::cancel) does: with
    /// bodies on threads it may take longer than that, until the last of them returns.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait; the limit holds all the same.
    pub fn drain_for(&self, limit: Duration) -> impl Future<Output = DrainReport> + Send + use<T, V, E> {
        self.work.drain_for(limit)
    }

    /// Ends intake and what has not started, and lets what runs come to its end, as long as that takes. What has not started
    /// counts as cancelled, and so does what waits for another attempt or asks for one. This lies between
    /// [`drain`](Self::drain), which starts everything, and [`cancel`](Self::cancel), which interrupts what runs. It happens
    /// when this is called, not when the future is polled.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait and undoes nothing.
    pub fn drain_running(&self) -> impl Future<Output = DrainReport> + Send + use<T, V, E> {
        self.work.drain_running()
    }

    /// Like [`drain_running`](Self::drain_running), and cancels what has not ended after `limit`, as
    /// [`cancel`](Self::cancel) does: with bodies on threads it may take longer than that.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait; the limit holds all the same.
    pub fn drain_running_for(
        &self,
        limit: Duration,
    ) -> impl Future<Output = DrainReport> + Send + use<T, V, E> {
        self.work.drain_running_for(limit)
    }

    /// Stops now: what has not started counts as cancelled, and bodies see their cancellation. Waits until no body runs any
    /// more. An async body is dropped after [`cancel_grace`](dayfly::CoordinatorOptions::cancel_grace); one on a thread
    /// cannot be, so this waits until it returns, however long that takes, and it counts as what it returns. Stopping
    /// happens when this is called, not when the future is polled.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait and undoes nothing.
    pub fn cancel(&self) -> impl Future<Output = DrainReport> + Send + use<T, V, E> {
        self.work.cancel()
    }
}
