//! A number of permits that can be changed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dayfly::{Fixed, Reconfigure};
use tokio::time::Instant;

use crate::admission::{Admission, Rules};
use crate::error::{AcquireError, SetLimitError, TryAcquireError};
use crate::keys::Named;
use crate::options::LimiterOptions;
use crate::permit::{NoKey, Permit};
use crate::request::Request;
use crate::shared::Shared;
use crate::stats::LimiterStats;
use crate::wait;

/// At most so many at once, first come first served, and the number can be changed at any time.
///
/// Clones are handles of the same limiter. It belongs to no runtime; once somebody waits it uses the timer of theirs.
///
/// **Order.** Requests are served in the order in which they were first polled, a higher [`Priority`](crate::Priority)
/// first (see [`age_after`](LimiterOptions::age_after)). A request that does not fit yet is not overtaken by a smaller
/// one behind it. A newcomer is served at once only when nobody waits in front of it.
///
/// **Who is not there.** When permits come back, the next in line is woken, and they are kept for it. They become its own
/// when it is polled. A future that is not polled within [`claim_within`](LimiterOptions::claim_within) is passed over,
/// so one that is never polled again holds up nobody for longer, and keeps its place in case it is. If those behind it
/// do not come either, each round asks twice as many.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_limit::{Limiter, TryAcquireError};
///
/// let limiter = Limiter::with_limit(2);
/// let one = limiter.acquire().await.unwrap();
/// let two = limiter.acquire().await.unwrap();
/// limiter.set_limit(1).unwrap();         // below what is in use: it shrinks as permits come back
/// drop(one);
/// assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Full);
/// drop(two);
/// assert!(limiter.try_acquire().is_ok());
/// # }
/// ```
#[derive(Clone)]
pub struct Limiter(Arc<Shared<NoKey>>);

impl Limiter {
    /// A limiter with these options.
    #[must_use]
    pub fn new(options: LimiterOptions) -> Self {
        Self(Shared::without_keys(options.into_rules()))
    }

    /// A limiter of so many permits, otherwise with the default options.
    ///
    /// # Panics
    /// When the limit is zero.
    #[must_use]
    #[track_caller]
    pub fn with_limit(limit: usize) -> Self {
        Self::new(LimiterOptions::new().limit(limit))
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// When the limiter is or gets closed.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    #[inline]
    pub async fn acquire(&self) -> Result<Permit, AcquireError> {
        self.acquire_with(Request::new()).await
    }

    /// Waits for so many permits at once.
    ///
    /// # Errors
    /// When the limiter is or gets closed, or the limit is or gets lower than this. A limit of zero refuses nothing.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    pub async fn acquire_many(&self, permits: usize) -> Result<Permit, AcquireError> {
        self.acquire_with(Request::new().permits(permits)).await
    }

    /// Waits for a permit until the deadline. A permit that is free is granted also when the deadline has passed.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire), and when the deadline passes.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    pub async fn acquire_by(&self, deadline: Instant) -> Result<Permit, AcquireError> {
        self.acquire_with(Request::new().deadline(deadline)).await
    }

    /// Waits for a permit no longer than this, from the first poll on. A permit that is free is granted also when the
    /// timeout is zero; a timeout that the clock cannot reach is none.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire), and when the time is over.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    pub async fn acquire_within(&self, timeout: Duration) -> Result<Permit, AcquireError> {
        self.acquire_with(Request::new().timeout(timeout)).await
    }

    /// Waits for what the request asks for.
    ///
    /// # Errors
    /// When the limiter is or gets closed, when the limit is or gets lower than what is asked for, and when the request's
    /// time is over. A limit of zero refuses nothing.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line, and what was kept for it goes to the next.
    #[inline]
    pub async fn acquire_with(&self, request: Request) -> Result<Permit, AcquireError> {
        wait::wait(&self.0, Named::None, request).await?;
        Ok(Permit::new(Arc::clone(&self.0), request.permits))
    }

    /// A permit, if one is free and nobody waits for it.
    ///
    /// # Errors
    /// When none is, or the limiter is closed.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit, TryAcquireError> {
        self.try_acquire_with(Request::new())
    }

    /// So many permits, if they are free and nobody waits for them.
    ///
    /// # Errors
    /// When they are not, the limit is lower than this, or the limiter is closed.
    pub fn try_acquire_many(&self, permits: usize) -> Result<Permit, TryAcquireError> {
        self.try_acquire_with(Request::new().permits(permits))
    }

    /// What the request asks for, if it would be served before all who wait. How long it could wait does not matter.
    ///
    /// # Errors
    /// When it would not be, the limit is lower than what is asked for, or the limiter is closed.
    #[inline]
    pub fn try_acquire_with(&self, request: Request) -> Result<Permit, TryAcquireError> {
        wait::try_ask(&self.0, Named::None, request.permits, request.priority)?;
        Ok(Permit::new(Arc::clone(&self.0), request.permits))
    }

    /// Changes how many permits may be in use. More are granted at once; fewer hold from the next request on, and nobody
    /// is admitted until enough have come back. Who waits for more than the new limit is refused.
    ///
    /// # Errors
    /// When it is zero, unless the options [allow](LimiterOptions::allow_zero) that.
    pub fn set_limit(&self, limit: usize) -> Result<(), SetLimitError> {
        self.0.change(|admission| {
            let rules = admission.rules().clone();
            if limit == 0 && !rules.allow_zero {
                return Err(SetLimitError::Zero);
            }
            admission.follow(Rules { limit, ..rules });
            Ok(())
        })
    }

    /// How many permits may be in use.
    pub fn limit(&self) -> usize {
        self.0.read(|admission| admission.rules().limit)
    }

    /// Grants nothing any more. Everybody who waits is refused; permits that are in use stay so until they are dropped.
    /// Closing twice is closing once.
    pub fn close(&self) {
        self.0.change(Admission::close);
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.read(Admission::is_closed)
    }

    /// Its figures at this moment.
    pub fn stats(&self) -> LimiterStats {
        self.0.read(|admission| LimiterStats {
            limit: admission.rules().limit,
            in_use: admission.in_use(),
            waiting: admission.waiting(),
        })
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new(LimiterOptions::new())
    }
}

impl Reconfigure<LimiterOptions> for Limiter {
    fn check(&self, _options: &LimiterOptions) -> Result<(), Fixed> {
        Ok(())
    }

    fn reconfigure(&self, options: &LimiterOptions) -> Result<(), Fixed> {
        self.0.change(|admission| admission.follow(options.clone().into_rules()));
        Ok(())
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimiterStats { limit, in_use, waiting } = self.stats();
        let mut debug = f.debug_struct("Limiter");
        debug.field("limit", &limit).field("in_use", &in_use).field("waiting", &waiting);
        debug.field("is_closed", &self.is_closed()).finish()
    }
}
