//! One attempt: the body gets a share of the item, and whatever the body does the item is still there.

use std::any::Any;
use std::fmt::Display;
use std::future::poll_fn;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use dayfly::contain::{brief, contain, dispose, panic_text};
use dayfly::{Ended, Operation, OperationId, OperationState, Outcome};
use tokio::time::Instant;

use crate::GivenUp;
use crate::ledger::Parking;
use crate::line::SharedLine;

/// What the engine queues.
pub(crate) struct Entry<T> {
    pub(crate) item: Arc<T>,
    /// Why the newest failed attempt did.
    pub(crate) error: Option<Arc<str>>,
}

impl<T> Entry<T> {
    pub(crate) fn new(item: T) -> Self {
        Self { item: Arc::new(item), error: None }
    }

    /// The item of an entry that was refused.
    #[expect(clippy::expect_used, reason = "only bodies get shares of an item, and this one was refused")]
    pub(crate) fn into_item(self) -> T {
        Arc::into_inner(self.item).expect("nobody has a share of an item that was refused")
    }
}

/// An attempt that runs. When it is dropped before it has ended, its item is given up.
struct Running<K: Eq + Hash + Clone, T> {
    line: SharedLine<K, T>,
    id: OperationId,
    attempts: u32,
    /// Absent once the attempt has ended.
    rest: Option<(K, Entry<T>)>,
}

impl<K: Eq + Hash + Clone, T> Running<K, T> {
    fn given_up(&self, key: K, entry: Entry<T>, state: OperationState) -> GivenUp<K, T> {
        let Entry { item, error } = entry;
        GivenUp { id: self.id, key, item, attempts: self.attempts, error, state }
    }
}

impl<K: Eq + Hash + Clone, T> Drop for Running<K, T> {
    fn drop(&mut self) {
        if let Some((key, entry)) = self.rest.take() {
            self.line.give_up(self.given_up(key, entry, OperationState::Cancelled));
        }
    }
}

/// How a body ended, with nothing foreign left in it.
enum Judged<T> {
    Done,
    Again(Arc<T>, Duration),
    Failed { error: Arc<str>, panicked: bool },
}

/// Runs one attempt. A failed one parks its key and waits until it is told.
pub(crate) async fn attempt<K, T, F, Fut>(
    entry: Entry<T>,
    op: Operation,
    body: Arc<F>,
    line: SharedLine<K, T>,
) -> Ended<Entry<T>, (), Arc<str>>
where
    K: Eq + Hash + Clone + Display + Send + Sync + 'static,
    T: Send + Sync + 'static,
    F: Fn(Arc<T>, Operation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Outcome<Arc<T>>> + Send + 'static,
{
    let Some(key) = op.key_as::<K>().cloned() else { return Ended::Done(()) };
    let (id, attempts) = (op.id(), op.attempt());
    let item = Arc::clone(&entry.item);
    let has_stopped = line.has_stopped(&key);
    let mut running = Running { line, id, attempts, rest: Some((key, entry)) };
    let judged = if has_stopped { None } else { Some(judge(item, op, &*body).await) };
    drop(body);
    let Some((key, mut entry)) = running.rest.take() else { return Ended::Done(()) };
    match judged {
        Some(Judged::Done) => Ended::Done(()),
        Some(Judged::Again(item, after)) => {
            entry.item = item;
            Ended::Again { item: entry, after }
        }
        Some(Judged::Failed { error, panicked }) => {
            entry.error = Some(Arc::clone(&error));
            let parking = Parking {
                id,
                item: Arc::clone(&entry.item),
                attempts,
                since: Instant::now(),
                error: Arc::clone(&error),
                panicked,
                number: 0,
                hold: None,
            };
            if running.line.park(&key, parking) {
                return Ended::Again { item: entry, after: Duration::MAX };
            }
            running.line.give_up(running.given_up(key, entry, OperationState::Failed));
            Ended::Failed(error)
        }
        None => {
            // An item before it failed, and nobody is left to say that this one may run.
            running.attempts -= 1;
            let error = entry.error.clone().unwrap_or_else(|| "an item before it has failed".into());
            running.line.give_up(running.given_up(key, entry, OperationState::Failed));
            Ended::Failed(error)
        }
    }
}

/// Runs the body to its end. Everything foreign stands in here: making it, polling it, its outcome, and the drop of
/// what each of them owns.
async fn judge<T, F, Fut>(item: Arc<T>, op: Operation, body: &F) -> Judged<T>
where
    F: Fn(Arc<T>, Operation) -> Fut,
    Fut: Future<Output: Outcome<Arc<T>>>,
{
    let mut running = pin!(None);
    match catch_unwind(AssertUnwindSafe(|| body(item, op))) {
        Ok(future) => running.set(Some(future)),
        Err(panic) => return panicked(panic),
    }
    let ended = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| match running.as_mut().as_pin_mut() {
            Some(body) => body.poll(context),
            None => Poll::Pending,
        }));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(outcome)) => Poll::Ready(Ok(outcome)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    });
    let ended = ended.await;
    let dropped = catch_unwind(AssertUnwindSafe(|| running.set(None)));
    let judged = ended.and_then(|outcome| {
        catch_unwind(AssertUnwindSafe(|| match outcome.into_ended() {
            Ended::Done(value) => {
                drop(value);
                Judged::Done
            }
            Ended::Again { item, after } => Judged::Again(item, after),
            Ended::Failed(error) => Judged::Failed { error: brief(&error), panicked: false },
        }))
    });
    match (judged, dropped) {
        (Ok(judged), Ok(())) => judged,
        (Err(panic), Ok(())) | (Ok(_), Err(panic)) => panicked(panic),
        (Err(panic), Err(second)) => {
            dispose(second);
            panicked(panic)
        }
    }
}

fn panicked<T>(panic: Box<dyn Any + Send>) -> Judged<T> {
    let error = contain(|| panic_text(&*panic)).unwrap_or_else(|| "the body panicked".into());
    dispose(panic);
    Judged::Failed { error, panicked: true }
}
