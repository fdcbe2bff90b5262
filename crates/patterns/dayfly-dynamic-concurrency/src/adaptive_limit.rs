//! A limit that follows load.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use dayfly::{Fixed, Reconfigure};
use dayfly_signal::{Listener, PatternSet, Signal, SignalKind, SignalSink};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::control::Step;
use crate::error::MeasureError;
use crate::options::AdaptiveLimitOptions;
use crate::sample::{Judgement, Sample};
use crate::set_limit::SetLimit;
use crate::shared::Shared;
use crate::stats::AdaptiveLimitStats;

/// A limit that follows load. Clones are the same limit.
///
/// It holds nobody back itself: it moves the limit of what does ([`SetLimit`]), in two ways that can be used together.
///
/// **Signals.** Each raise of `load.high` doubles the limit once, each of `load.low` halves it once, within the bounds, in
/// the raiser's call. High load means that much work waits, and that it may have more room.
///
/// **Samples.** What is done under the limit is measured. While latency stays near what it is without a queue, and the limit
/// is in use, it grows; where latency is over [`tolerance`](AdaptiveLimitOptions::tolerance), it falls by as much; where
/// calls are dropped, it falls by their share. Begin a sample when the call begins, not when it begins to wait for its turn.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly::{Coordinator, CoordinatorOptions, Operation, SignalSink};
/// use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions};
/// # async fn fetch(page: u32) -> Result<u32, &'static str> { Ok(page) }
///
/// let signals = SignalSink::default();
/// let limit = AdaptiveLimit::unbound(AdaptiveLimitOptions::new().bounds(2, 64), &signals);
/// let pages = Coordinator::spawn(CoordinatorOptions::new(), &signals, {
///     let limit = limit.clone();
///     move |page: u32, _: Operation| {
///         let limit = limit.clone();
///         async move { limit.measure(fetch(page)).await.map(drop) }
///     }
/// });
/// limit.bind(pages.downgrade());           // now it moves what its samples come from
/// assert_eq!(pages.stats().max_concurrency, 16);
///
/// pages.enqueue(1).await.unwrap();
/// signals.raise("load.high");
/// assert_eq!(pages.stats().max_concurrency, 32);
/// assert_eq!(pages.drain().await.completed, 1);
/// # }
/// ```
#[derive(Clone)]
pub struct AdaptiveLimit {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// It ends with the last clone, so a signal that comes later moves nothing.
    _listener: Option<Listener>,
}

impl AdaptiveLimit {
    /// Moves this limit, beginning with [`initial`](AdaptiveLimitOptions::initial) at once.
    ///
    /// Signals that are raised from now on step it, those of before do not.
    #[must_use]
    pub fn new(limit: impl SetLimit + 'static, options: AdaptiveLimitOptions, signals: &SignalSink) -> Self {
        Self::with(Some(Arc::new(limit)), options, signals)
    }

    /// Moves nothing yet but its own figure: for a coordinator whose body needs it before the coordinator is there.
    #[must_use]
    pub fn unbound(options: AdaptiveLimitOptions, signals: &SignalSink) -> Self {
        Self::with(None, options, signals)
    }

    fn with(target: Option<Arc<dyn SetLimit>>, options: AdaptiveLimitOptions, signals: &SignalSink) -> Self {
        let (doubling, halving) = (options.doubling(), options.halving());
        let shared = Arc::new(Shared::new(options, target));
        let patterns = doubling.and(&halving);
        let listener = (!patterns.is_empty()).then(|| {
            let shared = Arc::downgrade(&shared);
            signals.listen(patterns, move |signal| answer(signal, &halving, &shared))
        });
        Self { inner: Arc::new(Inner { shared, _listener: listener }) }
    }

    /// Moves this limit from now on, in place of any other, and sets it at once to the limit in force.
    pub fn bind(&self, limit: impl SetLimit + 'static) {
        self.inner.shared.bind(Arc::new(limit));
    }

    /// Begins a sample, for a call that is made in another way than through [`measure`](Self::measure).
    pub fn begin(&self) -> Sample {
        Sample::begin(Arc::clone(&self.inner.shared))
    }

