//! The task that reports: events as they come, figures at each interval, and what is left at the end.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use dayfly::contain::contain;
use dayfly_signal::{Signal, SignalId, SignalKind};
use tokio::sync::watch;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::client::{Client, Event, Metric, MetricUnit, MetricValue, REDACTED};
use crate::desk::{Desk, Watched};
use crate::measure::Measure;
use crate::policy::{Policy, Seen};
use crate::{Figures, TelemetryOptions, names};

/// What the handles ask of the reporter.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) options: Arc<TelemetryOptions>,
    /// How many flushes were asked for, ever.
    pub(crate) flushes: u64,
    pub(crate) is_ending: bool,
}

pub(crate) struct Reporter<C> {
    pub(crate) client: C,
    pub(crate) desk: Arc<Desk>,
    pub(crate) asked: watch::Receiver<Asked>,
    /// How many flushes were carried out, ever. It is gone when the reporter is.
    pub(crate) flushed: watch::Sender<u64>,
    pub(crate) policy: Policy,
    /// Where the first interval begins.
    pub(crate) started_at: Instant,
    /// Raises since the figures were last reported, but for those that are counted by name.
    pub(crate) raised: u64,
    /// Those, by name. There are no more names than the policy has places.
    pub(crate) raised_apart: BTreeMap<Box<str>, u64>,
    /// Drops that were reported.
    pub(crate) dropped: u64,
}

/// What the reporter woke for.
enum Next {
    Event(Signal),
    Interval,
    Filling,
    Asked,
}

