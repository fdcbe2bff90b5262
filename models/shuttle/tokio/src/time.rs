//! A clock that a scenario moves. Each reading is a little later than the one before: some bodies are quick and some
//! are not, as their schedule has it, so workers claim few operations at a time and many.
//!
//! It belongs to the thread that shuttle runs its schedules on, and says the same in every run of a schedule.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::ops::{Add, AddAssign, Sub};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
pub use std::time::Duration;

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static SLEEPERS: RefCell<BTreeMap<(Duration, u64), Waker>> = const { RefCell::new(BTreeMap::new()) };
    static NUMBERS: Cell<u64> = const { Cell::new(0) };
    /// Whoever moves the clock, while nobody sleeps.
    static DRIVER: Cell<Option<Waker>> = const { Cell::new(None) };
}

/// What the clock read at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// What the clock reads.
    pub fn now() -> Self {
        NOW.set(NOW.get() + Duration::from_nanos(50));
        Self(NOW.get())
    }

    /// The time since an earlier moment, or zero.
    pub const fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The time since an earlier moment, or zero, as Tokio has it.
    pub const fn duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The time since then.
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// A later moment, if the clock goes that far.
    pub fn checked_add(&self, time: Duration) -> Option<Self> {
        self.0.checked_add(time).map(Self)
    }

    /// An earlier moment, if the clock began before it.
    pub fn checked_sub(&self, time: Duration) -> Option<Self> {
        self.0.checked_sub(time).map(Self)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0 + time)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, time: Duration) {
        self.0 += time;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

pub(crate) fn reset() {
    NOW.set(Duration::ZERO);
    NUMBERS.set(0);
    SLEEPERS.take();
    DRIVER.take();
}

/// Moves the clock, and wakes whose time has come.
pub fn advance(time: Duration) {
    let now = NOW.get() + time;
    NOW.set(now);
    let due = SLEEPERS.with_borrow_mut(|sleepers| {
        let later = sleepers.split_off(&(now + Duration::from_nanos(1), 0));
        std::mem::replace(sleepers, later)
    });
    due.into_values().for_each(Waker::wake);
}

/// Moves the clock to the next moment that somebody sleeps until, at any time that the scheduler likes. While nobody
/// sleeps it waits, so that a scenario that cannot go on is still seen to be stuck.
pub async fn drive() {
    loop {
        let next = poll_fn(|context| {
            let first = SLEEPERS.with_borrow(|all| all.keys().next().map(|(first, _)| *first));
            if first.is_none() {
                DRIVER.set(Some(context.waker().clone()));
            }
            first.map_or(Poll::Pending, Poll::Ready)
        });
        let next = next.await;
        crate::task::yield_now().await;
        advance(next.saturating_sub(NOW.get()));
    }
}

/// Waits until the clock has been moved that far.
#[derive(Debug)]
pub struct Sleep {
    deadline: Duration,
    number: u64,
}

/// Waits until the clock has been moved to `deadline`.
pub fn sleep_until(deadline: Instant) -> Sleep {
    NUMBERS.set(NUMBERS.get() + 1);
    Sleep { deadline: deadline.0, number: NUMBERS.get() }
}

/// Waits until the clock has been moved by `time`.
pub fn sleep(time: Duration) -> Sleep {
    sleep_until(Instant::now() + time)
}

impl Sleep {
    /// Until when it waits.
    pub const fn deadline(&self) -> Instant {
        Instant(self.deadline)
    }

    /// Whether the clock has been moved that far.
    pub fn is_elapsed(&self) -> bool {
        NOW.get() >= self.deadline
    }

    /// Has it wait until then instead.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let sleep = self.get_mut();
        SLEEPERS.with_borrow_mut(|sleepers| sleepers.remove(&(sleep.deadline, sleep.number)));
        sleep.deadline = deadline.0;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if NOW.get() >= self.deadline {
            return Poll::Ready(());
        }
        SLEEPERS.with_borrow_mut(|sleepers| {
            sleepers.insert((self.deadline, self.number), context.waker().clone());
        });
        if let Some(driver) = DRIVER.take() {
            driver.wake();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        SLEEPERS.with_borrow_mut(|sleepers| sleepers.remove(&(self.deadline, self.number)));
    }
}

/// The time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

/// Waits for `future`, and no longer than until `deadline`.
///
/// # Errors
/// When the time was up first.
pub async fn timeout_at<F: Future>(deadline: Instant, future: F) -> Result<F::Output, Elapsed> {
    let mut future = std::pin::pin!(future);
    let mut time = std::pin::pin!(sleep_until(deadline));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => time.as_mut().poll(context).map(|()| Err(Elapsed(()))),
    })
    .await
}
