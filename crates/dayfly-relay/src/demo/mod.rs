//! The demo: a real history goes through the relay to three receivers, and each must rebuild HEAD from it.

mod check;
mod delivery;
mod dice;
mod display;
mod faults;
mod inbox;
mod order;
mod receiver;
mod report;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use dayfly::{SignalOptions, SignalSink};
use thiserror::Error;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use self::check::Findings;
use self::delivery::{Delivered, Manner};
use self::dice::dice;
use self::display::Display;
use self::faults::{Faults, TEMPERS, Temper};
use self::receiver::Receiver;
use crate::history::{History, LoadError, Source};
use crate::serve::log::Log;
use crate::serve::relay::{AcceptError, Relay, StartError};
use crate::serve::store::{self, OpenStoreError};
use crate::webhook::{ParseSecretError, Secret};

pub use self::display::Progress;
pub use self::report::{ReceiverReport, Report, SourceReport, WrongPathReport};

/// What the demo is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoOptions {
    /// The repository; without one, that of the current folder.
    pub repo: Option<PathBuf>,
    /// Whether to give up the order of each path.
    pub unordered: bool,
    /// The share of faults to add, from 0 to 1.
    pub chaos: f64,
    /// What all chance depends on.
    pub seed: u64,
    /// Deliveries at once, for each endpoint.
    pub concurrency: usize,
}

/// Why the demo cannot run. That it ran and the check failed is no error but a report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    /// There is no input.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A receiver cannot be opened on loopback.
    #[error("a receiver cannot be opened on loopback")]
    Receiver(#[from] io::Error),
    /// There is no place for the store.
    #[error("there is no temporary folder for the store")]
    Folder(#[source] io::Error),
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[from] OpenStoreError),
    /// The relay cannot start.
    #[error("the relay cannot start")]
    Start(#[from] StartError),
    /// The relay does not take an event in.
    #[error("an event is not taken in")]
    Accept(#[from] AcceptError),
    /// Something that the demo itself says to the relay is not understood.
    #[error("{0}")]
    Setting(String),
    /// An event of the history is none for the relay.
    #[error("an event of the history cannot be handed in")]
    Event(#[from] serde_json::Error),
    /// A secret cannot be made.
    #[error("a secret cannot be made")]
    Secret(#[from] ParseSecretError),
    /// A part of the demo ended before its time.
    #[error("a part of the demo ended before its time")]
    Ended(#[from] JoinError),
}

/// Delivers a history to all receivers and says what has become of it.
///
/// # Errors
/// When it cannot run at all; a check that fails is in the report.
///
/// # Cancel safety
/// Deliveries end when the future is dropped, and their report is lost.
pub async fn run(options: &DemoOptions, progress: Progress) -> Result<Report, DemoError> {
    let repo = options.repo.clone();
    let history = tokio::task::spawn_blocking(move || History::load(repo.as_deref())).await??;
    announce(&history, progress);

    let events: Arc<[_]> = if options.unordered {
        order::shuffled(&history.events, options.seed).into()
    } else {
        history.events.clone().into()
    };
    let manner =
        Manner { keyed: !options.unordered, concurrency: options.concurrency, total: events.len() as u64 };

    let signals = SignalSink::new(SignalOptions::new());
    let mut receivers = Vec::new();
    let mut targets = Vec::new();
    for temper in TEMPERS {
        let (receiver, target) = open(temper, options, manner).await?;
        receivers.push(receiver);
        targets.push(target);
    }
    // The very relay that `serve` runs, on its own store; only HTTP in front of its intake is left out.
    let folder = tempfile::tempdir().map_err(DemoError::Folder)?;
    let settings = delivery::settings(targets, manner, folder.path().join("relay.db"))?;
    let backend = store::open(&settings).await?;
    let relay = Relay::start(&*backend, settings, &signals, Log::Silent).await?;
    let endpoints: Vec<_> = TEMPERS.iter().filter_map(|temper| relay.endpoint(temper.name)).collect();

    let start = Instant::now();
    let told = delivery::tell_quarters(&signals, manner.total);
    let display = Display::start(progress, &endpoints, manner.total, &signals);
    delivery::hand_in(&relay, &events).await?;
    let mut ends = JoinSet::new();
    for (index, endpoint) in endpoints.into_iter().enumerate() {
        ends.spawn(async move { (index, Delivered::of(endpoint, start).await) });
    }
    let mut delivered = Vec::new();
    while let Some(ended) = ends.join_next().await {
        delivered.push(ended?);
    }
    delivered.sort_by_key(|(index, _)| *index);
    let time = start.elapsed();
    display.finish().await;
    drop(told);

    let mut reports = Vec::new();
    for ((temper, receiver), (_, sent)) in TEMPERS.iter().zip(receivers).zip(delivered) {
        let received = receiver.close().await;
        let findings = Findings::of(&history, &received.inbox);
        reports.push(ReceiverReport::new(temper.name, &sent, &received, &findings));
    }
    Ok(Report::new(options, &history, reports, time))
}

/// A receiver on a free port, and what the relay has to know of it: its address, and the secret that they share.
async fn open(
    temper: Temper,
    options: &DemoOptions,
    manner: Manner,
) -> Result<(Receiver, delivery::Target), DemoError> {
    let mut key = [0; 32];
    dice(options.seed, &["secret", temper.name]).fill(&mut key);
    let secret = Secret::new(&key)?;

    let faults = Faults::new(temper, options.chaos, options.seed);
    let refused = temper.refused_connections(manner.total);
    let receiver = Receiver::open(vec![secret.clone()], faults, refused).await?;
    let target = delivery::Target { name: temper.name, url: receiver.url(), secret };
    Ok((receiver, target))
}

/// Whoever expects the own repository is told at once when it is another history.
fn announce(history: &History, progress: Progress) {
    if let (Source::Bundled { reason, .. }, Progress::Shown) = (&history.source, progress) {
        // A note that nobody can read is no reason to stop; the report says it again.
        drop(writeln!(io::stderr(), "using the bundled events: {reason}"));
    }
}
