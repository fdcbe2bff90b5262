//! What is given instead when a call fails.

use std::fmt;
use std::sync::Arc;

/// What is given instead when a call fails: a value, or what a closure makes of the error. Cheap to clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_resilience::Fallback;
///
/// let nothing_known = Fallback::<u32, &str>::value(0);
/// assert_eq!(nothing_known.call(async { Err("down") }).await, Ok(0));
///
/// // An error that the caller has to see passes through.
/// let unless_denied = Fallback::new(|error: &str| if error == "denied" { Err(error) } else { Ok(0) });
/// assert_eq!(unless_denied.call(async { Err("denied") }).await, Err("denied"));
/// # }
/// ```
pub struct Fallback<T, E> {
    instead: Arc<dyn Fn(E) -> Result<T, E> + Send + Sync>,
}

impl<T, E> Fallback<T, E> {
    /// What `instead` makes of the error: a value, or an error that it lets pass or changes.
    ///
    /// It runs in the call that failed, under no lock. One that panics costs that call.
    #[must_use]
    pub fn new(instead: impl Fn(E) -> Result<T, E> + Send + Sync + 'static) -> Self {
        Self { instead: Arc::new(instead) }
    }

    /// This value, whatever the error.
    #[must_use]
    pub fn value(value: T) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        Self::new(move |_| Ok(value.clone()))
    }

    /// Makes a call, and gives what there is instead when it fails.
    ///
    /// # Errors
    /// What the fallback does not cover.
    ///
    /// # Cancel safety
    /// Dropping the future drops the work and nothing else.
    pub async fn call(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.settle(work.await)
    }

    /// What a call comes to that has ended already.
    ///
    /// # Errors
    /// What the fallback does not cover.
    pub fn settle(&self, ended: Result<T, E>) -> Result<T, E> {
        ended.or_else(|error| (self.instead)(error))
    }
}

impl<T, E> Clone for Fallback<T, E> {
    fn clone(&self) -> Self {
        Self { instead: Arc::clone(&self.instead) }
    }
}

impl<T, E> fmt::Debug for Fallback<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback").finish_non_exhaustive()
    }
}
