//! One open database: what every store and every clone of the backend holds.

use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use dayfly_kv::{Capabilities, Capability, Clock, OpenError, Unavailable};
use redb::StorageError;
use tokio::sync::oneshot;

use crate::committer::{Committer, closed};
use crate::file::{File, Source};
use crate::operation::{Lost, Operation};
use crate::options::RedbOptions;
use crate::queue::Queue;
use crate::shared::{Entries, Shared};

/// One open database. Whoever drops the last one waits until the file is closed.
pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    pub(crate) capabilities: Capabilities,
    pub(crate) clock: Arc<dyn Clock>,
    queue: Arc<Queue>,
    /// Taken when this is dropped, and not before.
    thread: Option<JoinHandle<()>>,
}

impl Core {
    pub(crate) async fn open(
        source: Source,
        location: String,
        options: &RedbOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let queue = Arc::new(Queue::new(options.queue_capacity));
        let (reply, opened) = oneshot::channel();
        let shared = Arc::new(Shared::new(location.clone(), options.watch_history));
        let committer = Committer {
            file: File::new(source, location, options.cache_bytes),
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            clock: Arc::clone(&clock),
            sync_within: options.sync_within,
            due: None,
            is_unsynced: false,
            is_closed: false,
        };
        let thread = thread::Builder::new().name("dayfly-kv-redb".to_owned());
        let thread = thread.spawn(move || committer.run(reply));
        let thread = thread.map_err(|error| Unavailable::because("cannot start the writer", error))?;
        let capabilities = capabilities(options);
        let core = Self { shared, capabilities, clock, queue, thread: Some(thread) };
        match opened.await {
            Ok(Ok(())) => Ok(core),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Unavailable::new("the writer panicked while it opened the database").into()),
        }
    }

    /// Asks the committer for something and waits for the answer.
    pub(crate) async fn ask<T, E: From<Lost>>(
        &self,
        operation: impl FnOnce(oneshot::Sender<Result<T, E>>) -> Operation,
    ) -> Result<T, E> {
        let (reply, answer) = oneshot::channel();
        // Dropped, this future takes the operation with it, unless it has got into the queue.
        let _place = self.queue.push(operation(reply)).ok_or_else(|| Lost::Undone(closed()))?;
        let lost = || Lost::Unknown(Unavailable::new("the writer gave no answer"));
        answer.await.unwrap_or_else(|_| Err(lost().into()))
    }

    /// Reads from a snapshot; once more, if the file had failed and could be opened again.
    pub(crate) async fn read<T>(
        &self,
        read: impl Fn(&Entries) -> Result<T, StorageError> + Send + Sync,
    ) -> Result<T, Unavailable> {
        match self.shared.read(&read) {
            Ok(found) => Ok(found),
            Err(failed) => {
                let Some(opening) = failed.opening else { return Err(failed.why) };
                self.ask(|reply| Operation::Reopen { opening, reply }).await?;
                self.shared.read(&read).map_err(|failed| failed.why)
            }
        }
    }
}

fn capabilities(options: &RedbOptions) -> Capabilities {
    let all = Capabilities::new(options.max_value_bytes)
        .without(Capability::AcrossProcesses, "one process has the file open at a time")
        .without(Capability::WatchAcrossProcesses, "one process has the file open at a time");
    match options.sync_within {
        None => all,
        Some(time) => {
            let reason = format!("a write is acknowledged up to {time:?} before it is synced");
            all.without(Capability::Durability, reason)
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.queue.close();
        // A waker that the committer wakes may own the last store; the thread cannot wait for itself.
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != thread::current().id())
        {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("location", &self.shared.location).finish_non_exhaustive()
    }
}
