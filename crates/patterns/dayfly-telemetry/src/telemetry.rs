//! The handle: starts the reporter, tells it whom to watch, and ends it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use dayfly::{Fixed, Reconfigure, StatsHandle};
use dayfly_signal::SignalSink;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::desk::Desk;
use crate::ends::{Ended, Ends};
use crate::policy::Policy;
use crate::reporter::{Asked, Reporter};
use crate::{Client, Facade, Figures, TelemetryOptions, Watchable};

/// Reports the signals of a sink and the figures of coordinators, through a bounded queue and one task.
///
/// A handle is cheap to clone. When the last one is dropped, what waits is still reported, as long as the runtime lives; to
/// wait for that, [`shutdown`](Self::shutdown).
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use std::time::Duration;
/// use dayfly::{Coordinator, CoordinatorOptions, Operation, SignalSink};
/// use dayfly_telemetry::{InMemory, Telemetry, TelemetryOptions};
///
/// let (signals, seen) = (SignalSink::default(), InMemory::new());
/// let telemetry = Telemetry::spawn_with(TelemetryOptions::new(), &signals, seen.clone());
///
/// let work = Coordinator::spawn(CoordinatorOptions::new(), &signals, |_: u32, op: Operation| async move {
///     op.raise("perf.step:12ms");
/// });
/// telemetry.watch("steps", &work);
/// work.enqueue(1).await.unwrap();
/// work.drain().await;
///
/// let figures = telemetry.shutdown().await;
/// assert_eq!((figures.processed, figures.dropped), (1, 0));
/// assert_eq!(seen.values("perf.step"), [0.012]);
/// assert_eq!(seen.values("dayfly.coordinator.operations"), [1.0]);
/// # }
/// ```
#[derive(Clone)]
pub struct Telemetry {
    desk: Arc<Desk>,
    asked: Arc<watch::Sender<Asked>>,
    flushed: watch::Receiver<u64>,
}

impl Telemetry {
    /// Starts to report to `tracing` and `metrics`, on the current Tokio runtime.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    #[must_use = "the reports end when the last handle is dropped"]
    pub fn spawn(options: TelemetryOptions, signals: &SignalSink) -> Self {
        Self::spawn_with(options, signals, Facade::new())
    }

    /// Starts to report to a client of the caller's own.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    #[must_use = "the reports end when the last handle is dropped"]
    pub fn spawn_with(options: TelemetryOptions, signals: &SignalSink, client: impl Client) -> Self {
        let runtime = Handle::current();
        let events = signals.subscribe(options.subscribed());
        events.set_capacity(options.queue_capacity);
        let ends = Arc::new(Ends::new(options.queue_capacity));
        let desk = Arc::new(Desk::new(events, signals.clone(), ends));
        let policy = Policy::new(&options);
        let (asked, asks) =
            watch::channel(Asked { options: Arc::new(options), flushes: 0, is_ending: false });
        let (done, flushed) = watch::channel(0);
        let reporter = Reporter {
            client,
            desk: Arc::clone(&desk),
            asked: asks,
            flushed: done,
            policy,
            started_at: Instant::now(),
            raised: 0,
            raised_apart: BTreeMap::new(),
            dropped: 0,
        };
        runtime.spawn(reporter.run());
        Self { desk, asked: Arc::new(asked), flushed }
    }

    /// Reports the figures of a coordinator, under a name of the caller's choice, from now on until it has ended.
    ///
    /// At each interval: `dayfly.coordinator.operations` by outcome, `.active_operations` and `.queue.size`; with
    /// [`durations`](TelemetryOptions::durations), also `.operation.time_in_queue` and `.operation.duration` of every
    /// operation that ends. The name is the label `coordinator`: it must be one of few, so no key and no id.
    ///
    /// It does not keep the coordinator open. What was watched under the same name is reported once more and then forgotten.
    pub fn watch(&self, name: impl Into<Arc<str>>, coordinator: &impl Watchable) {
        let name = name.into();
        let is_leaving = self.desk.watch(&name, coordinator.figures());
        if self.asked.borrow().options.durations {
            let ends: Weak<Ends> = Arc::downgrade(&self.desk.ends);
            coordinator.tell_ends(move |end| {
                if let Some(ends) = ends.upgrade()
                    && !is_leaving.load(Ordering::Acquire)
                {
                    ends.push(Ended { coordinator: Arc::clone(&name), end });
                }
            });
        }
    }

    /// Reports figures as [`watch`](Self::watch) does, but for the times of single operations: for what is built upon a
    /// coordinator.
    pub fn watch_stats(&self, name: impl Into<Arc<str>>, stats: StatsHandle) {
        self.desk.watch(&name.into(), stats);
    }

    /// Reports what is watched under this name once more, and then forgets it. Says whether there was such.
    pub fn unwatch(&self, name: &str) -> bool {
        self.desk.let_go(name)
    }

    /// What has become of the signals, at this moment.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.desk.figures()
    }

    /// Reports what was raised before this call, and all figures, now. Asking happens when this is called, not when the
    /// future is polled; it returns when the client has been told.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub fn flush(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut turn = 0;
        self.asked.send_modify(|asked| {
            asked.flushes += 1;
            turn = asked.flushes;
        });
        let mut flushed = self.flushed.clone();
        async move {
            // An error says that the reporter has ended, by a shutdown or with its runtime.
            drop(flushed.wait_for(|flushed| *flushed >= turn).await);
        }
    }

    /// Reports what was raised before this call, and all figures, and then nothing more; returns how it ended. Ending
    /// happens when this is called, not when the future is polled, and only once: whoever calls later waits too.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future ends the wait and undoes nothing.
    pub fn shutdown(&self) -> impl Future<Output = Figures> + Send + use<> {
        self.asked.send_modify(|asked| asked.is_ending = true);
        let (desk, mut flushed) = (Arc::clone(&self.desk), self.flushed.clone());
        async move {
            // Only the reporter's end ends this.
            while flushed.changed().await.is_ok() {}
            desk.figures()
        }
    }
}

impl Reconfigure<TelemetryOptions> for Telemetry {
    fn check(&self, options: &TelemetryOptions) -> Result<(), Fixed> {
        let now = Arc::clone(&self.asked.borrow().options);
        match () {
            () if now.signals != options.signals => Err(Fixed::new("signals")),
            () if now.durations != options.durations => Err(Fixed::new("durations")),
            () => Ok(()),
        }
    }

    fn reconfigure(&self, options: &TelemetryOptions) -> Result<(), Fixed> {
        self.check(options)?;
        self.asked.send_modify(|asked| {
            asked.options = Arc::new(options.clone());
            // The bound does not wait for the reporter. Changed together with the options, it is that of the newest.
            self.desk.set_capacity(options.queue_capacity);
        });
        Ok(())
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("figures", &self.figures()).finish_non_exhaustive()
    }
}
