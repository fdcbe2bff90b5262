//! A bounded loop: every item through the body, every failure reported, nothing left running.

use std::fmt::Display;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use dayfly_signal::{SignalSink, Watch};
use futures_util::future::{Either, select};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use tokio::task::yield_now;

use crate::contain::{brief, contain};
use crate::{Coordinator, CoordinatorOptions, DrainReport, Ended, Operation, Outcome};

/// How many items are taken in a row at most.
const AT_ONCE: usize = 128;

/// What a bounded loop has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForEachReport<E> {
    /// What has become of the items.
    pub report: DrainReport,
    /// Every failure, with the place of its item counted from 0, in the order of the items.
    pub failures: Vec<(u64, E)>,
    /// Whether a cancel signal, or one that ends intake, ended the loop before the items did. Where it ended with the last
    /// item and the iterator does not know that it is empty, this is true as well.
    pub was_cancelled: bool,
}

/// Runs every item of an iterator through a body, at most
/// [`max_concurrency`](CoordinatorOptions::max_concurrency) at once, and waits for all.
///
/// Items are taken only as there is room for them, so memory does not grow with their number; failures are kept, all of
/// them. When a signal of [`cancel_on`](CoordinatorOptions::cancel_on) is raised, no more items are taken, what waits
/// is skipped or cancelled, bodies see their cancellation, and the loop returns once nothing runs any more. When one of
/// [`drain_on`](CoordinatorOptions::drain_on) is, what was taken is finished.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly::{CoordinatorOptions, SignalSink, for_each};
///
/// let options = CoordinatorOptions::new().max_concurrency(3);
/// let done = for_each(options, &SignalSink::default(), 0..10, |number: u32, _| async move {
///     if number == 7 { Err("seven") } else { Ok(()) }
/// })
/// .await;
/// assert_eq!(done.report.completed, 9);
/// assert_eq!(done.failures, [(7, "seven")]);
/// # }
/// ```
///
/// # Panics
/// When it is polled outside of a Tokio runtime with time enabled.
///
/// # Cancel safety
/// When the future is dropped, the loop is cancelled as by a signal, but nobody waits for bodies that go on within
/// [`cancel_grace`](CoordinatorOptions::cancel_grace); the report is lost.
pub async fn for_each<T, E, F, Fut>(
    options: CoordinatorOptions,
    signals: &SignalSink,
    items: impl IntoIterator<Item = T, IntoIter: Send> + Send,
    body: F,
) -> ForEachReport<E>
where
    T: Send + 'static,
    E: Display + Send + 'static,
    F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Outcome<T, Error = E>> + Send + 'static,
{
    for_each_stream(options, signals, stream::iter(items), body).await
}

/// Runs every item of a stream through a body, as [`for_each`] does.
///
/// # Panics
/// When it is polled outside of a Tokio runtime with time enabled.
///
/// # Cancel safety
/// When the future is dropped, the loop is cancelled as by a signal, but nobody waits for bodies that go on within
/// [`cancel_grace`](CoordinatorOptions::cancel_grace); the report is lost.
pub async fn for_each_stream<T, E, F, Fut>(
    options: CoordinatorOptions,
    signals: &SignalSink,
    items: impl Stream<Item = T> + Send,
    body: F,
) -> ForEachReport<E>
where
    T: Send + 'static,
    E: Display + Send + 'static,
    F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Outcome<T, Error = E>> + Send + 'static,
{
    let failures = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&failures);
    let cancel_on = options.cancel_on.clone();
    let work = Coordinator::spawn(options, signals, move |(place, item): (u64, T), op| {
        let kept = Arc::clone(&kept);
        body(item, op).map(move |outcome| match outcome.into_ended() {
            Ended::Done(_) => Ended::Done(()),
            Ended::Again { item, after } => Ended::Again { item: (place, item), after },
            Ended::Failed(error) => {
                // An error whose text panics is a failure like any other.
                let text = contain(|| brief(&error)).unwrap_or_else(|| "the error has no text".into());
                kept.lock().unwrap_or_else(PoisonError::into_inner).push((place, error));
                Ended::Failed(text)
            }
        })
    });
    let cancelling = CancelOnDrop(&work);

    let cancel = signals.watch(cancel_on.clone());
    let all = async {
        let was_cut_short = hand_in(&work, items, cancel).await;
        (work.drain().await, was_cut_short)
    };
    let (report, was_cancelled) = match select(pin!(all), pin!(signals.raised(cancel_on))).await {
        // A signal that came with the last items, from one of their bodies perhaps, has ended what did not run.
        Either::Left(((report, was_cut_short), raised)) => {
            let skips = report.skipped + report.cancelled > 0 && raised.now_or_never().is_some();
            (report, was_cut_short || skips)
        }
        Either::Right(_) => (work.cancel().await, true),
    };
    drop(cancelling);
    let mut failures = std::mem::take(&mut *failures.lock().unwrap_or_else(PoisonError::into_inner));
    failures.sort_by_key(|(place, _)| *place);
    ForEachReport { report, failures, was_cancelled }
}

/// Hands in what there is, each item with its place. Says whether intake ended before the items did.
async fn hand_in<T: Send + 'static>(
    work: &Coordinator<(u64, T)>,
    items: impl Stream<Item = T>,
    mut cancel: Watch,
) -> bool {
    let (mut items, mut closed) = (pin!(items.enumerate()), pin!(work.closed()));
    // A signal that is raised already lets none in.
    let mut taken = if cancel.state().is_empty() { 0 } else { AT_ONCE };
    loop {
        // Items and room may be there at once for ever. A signal is looked at before the next item then, and other tasks
        // have their turn all the same.
        if cancel.has_changed() || taken == AT_ONCE {
            cancel.mark_seen();
            taken = 0;
            yield_now().await;
        }
        // Nobody else hands in, so what is taken goes in, unless a drain signal comes at this very moment.
        work.room(1).await;
        if work.is_closed() {
            return items.size_hint().1 != Some(0);
        }
        let next = match select(items.next(), closed.as_mut()).await {
            Either::Left((next, _)) => next,
            Either::Right(_) => return true,
        };
        let Some((place, item)) = next else { return false };
        taken += 1;
        if work.enqueue((place as u64, item)).await.is_err() {
            return true;
        }
    }
}

/// Ends the loop's work when the loop itself is dropped. After the end it changes nothing.
struct CancelOnDrop<'a, T: Send + 'static>(&'a Coordinator<T>);

impl<T: Send + 'static> Drop for CancelOnDrop<'_, T> {
    fn drop(&mut self) {
        drop(self.0.cancel());
    }
}
