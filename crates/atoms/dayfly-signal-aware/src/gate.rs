//! The gate: who comes to it passes, waits or is refused, as the signals say.

use std::fmt::{self, Display};
use std::future::poll_fn;
use std::sync::Arc;

use dayfly::{Fixed, Reconfigure};
use dayfly_signal::{SignalSink, Verdict};

use crate::line::Admission;
use crate::post::Post;
use crate::sync::Ordering;
use crate::wait::Wait;
use crate::{AdmitError, GateOptions, Refused};

/// Lets through, makes wait and refuses as the raised signals say, by event.
///
/// Handles are cheap to clone, and every clone is the same gate. The gate reads the sink's state and nothing else, so a
/// signal that was raised before the gate existed counts, and one that was taken back does not. Who waits costs a place
/// in line until its future completes or is dropped; it is woken by the change that may let it through, in the order of
/// arrival, and looks again when it runs. There is no order beyond that: who arrives at an open gate passes at once.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use dayfly_signal::{SignalSink, Verdict};
/// use dayfly_signal_aware::{Gate, GateOptions, Refused};
///
/// let signals = SignalSink::default();
/// let gate = Gate::new(GateOptions::new().cancel_on("shutdown").defer_on("backpressure.*"), &signals);
/// assert_eq!(gate.pass().await, Ok(()));
///
/// let disk = signals.hold("backpressure.disk");
/// assert_eq!(gate.check(), Verdict::Deferred);
/// let (passed, ()) = tokio::join!(gate.pass(), async { drop(disk) }); // waits until the hold is gone
/// assert_eq!(passed, Ok(()));
///
/// signals.raise("shutdown");
/// assert_eq!(gate.pass_with("an item").await, Err(Refused::Cancelled("an item")));
/// # }
/// ```
#[derive(Clone)]
pub struct Gate {
    pub(crate) post: Arc<Post>,
}

/// The figures of a gate at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateStats {
    /// How many have passed, through all handles and what was made of them.
    pub passed: u64,
    /// How many were refused.
    pub refused: u64,
    /// How many wait in line now.
    pub deferred: usize,
}

impl Gate {
    /// A gate that goes by the signals of this sink. Needs no runtime and starts no task.
    #[must_use]
    pub fn new(options: GateOptions, signals: &SignalSink) -> Self {
        Self { post: Post::new(options, signals) }
    }

    /// What somebody without a key who arrived now would find. Counts nobody, and never waits.
    ///
    /// Where signals may [defer](GateOptions::max_deferral) for no time at all, nobody is deferred.
    #[must_use]
    pub fn check(&self) -> Verdict {
        if self.post.is_open() { Verdict::Open } else { verdict(self.wait().look()) }
    }

    /// What somebody with this key who arrived now would find.
    #[must_use]
    pub fn check_key(&self, key: impl Display) -> Verdict {
        if self.post.is_open() { Verdict::Open } else { verdict(self.wait_of(&key).look()) }
    }

    /// Waits until the gate is open for who has no key.
    ///
    /// In a [keyed](GateOptions::keyed) gate, no keyed signal gates who has no key.
    ///
    /// # Errors
    /// [`Refused`] says why the gate does not let it through.
    ///
    /// # Panics
    /// When it has to wait for a time outside of a Tokio runtime with time enabled.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives its place in line up, and it counts neither as passed nor as refused.
    pub async fn pass(&self) -> Result<(), Refused> {
        if self.post.is_open() {
            return self.count(Ok(()));
        }
        self.through(self.wait()).await
    }

    /// Waits until the gate is open for this key.
    ///
    /// A keyed signal whose key is this key's text, as `Display` writes it, gates it in a [keyed](GateOptions::keyed)
    /// gate. The text is made in this call.
    ///
    /// # Errors
    /// [`Refused`] says why the gate does not let it through.
    ///
    /// # Panics
    /// As [`pass`](Self::pass), and when the key's `Display` does.
    ///
    /// # Cancel safety
    /// As [`pass`](Self::pass).
    pub async fn pass_key(&self, key: impl Display) -> Result<(), Refused> {
        if self.post.is_open() {
            return self.count(Ok(()));
        }
        let wait = self.wait_of(&key);
        self.through(wait).await
    }

    /// Takes an item along: it comes out on the other side, or back inside the refusal.
    ///
    /// # Errors
    /// [`Refused`] has the item and says why.
    ///
    /// # Panics
    /// As [`pass`](Self::pass).
    ///
    /// # Cancel safety
    /// A future that is dropped drops its item with it. To keep the item, wait for [`pass`](Self::pass) and move the item
    /// then.
    pub async fn pass_with<T>(&self, item: T) -> Result<T, Refused<T>> {
        bring(self.pass().await, item)
    }

    /// Takes an item of this key along.
    ///
    /// # Errors
    /// [`Refused`] has the item and says why.
    ///
    /// # Panics
    /// As [`pass_key`](Self::pass_key).
    ///
    /// # Cancel safety
    /// As [`pass_with`](Self::pass_with).
    pub async fn pass_key_with<T>(&self, key: impl Display, item: T) -> Result<T, Refused<T>> {
        bring(self.pass_key(key).await, item)
    }

