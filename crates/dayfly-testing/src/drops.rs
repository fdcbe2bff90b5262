//! The harness that drops a future at every moment of its life.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

use crate::paused;

/// A future that has not completed after so many polls is taken for one that never will.
const MOST_POLLS: usize = 1_000;

/// How long nothing may happen, on the paused clock, before the future is taken for one that was never woken.
const PATIENCE: Duration = Duration::from_secs(24 * 3_600);

/// When the future under test was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropPoint {
    /// When it was about to be polled for the `n`-th time: woken, and not yet aware of it.
    Before(usize),
    /// Right after the `n`-th poll, which left it pending.
    After(usize),
    /// Not at all: it completed.
    Completed,
}

/// What [`drop_at_every_poll`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropReport {
    /// How many different moments the future was dropped at.
    pub drops: usize,
    /// How many polls the future needs to complete.
    pub polls: usize,
    /// Whether the last run let the future complete. It always did when the harness returns.
    pub completed: bool,
}

/// Runs a scenario again and again and drops the future under test one moment later each time, until it completes.
///
/// Each run calls `setup` for fresh state, `act` for the future under test and, when that was dropped or is done,
/// `check`, all on a runtime of its own with a paused clock. Tasks that `setup` starts run between the polls.
///
/// # Panics
/// When a check or the future panics, with the moment of the drop in the message; when the future is never woken; when
/// it does not complete within 1,000 polls.
pub fn drop_at_every_poll<S, Act, Check>(
    setup: impl Fn() -> S,
    act: impl Fn(S) -> Act,
    check: impl Fn(S, DropPoint) -> Check,
) -> DropReport
where
    S: Clone,
    Act: Future,
    Check: Future<Output = ()>,
{
    let mut drops = 0;
    for polls in 1..=MOST_POLLS {
        for point in [DropPoint::Before(polls), DropPoint::After(polls)] {
            let run = || paused(run_once(&setup, &act, &check, point));
            match catch_unwind(AssertUnwindSafe(run)) {
                Ok(DropPoint::Completed) => return DropReport { drops, polls, completed: true },
                Ok(_) => drops += 1,
                Err(panic) => panic!("dropped {point}: {}", text(&*panic)),
            }
        }
    }
    panic!("the future never completed within {MOST_POLLS} polls")
}

async fn run_once<S, Act, Check>(
    setup: impl Fn() -> S,
    act: impl Fn(S) -> Act,
    check: impl Fn(S, DropPoint) -> Check,
    point: DropPoint,
) -> DropPoint
where
    S: Clone,
    Act: Future,
    Check: Future<Output = ()>,
{
    let state = setup();
    let mut future = Box::pin(act(state.clone()));
    let mut polls = 0;
    let until_point = poll_fn(|context| {
        polls += 1;
        if point == DropPoint::Before(polls) {
            return Poll::Ready(point);
        }
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(DropPoint::Completed),
            Poll::Pending if point == DropPoint::After(polls) => Poll::Ready(point),
            Poll::Pending => Poll::Pending,
        }
    });
    let Ok(reached) = timeout(PATIENCE, until_point).await else {
        panic!("after {polls} polls nothing woke the future for a day of paused time");
    };
    drop(future);
    check(state, reached).await;
    reached
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text")
}

impl fmt::Display for DropPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(poll) => write!(f, "before poll {poll}"),
            Self::After(poll) => write!(f, "after poll {poll}"),
            Self::Completed => f.write_str("never, it completed"),
        }
    }
}
