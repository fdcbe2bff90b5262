//! What can be seen while it runs: bars that move on a terminal, a few lines elsewhere.
//!
//! Bars are drawn on a slow tick from the endpoints' figures. Lines are told by signals, as they happen.

use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use dayfly::{Signal, SignalSink, Subscription};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::serve::endpoint::Endpoint;

const TICK: Duration = Duration::from_millis(100);

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// On standard error: bars if it is a terminal, lines if not.
    Shown,
    /// Nowhere.
    Hidden,
}

/// A display at work.
pub(super) struct Display {
    stop: CancellationToken,
    drawing: JoinSet<()>,
}

impl Display {
    pub(super) fn start(
        progress: Progress,
        endpoints: &[Endpoint],
        total: u64,
        signals: &SignalSink,
    ) -> Self {
        let stop = CancellationToken::new();
        let mut drawing = JoinSet::new();
        match progress {
            Progress::Hidden => {}
            Progress::Shown if std::io::stderr().is_terminal() => {
                let bars = endpoints.iter().cloned().map(|endpoint| Bar::new(endpoint, total)).collect();
                drawing.spawn(draw(bars, stop.clone()));
            }
            Progress::Shown => {
                // Subscribed here and not in the task, so that nothing is missed before its first turn.
                let story = signals.subscribe(["delivery.reached.*", "circuit.open.*"]);
                drawing.spawn(tell(story, stop.clone()));
            }
        }
        Self { stop, drawing }
    }

    /// Shows what has not been shown yet, and ends.
    pub(super) async fn finish(mut self) {
        self.stop.cancel();
        while self.drawing.join_next().await.is_some() {}
    }
}

/// One endpoint's line on the terminal.
struct Bar {
    endpoint: Endpoint,
    line: ProgressBar,
    start: Instant,
    /// How long it has been at work; it stands still when everything is delivered.
    worked: Duration,
    total: u64,
}

impl Bar {
    fn new(endpoint: Endpoint, total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let style =
            ProgressStyle::with_template("  {prefix:<8} {bar:24.green/dim} {pos:>6}/{len} {wide_msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━━─"));
        }
        bar.set_prefix(endpoint.name().to_owned());
        Self { endpoint, line: bar, start: Instant::now(), worked: Duration::ZERO, total }
    }

    fn refresh(&mut self) {
        let was_done = self.line.position() == self.total;
        let stats = self.endpoint.stats();
        if !was_done {
            self.worked = self.start.elapsed();
        }
        let is_open = self.endpoint.circuit().state().is_open();
        let circuit = if is_open { "circuit OPEN  " } else { "circuit closed" };
        let seconds = self.worked.as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
        let rate = stats.completed as f64 / seconds;
        self.line.set_position(stats.completed);
        self.line.set_message(format!("{rate:>6.0}/s  {:>5} retries  {circuit}", stats.again));
    }
}

async fn draw(bars: Vec<Bar>, stop: CancellationToken) {
    let area = MultiProgress::new();
    let mut bars: Vec<Bar> = bars.into_iter().map(|bar| Bar { line: area.add(bar.line), ..bar }).collect();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => bars.iter_mut().for_each(Bar::refresh),
            () = stop.cancelled() => break,
        }
    }
    for mut bar in bars {
        bar.refresh();
        bar.line.abandon();
    }
}

async fn tell(mut story: Subscription, stop: CancellationToken) {
    let mut opened = HashSet::new();
    loop {
        let next = tokio::select! {
            biased;
            next = story.recv() => next,
            () = stop.cancelled() => break,
        };
        if let Some(line) = next.ok().and_then(|signal| line(&signal, &mut opened)) {
            // Progress that nobody can read is no reason to stop.
            drop(writeln!(std::io::stderr(), "{line}"));
        }
    }
}

/// A circuit that opens often is told once.
fn line(signal: &Signal, opened: &mut HashSet<String>) -> Option<String> {
    if let Some(endpoint) = signal.name().strip_prefix("circuit.open.") {
        let line = || format!("{endpoint}: circuit open, no new starts for a moment");
        return opened.insert(endpoint.to_owned()).then(line);
    }
    let endpoint = signal.name().strip_prefix("delivery.reached.")?;
    Some(format!("{endpoint}: {} % delivered", signal.payload()?))
}
