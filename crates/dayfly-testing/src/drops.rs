//! The harness that drops a future at every moment of its life.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::paused;
use crate::wakes::Wakes;

/// A future that has not completed after so many polls is taken for one that never will.
const MOST_POLLS: usize = 1_000;

/// How long, on the paused clock, the future may go without a wake-up, and how long a check may take.
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
/// `check`, all on a runtime of its own with a paused clock. Tasks that `setup` starts run between the polls. A last run
/// lets the future complete once more, and has to need as many polls as the others.
///
/// # Panics
/// When anything in a run panics, with the moment in the message; when nothing wakes the future, or a check does not
/// end, for a day of paused time; when the future does not complete within 1,000 polls; when runs of the same scenario
/// differ, because then moments were left out.
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
    let run = |point| {
        let moment = Cell::new(Moment::Setup);
        let run = || paused(run_once(&setup, &act, &check, point, &moment));
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(reached) => reached,
            Err(panic) => panic!("{}: {}", moment.get(), text(&*panic)),
        }
    };
    let mut drops = 0;
    for polls in 1..=MOST_POLLS {
        for point in [DropPoint::Before(polls), DropPoint::After(polls)] {
            match run(point) {
                (DropPoint::Completed, needed) if point == DropPoint::After(needed) => {
                    let (_, again) = run(DropPoint::Completed);
                    same_every_time(needed, again);
                    return DropReport { drops, polls, completed: true };
                }
                // An earlier run has left it pending at the very poll that completed it now.
                (DropPoint::Completed, needed) => same_every_time(polls, needed),
                _ => drops += 1,
            }
        }
    }
    panic!("the future never completed within {MOST_POLLS} polls")
}

/// Whoever needs 5 polls in one run and 3 in another was not dropped at every moment.
fn same_every_time(polls: usize, again: usize) {
    assert!(
        polls == again,
        "the scenario differs from run to run: the future needs {polls} polls or more in one, {again} in another"
    );
}

async fn run_once<S, Act, Check>(
    setup: impl Fn() -> S,
    act: impl Fn(S) -> Act,
    check: impl Fn(S, DropPoint) -> Check,
    point: DropPoint,
    moment: &Cell<Moment>,
) -> (DropPoint, usize)
where
    S: Clone,
    Act: Future,
    Check: Future<Output = ()>,
{
    let state = setup();
    moment.set(Moment::Act);
    let mut future = Box::pin(act(state.clone()));
    let (reached, polls) = poll_until(point, future.as_mut(), moment).await;
    moment.set(Moment::Dropped(reached));
    drop(future);
    let checked = timeout(PATIENCE, check(state, reached)).await;
    assert!(checked.is_ok(), "the check did not end within a day of paused time");
    (reached, polls)
}

/// Polls the future, when it was woken and not otherwise, until the point is reached or it completes; says how many polls
/// that took.
async fn poll_until<F: Future>(
    point: DropPoint,
    mut future: Pin<&mut F>,
    moment: &Cell<Moment>,
) -> (DropPoint, usize) {
    let wakes = Arc::new(Wakes::default());
    let mut idle = pin!(sleep(PATIENCE));
    let mut polls = 0;
    poll_fn(|context| {
        if wakes.asks_for_a_poll() {
            polls += 1;
            if point == DropPoint::Before(polls) {
                return Poll::Ready((point, polls));
            }
            assert!(
                polls <= MOST_POLLS,
                "the scenario differs from run to run: now the future does not complete"
            );
            moment.set(Moment::Poll(polls));
            let of_this_poll = wakes.of_poll(polls, context.waker());
            match future.as_mut().poll(&mut Context::from_waker(&of_this_poll)) {
                Poll::Ready(_) => return Poll::Ready((DropPoint::Completed, polls)),
                Poll::Pending if point == DropPoint::After(polls) => return Poll::Ready((point, polls)),
                Poll::Pending => idle.as_mut().reset(Instant::now() + PATIENCE),
            }
        }
        let woken = idle.as_mut().poll(context).is_pending();
        assert!(woken, "nothing woke the future for a day of paused time");
        Poll::Pending
    })
    .await
}

/// Where a run has come to, for the message of a panic.
#[derive(Clone, Copy)]
enum Moment {
    Setup,
    Act,
    Poll(usize),
    Dropped(DropPoint),
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text")
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup => f.write_str("while setting up"),
            Self::Act => f.write_str("before the first poll"),
            Self::Poll(poll) => write!(f, "since poll {poll}"),
            Self::Dropped(point) => write!(f, "dropped {point}"),
        }
    }
}

impl fmt::Display for DropPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(poll) => write!(f, "before poll {poll}"),
            Self::After(poll) => write!(f, "after poll {poll}"),
            Self::Completed => f.write_str("after it completed"),
        }
    }
}
