//! Time that runs only once somebody has to wait: a call that never waits reads no clock and sets no timer.

use std::borrow::BorrowMut;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop::{has_budget_remaining, unconstrained};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::Scope;

/// When something has to be over, counted from the moment at which somebody first asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    timeout: Option<Duration>,
    scope: Scope,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Unasked,
    /// `None` where there is no timeout, or one that the clock cannot reach.
    At(Option<Instant>),
}

impl Deadline {
    #[inline]
    pub(crate) const fn new(timeout: Option<Duration>, scope: Scope) -> Self {
        Self { timeout, scope, state: State::Unasked }
    }

    /// How long it is from the first question on.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(Duration::MAX)
    }

    /// How much time is left.
    pub(crate) fn left(&mut self) -> Option<Duration> {
        self.at().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Whether it has passed. As long as nobody has asked when it is, it has not, and no clock is read.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::At(Some(at)) if Instant::now() >= at)
    }

    fn at(&mut self) -> Option<Instant> {
        match self.state {
            State::At(at) => at,
            State::Unasked => {
                let at = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
                self.state = State::At(at);
                at
            }
        }
    }
}

pin_project! {
    /// Work that is over when it is done, when the deadline has passed, or when it has taken too long by itself. Which of
    /// the two it was, it says. The work is polled first, so what is done in time is never cut off.
    pub(crate) struct Limited<D, F> {
        #[pin]
        work: F,
        #[pin]
        sleep: Option<Sleep>,
        deadline: D,
        attempt: Option<Duration>,
        cuts: Scope,
    }
}

impl<D: BorrowMut<Deadline>, F> Limited<D, F> {
    /// `attempt` is the work's own time.
    #[inline]
    pub(crate) const fn new(work: F, deadline: D, attempt: Option<Duration>) -> Self {
        Self { work, sleep: None, deadline, attempt, cuts: Scope::Attempt }
    }

    #[cfg(feature = "tower")]
    pub(crate) fn deadline(&self) -> &Deadline {
        self.deadline.borrow()
    }
}

impl<D: BorrowMut<Deadline>, F: Future> Future for Limited<D, F> {
    type Output = Result<F::Output, Scope>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let had_budget = has_budget_remaining();
        if let Poll::Ready(output) = this.work.poll(context) {
            return Poll::Ready(Ok(output));
        }
        if this.sleep.is_none() {
            let deadline: &mut Deadline = (*this.deadline).borrow_mut();
            let Some((at, cuts)) = earlier(deadline, *this.attempt) else { return Poll::Pending };
            *this.cuts = cuts;
            this.sleep.set(Some(sleep_until(at)));
        }
        let Some(mut sleep) = this.sleep.as_pin_mut() else { return Poll::Pending };
        // Work that uses up the task's budget each time must not keep its own timeout from being looked at.
        if had_budget && !has_budget_remaining() {
            ready!(pin!(unconstrained(sleep.as_mut())).poll(context));
        } else {
            ready!(sleep.poll(context));
        }
        Poll::Ready(Err(*this.cuts))
    }
}

#[cold]
fn earlier(deadline: &mut Deadline, attempt: Option<Duration>) -> Option<(Instant, Scope)> {
    let own = attempt.and_then(|attempt| Instant::now().checked_add(attempt));
    match (deadline.at(), own) {
        (Some(all), Some(own)) if own < all => Some((own, Scope::Attempt)),
        (Some(all), _) => Some((all, deadline.scope)),
        (None, own) => own.map(|own| (own, Scope::Attempt)),
    }
}