    /// Takes an item through the gate and hands it to what stands behind: `enter` is called once it has passed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # use dayfly::{Coordinator, CoordinatorOptions, SignalSink};
    /// # use dayfly_signal_aware::{AdmitError, Gate, GateOptions, Refused};
    /// # let signals = SignalSink::default();
    /// # let gate = Gate::new(GateOptions::new().cancel_on("shutdown"), &signals);
    /// # let work = Coordinator::spawn(CoordinatorOptions::new(), &signals, |_: u32, _| async {});
    /// let id = gate.admit(7, |item| work.enqueue(item)).await.unwrap();
    /// signals.raise("shutdown");
    /// let refused = gate.admit(8, |item| work.enqueue(item)).await.unwrap_err();
    /// assert_eq!(refused, AdmitError::Refused(Refused::Cancelled(8)));
    /// # let _ = id;
    /// # }
    /// ```
    ///
    /// The gate is passed before the wait for room behind it: to gate each start of a coordinator's operations, give the
    /// signals to its own options. For a channel, [`GatedSender`](crate::GatedSender) looks again once it has room.
    ///
    /// # Errors
    /// [`AdmitError::Refused`] has the item; [`AdmitError::Inner`] is the error of what stands behind the gate.
    ///
    /// # Panics
    /// As [`pass`](Self::pass), and when `enter` or its future does.
    ///
    /// # Cancel safety
    /// While it waits at the gate, a future that is dropped drops its item with it, and `enter` is not called. After that,
    /// what is lost is what dropping the future of `enter` loses.
    pub async fn admit<T, R, E, Fut>(
        &self,
        item: T,
        enter: impl FnOnce(T) -> Fut,
    ) -> Result<R, AdmitError<E, T>>
    where
        Fut: Future<Output = Result<R, E>>,
    {
        let item = self.pass_with(item).await.map_err(AdmitError::Refused)?;
        enter(item).await.map_err(AdmitError::Inner)
    }

    /// Takes an item of this key through the gate and hands it to what stands behind, as [`admit`](Self::admit).
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    ///
    /// # Panics
    /// As [`pass_key`](Self::pass_key), and when `enter` or its future does.
    ///
    /// # Cancel safety
    /// As [`admit`](Self::admit).
    pub async fn admit_key<T, R, E, Fut>(
        &self,
        key: impl Display,
        item: T,
        enter: impl FnOnce(T) -> Fut,
    ) -> Result<R, AdmitError<E, T>>
    where
        Fut: Future<Output = Result<R, E>>,
    {
        let item = self.pass_key_with(key, item).await.map_err(AdmitError::Refused)?;
        enter(item).await.map_err(AdmitError::Inner)
    }

    /// The figures at this moment.
    #[must_use]
    pub fn stats(&self) -> GateStats {
        GateStats {
            passed: self.post.passed.load(Ordering::Relaxed),
            refused: self.post.refused.load(Ordering::Relaxed),
            deferred: self.post.waiting(),
        }
    }

    /// The sink that the gate goes by.
    #[must_use]
    pub fn signals(&self) -> &SignalSink {
        &self.post.signals
    }

    pub(crate) fn wait(&self) -> Wait {
        Wait::new(Arc::clone(&self.post))
    }

    pub(crate) fn wait_of(&self, key: &impl Display) -> Wait {
        Wait::with_key(Arc::clone(&self.post), key)
    }

    pub(crate) fn count<R, T>(&self, result: Result<R, Refused<T>>) -> Result<R, Refused<T>> {
        let figure = if result.is_ok() { &self.post.passed } else { &self.post.refused };
        figure.fetch_add(1, Ordering::Relaxed);
        result
    }

    async fn through(&self, mut wait: Wait) -> Result<(), Refused> {
        self.count(poll_fn(|context| wait.poll(context)).await)
    }
}

/// The item on the other side, or back.
fn bring<T>(passed: Result<(), Refused>, item: T) -> Result<T, Refused<T>> {
    match passed {
        Ok(()) => Ok(item),
        Err(refused) => Err(refused.of(item)),
    }
}

fn verdict(admission: Admission) -> Verdict {
    match admission {
        Admission::Pass => Verdict::Open,
        Admission::Wait { .. } => Verdict::Deferred,
        Admission::Refuse(_) => Verdict::Cancelled,
    }
}

/// `max_deferral` is followed at once, also by who waits already; the other options hold from the start on.
impl Reconfigure<GateOptions> for Gate {
    fn check(&self, options: &GateOptions) -> Result<(), Fixed> {
        match self.post.options.fixed_difference(options) {
            Some(option) => Err(Fixed::new(option)),
            None => Ok(()),
        }
    }

    fn reconfigure(&self, options: &GateOptions) -> Result<(), Fixed> {
        Reconfigure::check(self, options)?;
        self.post.set_max_deferral(options.max_deferral);
        Ok(())
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("options", &self.post.options)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
