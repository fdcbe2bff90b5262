//! What every coordinator can do once work is in: watch it, bound it, end it. Written once, for every shell.

use std::sync::Arc;

use crate::engine::{Engine, Key};
use crate::schedule::Schedule;

/// The handles of one engine. When the last one goes, intake ends, and a pause that nobody can lift any more.
pub(crate) struct Handle<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    pub(crate) engine: Arc<Engine<S>>,
}

impl<S> Drop for Handle<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    fn drop(&mut self) {
        self.engine.set_paused(false);
        self.engine.reschedule(Schedule::lift_pauses);
        self.engine.close();
    }
}

/// Implements the shared surface for a shell with a field `handle: Arc<Handle<_>>`.
macro_rules! control {
    ([$($generics:ident),*] $shell:ty, $key:ty, [$($bounds:tt)*]) => {
        impl<$($generics),*> $shell
        where
            $($bounds)*
        {
            /// The figures at this moment.
            #[must_use]
            pub fn stats(&self) -> $crate::Stats {
                self.handle.engine.stats()
            }

            /// Reads the figures without keeping the coordinator open: for who reports them until the very end.
            #[must_use]
            pub fn stats_handle(&self) -> $crate::StatsHandle {
                let engine = std::sync::Arc::clone(&self.handle.engine);
                $crate::StatsHandle::new(move || engine.stats())
            }

            /// An operation that runs or that the window remembers. Looking it up does not depend on their number.
            #[must_use]
            pub fn get(&self, id: $crate::OperationId) -> Option<$crate::OperationSnapshot<$key>> {
                self.handle.engine.get(id)
            }

            /// Every running operation and every finished one that the window remembers, by id.
            #[must_use]
            pub fn window(&self) -> Vec<$crate::OperationSnapshot<$key>> {
                self.handle.engine.list(|_| true)
            }

            /// The operations that run now, by id.
            #[must_use]
            pub fn running(&self) -> Vec<$crate::OperationSnapshot<$key>> {
                self.handle.engine.list(|state| state == $crate::OperationState::Running)
            }

            /// The failed and panicked operations that the window remembers, by id, each with its error.
            #[must_use]
            pub fn failed(&self) -> Vec<$crate::OperationSnapshot<$key>> {
                use $crate::OperationState::{Failed, Panicked};
                self.handle.engine.list(|state| matches!(state, Failed | Panicked))
            }

            /// Keeps an operation in the window until it is unpinned, however old it gets. Pinning twice is once.
            ///
            /// # Errors
            /// When it neither runs nor is remembered, and when
            /// [`max_pinned`](crate::CoordinatorOptions::max_pinned) operations are pinned already.
            pub fn pin(&self, id: $crate::OperationId) -> Result<(), $crate::PinError> {
                self.handle.engine.pin(id)
            }

            /// Lets a pinned operation go. Says whether it was pinned.
            pub fn unpin(&self, id: $crate::OperationId) -> bool {
                self.handle.engine.unpin(id)
            }

            /// The signals that are meant of every running operation and every finished one that the window remembers,
            /// the last 8 of each, by operation and then oldest first. Costs a look at all of them.
            ///
            /// To ask the sink for the signals of all who share it, use [`SignalSink::history`](crate::SignalSink::history).
            #[must_use]
            pub fn history(&self, query: impl Into<$crate::Query>) -> Vec<$crate::Signal> {
                let query = query.into();
                let operations = self.handle.engine.list(|_| true);
                let signals = operations.into_iter().flat_map(|operation| operation.signals);
                signals.filter(|signal| query.selects(signal)).collect()
            }

            /// Whether such an operation raised a signal that is meant, as [`history`](Self::history) shows it.
            #[must_use]
            pub fn has(&self, query: impl Into<$crate::Query>) -> bool {
                !self.history(query).is_empty()
            }

            /// How many signals that are meant [`history`](Self::history) shows.
            #[must_use]
            pub fn count(&self, query: impl Into<$crate::Query>) -> usize {
                self.history(query).len()
            }

            /// Signals of operations that have left the window, oldest first.
            #[must_use]
            pub fn echoes(&self) -> Vec<$crate::Echo> {
                self.handle.engine.echoes()
            }

            /// Calls `observer` with every operation that ends from now on, once each, for as long as the coordinator
            /// works. It runs in the call that ended the operation and never under a lock; a panic is contained.
            pub fn on_finish(
                &self,
                observer: impl Fn(&$crate::OperationSnapshot<$key>) + Send + Sync + 'static,
            ) {
                self.handle.engine.on_finish().add(std::sync::Arc::new(observer));
            }

            /// Calls `observer` with every operation that leaves the window from now on, once each, as
            /// [`on_finish`](Self::on_finish) does. One that ages out leaves when somebody looks, or another ends.
            pub fn on_evict(
                &self,
                observer: impl Fn(&$crate::OperationSnapshot<$key>) + Send + Sync + 'static,
            ) {
                self.handle.engine.on_evict().add(std::sync::Arc::new(observer));
            }

            /// The sink that the coordinator works with.
            #[must_use]
            pub fn signals(&self) -> &$crate::SignalSink {
                self.handle.engine.signals()
            }

            /// Changes the limit on running operations, at once in both directions.
            ///
            /// Running work is never dropped for it: a lower limit starts nothing until enough have finished.
            ///
            /// # Panics
            /// When it is zero; to start nothing for a while, [`pause`](Self::pause).
            pub fn set_max_concurrency(&self, operations: usize) {
                assert!(operations > 0, "max_concurrency must be at least 1");
                self.handle.engine.set_limit(operations);
            }

            /// Starts nothing new until [`resume`](Self::resume). What runs goes on; work is still taken in.
            pub fn pause(&self) {
                self.handle.engine.set_paused(true);
            }

            /// Ends a pause.
            pub fn resume(&self) {
                self.handle.engine.set_paused(false);
            }

            /// Ends one operation: one that has not started is removed, a running one sees its cancellation and is
            /// dropped at its next suspension. Says whether it was there. It counts as cancelled, unless its body ends by
            /// itself when it sees the cancellation: then it counts as what the body says.
            pub fn kill(&self, id: $crate::OperationId) -> bool {
                self.handle.engine.kill(id)
            }

            /// Ends an operation's wait for its next attempt: its turn comes as if the time were over. When it runs now
            /// and ends with `again`, that attempt does not wait. Says whether it waits or runs.
            pub fn hasten(&self, id: $crate::OperationId) -> bool {
                self.handle.engine.hasten(id)
            }

            /// Waits until nothing is pending and nothing runs. Intake stays open, so this may pass before anybody
            /// notices.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future only ends the wait.
            pub async fn idle(&self) {
                self.handle.engine.idle().await;
            }

            /// Waits until the queue has room for so many operations more, and nobody stands in line for it; for as many
            /// as it takes at all where that is fewer. Returns at once when intake has ended.
            ///
            /// It is for who hands in with `try_enqueue` and comes again when that is worth while. This takes no place
            /// and none in line, so others may be faster. All who wait for no more than there is are woken.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future only ends the wait.
            pub async fn room(&self, operations: usize) {
                self.handle.engine.room(None, operations).await;
            }

            /// Ends intake. What was accepted is still finished; producers that wait for room get their items back.
            pub fn close(&self) {
                self.handle.engine.close();
            }

            /// Whether intake has ended, by a call, a signal, the last handle or the end of the runtime.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.handle.engine.is_closed()
            }

            /// Waits until intake has ended: for who would otherwise wait for an item to hand in.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future only ends the wait.
            pub async fn closed(&self) {
                self.handle.engine.closed().await;
            }

            /// Ends intake and waits until everything that was accepted has ended, as long as that takes: also for
            /// paused and deferred work. Closing happens when this is called, not when the future is polled.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future ends the wait and undoes nothing. Any number of callers may wait.
            pub fn drain(&self) -> impl Future<Output = $crate::DrainReport> + Send + use<$($generics),*> {
                self.handle.engine.close();
                self.handle.engine.ended()
            }

            /// Like [`drain`](Self::drain), and cancels what has not ended after `limit`.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future ends the wait; the limit holds all the same.
            pub fn drain_for(
                &self,
                limit: std::time::Duration,
            ) -> impl Future<Output = $crate::DrainReport> + Send + use<$($generics),*> {
                self.handle.engine.close_within(Some(limit));
                self.handle.engine.ended()
            }

            /// Ends intake and what has not started, and lets what runs come to its end, as long as that takes. What has
            /// not started counts as cancelled, and so does what waits for another attempt or asks for one. This lies
            /// between [`drain`](Self::drain), which starts everything, and [`cancel`](Self::cancel), which interrupts
            /// what runs. It happens when this is called, not when the future is polled.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future ends the wait and undoes nothing.
            pub fn drain_running(&self) -> impl Future<Output = $crate::DrainReport> + Send + use<$($generics),*> {
                self.handle.engine.cancel_unstarted(None);
                self.handle.engine.ended()
            }

            /// Like [`drain_running`](Self::drain_running), and cancels what has not ended after `limit`.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future ends the wait; the limit holds all the same.
            pub fn drain_running_for(
                &self,
                limit: std::time::Duration,
            ) -> impl Future<Output = $crate::DrainReport> + Send + use<$($generics),*> {
                self.handle.engine.cancel_unstarted(Some(limit));
                self.handle.engine.ended()
            }

            /// Stops now: what has not started counts as cancelled, bodies see their cancellation and are dropped
            /// after [`cancel_grace`](crate::CoordinatorOptions::cancel_grace). Waits until nothing runs any more.
            /// Stopping happens when this is called, not when the future is polled.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future ends the wait and undoes nothing.
            pub fn cancel(&self) -> impl Future<Output = $crate::DrainReport> + Send + use<$($generics),*> {
                self.handle.engine.cancel();
                self.handle.engine.ended()
            }
        }

        impl<$($generics),*> $crate::Reconfigure<$crate::CoordinatorOptions> for $shell
        where
            $($bounds)*
        {
            fn check(&self, options: &$crate::CoordinatorOptions) -> Result<(), $crate::Fixed> {
                self.handle.engine.check(options)
            }

            fn reconfigure(&self, options: &$crate::CoordinatorOptions) -> Result<(), $crate::Fixed> {
                self.handle.engine.reconfigure(options)
            }
        }
    };
}

pub(crate) use control;
