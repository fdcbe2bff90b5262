//! Following options while at work.

use thiserror::Error;

/// What can follow its options while it works: configuration binds itself to anything that has this.
///
/// A change is asked about first and made second, so that several who follow one configuration change together or not
/// at all.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly::{Coordinator, CoordinatorOptions, Reconfigure, SignalSink};
///
/// let options = CoordinatorOptions::new().max_concurrency(8);
/// let work = Coordinator::spawn(options.clone(), &SignalSink::default(), |_: u32, _| async {});
/// work.reconfigure(&options.clone().max_concurrency(2)).unwrap();
/// assert_eq!(work.stats().max_concurrency, 2);
///
/// let fixed = work.reconfigure(&options.defer_on("circuit.open.*")).unwrap_err();
/// assert_eq!(fixed.to_string(), "defer_on holds from the start on and cannot be changed");
/// # }
/// ```
pub trait Reconfigure<O>: Send + Sync {
    /// Whether these options could be followed now. Changes nothing.
    ///
    /// # Errors
    /// Names the first option that differs and holds from the start on.
    fn check(&self, options: &O) -> Result<(), Fixed>;

    /// Follows these options from now on, without dropping or refusing what was accepted.
    ///
    /// # Errors
    /// As for [`check`](Self::check); then nothing was changed.
    fn reconfigure(&self, options: &O) -> Result<(), Fixed>;
}

/// An option differs that holds from the start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{option} holds from the start on and cannot be changed")]
#[non_exhaustive]
pub struct Fixed {
    /// Its name.
    pub option: &'static str,
}

impl Fixed {
    /// The option of this name holds from the start on.
    #[must_use]
    pub const fn new(option: &'static str) -> Self {
        Self { option }
    }
}
