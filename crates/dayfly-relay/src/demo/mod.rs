//! The demo: a real history goes through the relay to three receivers, and each must rebuild HEAD from it.

mod attempt;
mod check;
mod circuit;
mod dice;
mod display;
mod endpoint;
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
use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions};
use thiserror::Error;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use self::check::Findings;
use self::dice::dice;
use self::display::Display;
use self::endpoint::{Delivered, Endpoint, Manner, Target};
use self::faults::{Faults, TEMPERS, Temper};
use self::receiver::Receiver;
use crate::history::{History, LoadError, Source};
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
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[from] reqwest::Error),
    /// A secret cannot be made.
    #[error("a secret cannot be made")]
    Secret(#[from] ParseSecretError),
    /// A part of the demo ended before its time.
    #[error("a part of the demo ended before its time")]
    Ended(#[from] JoinError),
}

/// A receiver with the endpoint that delivers to it.
struct Pair {
    receiver: Receiver,
    endpoint: Endpoint,
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
    let manner = Manner {
        keyed: !options.unordered,
        concurrency: options.concurrency,
        seed: options.seed,
        total: events.len() as u64,
    };

    let signals = SignalSink::new(SignalOptions::new());
    let client = attempt::client()?;
    let limits = KeyedLimiterOptions::new()
        .limit(options.concurrency * TEMPERS.len())
        .limit_per_key(options.concurrency);
    let requests = KeyedLimiter::new(limits);
    let mut pairs = Vec::new();
    for temper in TEMPERS {
        pairs.push(open(temper, options, manner, &client, &requests, &signals).await?);
    }

    let start = Instant::now();
    let endpoints: Vec<Endpoint> = pairs.iter().map(|pair| pair.endpoint.clone()).collect();
    let display = Display::start(progress, &endpoints, manner.total, &signals);
    let delivered = deliver(endpoints, &events).await?;
    let time = start.elapsed();
    display.finish().await;

    let mut receivers = Vec::new();
    for (Pair { receiver, endpoint }, sent) in pairs.into_iter().zip(delivered) {
        let received = receiver.close().await;
        let findings = Findings::of(&history, &received.inbox);
        receivers.push(ReceiverReport::new(endpoint.name, &sent, &received, &findings));
    }
    Ok(Report::new(options, &history, receivers, time))
}

/// A receiver on a free port, and an endpoint that knows its address and shares a secret with it.
async fn open(
    temper: Temper,
    options: &DemoOptions,
    manner: Manner,
    client: &reqwest::Client,
    requests: &KeyedLimiter<&'static str>,
    signals: &SignalSink,
) -> Result<Pair, DemoError> {
    let mut key = [0; 32];
    dice(options.seed, &["secret", temper.name]).fill(&mut key);
    let secrets = vec![Secret::new(&key)?];

    let faults = Faults::new(temper, options.chaos, options.seed);
    let receiver = Receiver::open(secrets.clone(), faults, temper.refused_connections(manner.total)).await?;
    let target = Target { name: temper.name, url: receiver.url(), secrets };
    let endpoint = Endpoint::spawn(target, manner, client.clone(), requests.clone(), signals);
    Ok(Pair { receiver, endpoint })
}

/// Feeds every endpoint from a task of its own, so that a slow one holds nobody up. The results stand in their order.
async fn deliver(
    endpoints: Vec<Endpoint>,
    events: &Arc<[Arc<crate::event::Event>]>,
) -> Result<Vec<Delivered>, DemoError> {
    let mut feeders = JoinSet::new();
    for (index, endpoint) in endpoints.into_iter().enumerate() {
        let events = Arc::clone(events);
        feeders.spawn(async move { (index, endpoint.deliver(events).await) });
    }
    let mut delivered = Vec::new();
    while let Some(ended) = feeders.join_next().await {
        delivered.push(ended?);
    }
    delivered.sort_by_key(|(index, _)| *index);
    Ok(delivered.into_iter().map(|(_, delivered)| delivered).collect())
}

/// Whoever expects the own repository is told at once when it is another history.
fn announce(history: &History, progress: Progress) {
    if let (Source::Bundled { reason, .. }, Progress::Shown) = (&history.source, progress) {
        // A note that nobody can read is no reason to stop; the report says it again.
        drop(writeln!(io::stderr(), "using the bundled events: {reason}"));
    }
}
