//! Attempts, one after the other, and the waits between them.

use std::time::Duration;

use dayfly::Operation;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::figures::UnderWay;
use super::{Inner, Retry};
use crate::budget::Grant;
use crate::{GaveUp, RetryError, RetryOptions, Verdict};

impl<E> Retry<E> {
    /// Calls `attempt` until it succeeds or there is no other attempt. It is told which attempt it is: 1 for the first.
    ///
    /// A call that succeeds at once costs no allocation, no lock and, without timeouts, no look at the clock. Between two
    /// attempts other tasks always have their turn, also when there is nothing to wait for.
    ///
    /// In the body of a coordinator this would wait in its slot: end the body with [`conclude`](Self::conclude) instead,
    /// or make short calls with [`call_for`](Self::call_for).
    ///
    /// # Errors
    /// [`RetryError`] says why it was given up, and has the last error.
    ///
    /// # Panics
    /// When `attempt` or the classifier does; and when there is something to wait for outside of a Tokio runtime with
    /// time.
    ///
    /// # Cancel safety
    /// Dropping the future drops the attempt that is under way, or ends the wait; no attempt follows. A retry that was
    /// taken out of the budget and has not begun goes back. Nothing else is kept between attempts.
    pub async fn call<T, F, Fut>(&self, mut attempt: F) -> Result<T, RetryError<E>>
    where
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.inner.count_call();
        // Most calls need no other attempt, and so nothing of what it takes to make one.
        let failed = if self.inner.live.is_timed() {
            None
        } else {
            let under_way = self.inner.figures.under_way();
            match attempt(1).await {
                Ok(value) => {
                    under_way.succeeded();
                    return Ok(value);
                }
                Err(error) => Some((error, under_way)),
            }
        };
        self.inner.run(None, attempt, failed).await
    }

    /// Like [`call`](Self::call), for an operation: its signals carry the operation's id, and there is no other attempt
    /// once the operation is cancelled, also when that happens while it waits for one.
    ///
    /// # Errors
    /// As for [`call`](Self::call), and [`GaveUp::Cancelled`].
    ///
    /// # Panics
    /// As for [`call`](Self::call).
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call): no attempt follows, and nothing is lost.
    pub async fn call_for<T, F, Fut>(&self, op: &Operation, attempt: F) -> Result<T, RetryError<E>>
    where
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.inner.count_call();
        self.inner.run(Some(op), attempt, None).await
    }
}

/// How far a call has come.
struct Course<E> {
    made: u32,
    /// What jitter is drawn from, once an attempt has failed.
    seed: Option<u64>,
    attempt_timeout: Option<Duration>,
    deadline: Option<Instant>,
    timed_out: bool,
    error: Option<E>,
}

impl<E> Inner<E> {
    /// Makes attempts; the first one has been made if it has `failed`.
    async fn run<T, F, Fut>(
        &self,
        op: Option<&Operation>,
        mut attempt: F,
        mut failed: Option<(E, UnderWay<'_>)>,
    ) -> Result<T, RetryError<E>>
    where
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut course = if failed.is_none() && self.live.is_timed() {
            Course::limited(&self.live.options())
        } else {
            Course::unlimited()
        };
        loop {
            course.made = course.made.saturating_add(1);
            let (ended, under_way) = if let Some((error, under_way)) = failed.take() {
                (Some(Err(error)), under_way)
            } else {
                let under_way = self.figures.under_way();
                let ended = match course.limit() {
                    None => Some(attempt(course.made).await),
                    Some(limit) => timeout_at(limit, attempt(course.made)).await.ok(),
                };
                (ended, under_way)
            };
            let verdict = match ended {
                Some(Ok(value)) => {
                    under_way.succeeded();
                    return Ok(value);
                }
                Some(Err(error)) => Ok(self.failed(&mut course, error)),
                None => self.timed_out(&mut course),
            };
            let settled = self.after(&mut course, op, verdict);
            under_way.settled(&settled);
            let (delay, grant) = match settled {
                Ok(next) => next,
                Err(why) => return Err(course.given_up(why)),
            };
            if !pause(delay, op).await {
                return Err(course.given_up(GaveUp::Cancelled));
            }
            grant.spend();
        }
    }

    fn failed(&self, course: &mut Course<E>, error: E) -> Verdict {
        let verdict = (self.classify)(&error);
        course.timed_out = false;
        course.error = Some(error);
        verdict
    }

    /// Whichever timeout is over: with no time left in all, nobody has to be asked.
    fn timed_out(&self, course: &mut Course<E>) -> Result<Verdict, GaveUp> {
        course.timed_out = true;
        if course.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(GaveUp::DeadlineExceeded);
        }
        let classify = self.classify_timeout.as_deref();
        Ok(classify.map_or(Verdict::Retry, |classify| classify(course.made)))
    }

    /// Whether there is another attempt, and after how long.
    fn after(
        &self,
        course: &mut Course<E>,
        op: Option<&Operation>,
        verdict: Result<Verdict, GaveUp>,
    ) -> Result<(Duration, Grant), GaveUp> {
        course.attempt_timeout = self.live.options().attempt_timeout;
        let left = course.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        self.next(op, (course.made, &mut course.seed), verdict, left)
    }
}

impl<E> Course<E> {
    const fn unlimited() -> Self {
        Self { made: 0, seed: None, attempt_timeout: None, deadline: None, timed_out: false, error: None }
    }

    /// A deadline beyond the clock's end is none.
    fn limited(options: &RetryOptions) -> Self {
        let deadline = options.total_timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Self { attempt_timeout: options.attempt_timeout, deadline, ..Self::unlimited() }
    }

    /// When the attempt that begins now has to be over.
    fn limit(&self) -> Option<Instant> {
        let own = self.attempt_timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        match (own, self.deadline) {
            (Some(own), Some(deadline)) => Some(own.min(deadline)),
            (own, deadline) => own.or(deadline),
        }
    }

    fn given_up(self, why: GaveUp) -> RetryError<E> {
        RetryError { why, attempts: self.made, timed_out: self.timed_out, error: self.error }
    }
}

/// Lets this much time pass, and the others have their turn in any case. Says whether the operation still wants to go on.
async fn pause(delay: Duration, op: Option<&Operation>) -> bool {
    match op {
        _ if delay.is_zero() => {
            yield_now().await;
            op.is_none_or(|op| !op.is_cancelled())
        }
        None => {
            sleep(delay).await;
            true
        }
        Some(op) => timeout(delay, op.cancelled()).await.is_err(),
    }
}