    /// Makes a call and measures it. A value counts with its latency; an error says nothing about load.
    ///
    /// # Errors
    /// Those of the call.
    ///
    /// # Cancel safety
    /// Dropped, the call says nothing, unless it has taken longer than
    /// [`max_latency`](AdaptiveLimitOptions::max_latency). To bound its time, use [`measure_within`](Self::measure_within):
    /// a timeout around this future would hide what matters most.
    pub async fn measure<V, E>(&self, work: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        self.measure_judged(work, judge).await
    }

    /// The same, with another opinion of what the outcome says: a refusal by an overloaded service is
    /// [dropped](Judgement::Dropped).
    ///
    /// # Cancel safety
    /// As for [`measure`](Self::measure).
    pub async fn measure_judged<V>(
        &self,
        work: impl Future<Output = V>,
        judge: impl FnOnce(&V) -> Judgement,
    ) -> V {
        let sample = self.begin();
        let outcome = work.await;
        sample.record(judge(&outcome));
        outcome
    }

    /// Makes a call that may take no longer than this. One that does is dropped, and counts as a drop.
    ///
    /// # Errors
    /// When it took too long, and those of the call.
    ///
    /// # Cancel safety
    /// As for [`measure`](Self::measure).
    pub async fn measure_within<V, E>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<V, E>>,
    ) -> Result<V, MeasureError<E>> {
        let in_time = |outcome: &Result<Result<V, E>, _>| match outcome {
            Ok(outcome) => judge(outcome),
            Err(_) => Judgement::Dropped,
        };
        match self.measure_judged(timeout(limit, work), in_time).await {
            Ok(outcome) => outcome.map_err(MeasureError::Inner),
            Err(_) => Err(MeasureError::TimedOut),
        }
    }

    /// The limit in force.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.inner.shared.figures().0.limit
    }

    /// Its figures at this moment.
    #[must_use]
    pub fn stats(&self) -> AdaptiveLimitStats {
        let (figures, panics) = self.inner.shared.figures();
        AdaptiveLimitStats {
            limit: figures.limit,
            is_probing: figures.is_probing,
            in_flight: figures.in_flight,
            baseline: figures.baseline,
            latency: figures.latency,
            windows: figures.windows,
            drops: figures.drops,
            stale: figures.stale,
            panics,
        }
    }

    /// The limit as it changes. It shows the newest, right after it was set.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.inner.shared.watch()
    }

    /// The options that it follows.
    #[must_use]
    pub fn options(&self) -> AdaptiveLimitOptions {
        self.inner.shared.options()
    }
}

/// A value speaks for the service, an error for nothing.
fn judge<V, E>(outcome: &Result<V, E>) -> Judgement {
    match outcome {
        Ok(_) => Judgement::Success,
        Err(_) => Judgement::Ignored,
    }
}

/// A raise is one step; that it is taken back or ages out is none.
fn answer(signal: &Signal, halving: &PatternSet, shared: &Weak<Shared>) {
    let Some(shared) = shared.upgrade() else { return };
    if signal.kind() == SignalKind::Raised {
        shared.step(if halving.matches(signal.name()) { Step::Halve } else { Step::Double });
    }
}

/// What does not come from signals is followed at once; a limit outside of new bounds moves to them.
impl Reconfigure<AdaptiveLimitOptions> for AdaptiveLimit {
    fn check(&self, options: &AdaptiveLimitOptions) -> Result<(), Fixed> {
        let now = self.options();
        if now.doubling() != options.doubling() {
            Err(Fixed::new("double_on"))
        } else if now.halving() != options.halving() {
            Err(Fixed::new("halve_on"))
        } else {
            Ok(())
        }
    }

    fn reconfigure(&self, options: &AdaptiveLimitOptions) -> Result<(), Fixed> {
        self.check(options)?;
        self.inner.shared.follow(options.clone());
        Ok(())
    }
}

impl fmt::Debug for AdaptiveLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AdaptiveLimitStats { limit, in_flight, baseline, .. } = self.stats();
        let mut debug = f.debug_struct("AdaptiveLimit");
        debug.field("limit", &limit).field("in_flight", &in_flight).field("baseline", &baseline);
        debug.finish_non_exhaustive()
    }
}