/// What becomes of a handle that ends without being asked to: the task's future was dropped.
struct Ending(Arc<Desk>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<C: Client> Reporter<C> {
    pub(crate) async fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.desk));
        let mut options = Arc::clone(&self.asked.borrow().options);
        let mut reported_at = self.started_at;
        let mut interval = next_report(reported_at, &options);
        loop {
            let next = self.next(interval.as_mut().map(Pin::as_mut)).await;
            match next {
                Next::Event(signal) => {
                    self.report(&signal);
                    // A flood of signals must not keep the thread from everybody else.
                    coop::consume_budget().await;
                }
                Next::Filling => {
                    self.report_ends();
                    self.report_watched(Watched::is_leaving);
                }
                Next::Interval => {
                    self.report_figures();
                    reported_at = Instant::now();
                    interval = next_report(reported_at, &options);
                }
                Next::Asked => {
                    let asked = self.asked.borrow_and_update().clone();
                    // Without handles nobody will ask for anything any more.
                    let is_ending = asked.is_ending || self.asked.has_changed().is_err();
                    if asked.options != options {
                        options = asked.options;
                        self.policy.follow(&options);
                        interval = next_report(reported_at, &options);
                    }
                    if is_ending || asked.flushes > *self.flushed.borrow() {
                        self.flush().await;
                        self.flushed.send_replace(asked.flushes);
                    }
                    if is_ending {
                        return;
                    }
                }
            }
        }
    }

    /// Waits for the next thing to do. The interval comes first and what is asked for second, so that no flood of signals
    /// keeps them waiting.
    async fn next(&mut self, mut interval: Option<Pin<&mut Sleep>>) -> Next {
        let Self { desk, asked, .. } = self;
        let mut changed = pin!(asked.changed());
        let mut filling = pin!(desk.ends.is_filling.notified());
        poll_fn(|context| {
            if let Some(interval) = &mut interval
                && interval.as_mut().poll(context).is_ready()
            {
                return Poll::Ready(Next::Interval);
            }
            if changed.as_mut().poll(context).is_ready() {
                return Poll::Ready(Next::Asked);
            }
            if filling.as_mut().poll(context).is_ready() {
                return Poll::Ready(Next::Filling);
            }
            desk.poll_take(context).map(Next::Event)
        })
        .await
    }

    /// Reports everything that was raised before this, and all figures.
    async fn flush(&mut self) {
        let newest = self.desk.newest();
        let mut reached: Option<SignalId> = None;
        while reached.is_none_or(|reached| reached < newest)
            && let Some(signal) = self.desk.take()
        {
            reached = Some(signal.id());
            self.report(&signal);
            coop::consume_budget().await;
        }
        self.report_figures();
    }

    fn report(&mut self, signal: &Signal) {
        let (name, payload, kind) = (signal.name(), signal.payload(), signal.kind());
        let ruling = self.policy.judge(Seen { name, payload, kind });
        let shown = |text, is_hidden| if is_hidden { REDACTED } else { text };
        let event = Event {
            signal: signal.id(),
            name: name.into(),
            key: signal.key().map(|key| shown(key, ruling.hides_key).into()),
            payload: payload.map(|payload| shown(payload, ruling.hides_payload).into()),
            operation: signal.operation(),
            kind,
            at: signal.at(),
        };
        if ruling.is_event {
            self.tell(|client| client.event(&event));
        }
        if ruling.is_exception {
            self.tell(|client| client.exception(&event));
        }
        if let Some(measure) = ruling.measure {
            let unit = match measure {
                Measure::Seconds(_) => MetricUnit::Seconds,
                Measure::Number(_) => MetricUnit::None,
            };
            self.measure(&Metric::new(name, MetricValue::Histogram(measure.value()), unit));
        }
        if ruling.is_counted_apart {
            match self.raised_apart.get_mut(name) {
                Some(raised) => *raised += 1,
                None => drop(self.raised_apart.insert(name.into(), 1)),
            }
        } else {
            self.raised += u64::from(kind == SignalKind::Raised);
        }
        self.desk.note(|figures| {
            figures.processed += 1;
            figures.sampled_out += u64::from(!ruling.is_event);
            figures.unmeasured += u64::from(ruling.is_unmeasured);
        });
    }

    fn report_figures(&mut self) {
        self.report_ends();
        let Figures { dropped, .. } = self.desk.figures();
        let counters = [
            (names::RAISED, std::mem::take(&mut self.raised)),
            (names::DROPPED, dropped - std::mem::replace(&mut self.dropped, dropped)),
        ];
        for (name, more) in counters.into_iter().filter(|(_, more)| *more > 0) {
            self.measure(&Metric::new(name, MetricValue::Counter(more), MetricUnit::None));
        }
        for (name, more) in std::mem::take(&mut self.raised_apart) {
            let metric = Metric::new(names::RAISED, MetricValue::Counter(more), MetricUnit::None);
            self.measure(&metric.label("signal", &*name));
        }
        self.report_watched(|_| true);
        self.desk.note(|figures| figures.reports += 1);
    }

    fn report_watched(&self, wanted: impl Fn(&Watched) -> bool) {
        for watched in self.desk.watched().into_iter().filter(|watched| wanted(watched)) {
            // Anybody may watch anything, so the figures may come from foreign code; who panics is asked no more.
            let Some((metrics, is_over)) = contain(|| watched.report()) else {
                self.desk.note(|figures| figures.failed += 1);
                self.desk.forget(&watched);
                continue;
            };
            for metric in &metrics {
                self.measure(metric);
            }
            if is_over {
                self.desk.forget(&watched);
            }
        }
    }

    fn report_ends(&self) {
        for ended in self.desk.ends.take() {
            let end = ended.end;
            let of = |metric: Metric<'static>| metric.label("coordinator", ended.coordinator.to_string());
            let histogram = |name, time: std::time::Duration| {
                of(Metric::new(name, MetricValue::Histogram(time.as_secs_f64()), MetricUnit::Seconds))
            };
            if let Some(time) = end.time_in_queue() {
                self.measure(&histogram(names::TIME_IN_QUEUE, time));
            }
            if let Some(time) = end.duration() {
                self.measure(&histogram(names::DURATION, time).label("outcome", end.outcome()));
            }
        }
    }

    fn measure(&self, metric: &Metric<'_>) {
        self.tell(|client| client.metric(metric));
    }

    /// Calls the client; its panic costs this report only.
    fn tell(&self, told: impl FnOnce(&C)) {
        if contain(|| told(&self.client)).is_none() {
            self.desk.note(|figures| figures.failed += 1);
        }
    }
}

/// When the figures are due next; never, where that lies beyond the clock's range.
fn next_report(reported_at: Instant, options: &TelemetryOptions) -> Option<Pin<Box<Sleep>>> {
    let due = reported_at.checked_add(options.interval)?;
    Some(Box::pin(sleep_until(due)))
}
