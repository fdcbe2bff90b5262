//! A call that somebody else makes, attempt by attempt.

use std::time::Duration;

use super::Retry;
use crate::GaveUp;
use crate::budget::Grant;

/// How far a call has come that is made attempt by attempt: see [`Retry::begin`].
#[derive(Clone, Debug)]
pub struct Attempts {
    number: u32,
    /// What jitter is drawn from, once an attempt has failed.
    seed: Option<u64>,
}

/// The right to another attempt: see [`Retry::after`]. Dropped before the attempt [begins](Self::begin), it goes back into
/// the budget that it was taken out of.
#[derive(Debug)]
#[must_use = "dropped, it goes back into the budget"]
pub struct NextAttempt {
    delay: Duration,
    grant: Grant,
}

impl Attempts {
    /// Which attempt it is: 1 for the first.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }
}

impl NextAttempt {
    /// How long to wait before it.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        self.delay
    }

    /// It takes place now.
    pub fn begin(self, attempts: &mut Attempts) {
        attempts.number = attempts.number.saturating_add(1);
        self.grant.spend();
    }
}

impl<E> Retry<E> {
    /// The first attempt of a call that is made by somebody else, who has a way of its own to wait and to make attempts: a
    /// future written by hand, for example. [`call`](Self::call) is all of it in one.
    ///
    /// The timeouts of the options do not hold here: who makes the attempts also ends them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use dayfly_retry::{GaveUp, Retry, RetryOptions};
    ///
    /// let retry = Retry::on_every_error(RetryOptions::new().attempts(3));
    /// let mut attempts = retry.begin();
    /// let why = loop {
    ///     let error = format!("attempt {} failed", attempts.number());
    ///     match retry.after(&mut attempts, &error, None) {
    ///         Ok(next) => {
    ///             tokio::time::sleep(next.delay()).await;
    ///             next.begin(&mut attempts);
    ///         }
    ///         Err(why) => break why,
    ///     }
    /// };
    /// assert_eq!((why, attempts.number()), (GaveUp::AttemptsExhausted, 3));
    /// # }
    /// ```
    #[inline]
    #[must_use]
    pub fn begin(&self) -> Attempts {
        self.inner.count_call();
        Attempts { number: 1, seed: None }
    }

    /// Whether there is another attempt after one that failed with `error`, if the call has so much time `left`; `None` is
    /// all the time in the world.
    ///
    /// # Errors
    /// When there is no other attempt: why.
    pub fn after(
        &self,
        attempts: &mut Attempts,
        error: &E,
        left: Option<Duration>,
    ) -> Result<NextAttempt, GaveUp> {
        let under_way = self.inner.figures.under_way();
        let verdict = (self.inner.classify)(error);
        let settled = self.inner.next(None, (attempts.number, &mut attempts.seed), Ok(verdict), left);
        under_way.settled(&settled);
        let (delay, grant) = settled?;
        Ok(NextAttempt { delay, grant })
    }

    /// Counts an attempt of such a call that has succeeded, for the figures. Without the feature `metrics` this does nothing.
    #[inline]
    pub fn succeeded_at(&self, _attempts: &Attempts) {
        self.inner.figures.under_way().succeeded();
    }
}
