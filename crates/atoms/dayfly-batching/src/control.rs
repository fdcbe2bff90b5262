//! What every batcher can do, whether it has keys or not. Written once, for both shells.

use std::sync::Arc;

use crate::engine::Engine;

/// The handles of one engine. When the last one goes, intake ends.
pub(crate) struct Handle<T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    pub(crate) engine: Arc<Engine<T, K, V, E>>,
}

impl<T, K, V, E> Drop for Handle<T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn drop(&mut self) {
        self.engine.close();
    }
}

/// Implements the shared surface for a shell with a field `handle: Arc<Handle<_>>` and a method `offer`.
macro_rules! control {
    ([$($generics:ident),*] $shell:ty, [$($bounds:tt)*]) => {
        impl<$($generics),*> $shell
        where
            $($bounds)*
        {
            /// Hands an item in, waiting in line for room if there is none.
            ///
            /// # Errors
            /// The item comes back when the batcher is closed, also while this waits, and when it weighs more than a batch
            /// may.
            ///
            /// # Cancel safety
            /// The item was accepted if and only if this returned `Ok`. A future that is dropped before drops its item
            /// with it and leaves its place in line to the next; to keep the item, use [`try_push`](Self::try_push).
            pub async fn push(&self, item: T) -> Result<(), $crate::PushError<T>> {
                match self.handle.engine.offer(self.offer(item), None) {
                    Ok(_) => Ok(()),
                    Err(refused) if refused.is_full() => {
                        $crate::engine::Entering::new(&self.handle.engine, refused.offer).await
                    }
                    Err(refused) => Err(refused.into_push_error()),
                }
            }

            /// Hands an item in if there is room now.
            ///
            /// # Errors
            /// The item comes back when the queue is full, when the batcher is closed, and when the item weighs more than a
            /// batch may.
            pub fn try_push(&self, item: T) -> Result<(), $crate::TryPushError<T>> {
                match self.handle.engine.offer(self.offer(item), None) {
                    Ok(_) => Ok(()),
                    Err(refused) => Err(refused.into_error()),
                }
            }

            /// Hands an item in, waiting in line for room if there is none, and waits for its own outcome.
            ///
            /// # Errors
            /// The item comes back when the batcher is closed and when it weighs more than a batch may. Otherwise the
            /// error says what became of the item.
            ///
            /// # Cancel safety
            /// Dropping the future takes the item out again, unless a handler has it: then it is handled, and its outcome
            /// is lost.
            pub async fn submit(&self, item: T) -> Result<V, $crate::SubmitError<T, E>> {
                $crate::engine::Submitting::new(&self.handle.engine, self.offer(item)).await
            }

            /// Flushes what has begun to fill, and waits until everything that was in has been handled, failures and
            /// their recovery included. Flushing happens when this is called, not when the future is polled.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future ends the wait and undoes nothing.
            pub fn flush(&self) -> impl Future<Output = ()> + Send + use<$($generics),*> {
                self.handle.engine.flush()
            }

            /// The figures at this moment.
            #[must_use]
            pub fn stats(&self) -> $crate::Stats {
                self.handle.engine.stats()
            }

            /// The sink that the batcher raises its signals in.
            #[must_use]
            pub fn signals(&self) -> &dayfly::SignalSink {
                self.handle.engine.signals()
            }

            /// Ends intake and flushes. What was accepted is still handled; producers that wait for room get their items
            /// back.
            pub fn close(&self) {
                self.handle.engine.close();
            }

            /// Ends intake, flushes, and waits until everything that was accepted has ended, as long as that takes.
            /// Closing happens when this is called, not when the future is polled.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future ends the wait and undoes nothing. Any number of callers may wait.
            pub fn drain(&self) -> impl Future<Output = $crate::DrainReport> + Send + use<$($generics),*> {
                self.handle.engine.close();
                self.handle.engine.ended()
            }

            /// Stops now: who waits for an item that no handler has is told at once, such items count as cancelled and go
            /// to [`on_failure`](crate::BatchRules::on_failure), and handlers are dropped after
            /// [`cancel_grace`](crate::BatcherOptions::cancel_grace). Waits until nothing runs any more. Stopping happens
            /// when this is called, not when the future is polled.
            ///
            /// # Cancel safety
            /// Nothing is lost: dropping the future ends the wait and undoes nothing.
            pub fn cancel(&self) -> impl Future<Output = $crate::DrainReport> + Send + use<$($generics),*> {
                self.handle.engine.cancel();
                self.handle.engine.ended()
            }
        }

        /// Every option can be followed. Room that is taken away stays in use until items leave. A batch that has been put
        /// together under higher limits is handed out in parts that keep the new ones.
        impl<$($generics),*> dayfly::Reconfigure<$crate::BatcherOptions> for $shell
        where
            $($bounds)*
        {
            fn check(&self, _: &$crate::BatcherOptions) -> Result<(), dayfly::Fixed> {
                Ok(())
            }

            fn reconfigure(&self, options: &$crate::BatcherOptions) -> Result<(), dayfly::Fixed> {
                self.handle.engine.reconfigure(options);
                Ok(())
            }
        }
    };
}

pub(crate) use control;
