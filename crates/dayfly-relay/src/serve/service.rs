//! `dayfly-relay serve`: the relay with a file in front and HTTP around it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dayfly::{SignalOptions, SignalSink};
use dayfly_config::{OpenError, Sources, WatchOptions, Watched};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::api::{Api, router};
use super::log::Log;
use super::relay::{Relay, StartError};
use super::server::{Bounds, serve};
use super::settings::{CollectorUrl, Settings};
use super::store::{self, OpenStoreError};
use super::telemetry::{Exporter, TelemetryError, page};

/// How often what is too old is forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(10 * 60);

/// Ten thousand endpoints fit into it, and nobody waits for a file that never ends.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// How many rejected configurations wait to be told.
const REJECTIONS: usize = 16;

/// The most of the drain's deadline that is kept for telemetry, which has a tenth of it.
const LAST_EXPORT: Duration = Duration::from_secs(2);

/// A relay that listens.
#[derive(Debug)]
pub struct Service {
    relay: Relay,
    exporter: Option<Exporter>,
    address: SocketAddr,
    signals: SignalSink,
    /// The generation of the configuration that every endpoint follows.
    applied: watch::Receiver<u64>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Stopped last, so that whoever asks is told that the relay is going.
    stop_server: CancellationToken,
}

/// Why the service cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The file is wrong.
    #[error(transparent)]
    Settings(#[from] OpenError),
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[from] OpenStoreError),
    /// The relay cannot start.
    #[error("the relay cannot start")]
    Start(#[from] StartError),
    /// Spans and figures cannot be sent.
    #[error("telemetry cannot be sent")]
    Telemetry(#[from] TelemetryError),
    /// The address cannot be had.
    #[error("{address} cannot be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// Reads the file and follows it from now on.
///
/// # Errors
/// Names every place that is wrong.
///
/// # Cancel safety
/// Nothing is left behind when it is dropped.
pub async fn read(file: &Path, signals: &SignalSink) -> Result<Watched<Settings>, OpenError> {
    // What a hook is signed with is nobody's business, also where it is wrong. A URL is never repeated in an error anyway.
    let sources = Sources::new().file(file).secrets("endpoints.*.secrets*");
    let watch = WatchOptions::new().max_file_size(MAX_FILE_BYTES);
    Watched::open_validated(sources, watch, signals, Settings::check).await
}

impl Service {
    /// Starts what the file says.
    ///
    /// # Errors
    /// When the file is wrong, or something that it names cannot be had.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was begun is left to the next start.
    pub async fn start(file: &Path, log: Log) -> Result<Self, ServeError> {
        let signals = SignalSink::new(SignalOptions::new());
        let config = Arc::new(read(file, &signals).await?);
        let settings = config.snapshot();
        let backend = store::open(&settings).await?;
        let listen = settings.listen;
        let listener = TcpListener::bind(listen).await;
        let listener = listener.map_err(|source| ServeError::Listen { address: listen, source })?;
        let address = listener.local_addr().unwrap_or(listen);
        let exporter = Exporter::start(&settings.telemetry, &signals)?;
        let telemetry = exporter.as_ref().map(Exporter::telemetry);
        if exporter.is_none() {
            // Where there is a recorder already, it is that of another service, or figures are somebody else's.
            let _installed = page().install();
        }
        let now = Settings::clone(&settings);
        let relay = Relay::start_watched(&*backend, now, &signals, log, telemetry).await?;

        let (tasks, stop, stop_server) =
            (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
        let bounds = Bounds {
            connections: settings.limits.connections.to_usize(),
            head_timeout: settings.limits.request_timeout.0,
        };
        let api = Api { relay: relay.clone(), config: Some(Arc::clone(&config)) };
        tasks.spawn(serve(listener, router(api), bounds, stop_server.clone()));
        let (says, applied) = watch::channel(settings.generation());
        let follow = follow(relay.clone(), config, says);
        let (stop_following, stop_sweeping) = (stop.clone(), stop.clone());
        tasks.spawn(async move { stop_following.run_until_cancelled(follow).await });
        let (sweep, tell) =
            (sweep(relay.clone()), tell_rejections(relay.clone(), signals.clone(), file.to_owned()));
        tasks.spawn(
            async move { stop_sweeping.run_until_cancelled(async { tokio::join!(sweep, tell) }).await },
        );
        if let Some(exporter) = &exporter {
            let (watch, stop_watching) = (exporter.watch(log), stop.clone());
            tasks.spawn(async move { stop_watching.run_until_cancelled(watch).await });
            let collector = settings.telemetry.otlp.as_ref().map(CollectorUrl::shown).unwrap_or_default();
            log.info(format!("telemetry goes to {collector}"));
        }
        log.info(format!("listening on http://{address}"));
        Ok(Self { relay, exporter, address, signals, applied, tasks, stop, stop_server })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The relay that it serves.
    #[must_use]
    pub fn relay(&self) -> &Relay {
        &self.relay
    }

    /// What the relay, its endpoints and its configuration say.
    #[must_use]
    pub fn signals(&self) -> &SignalSink {
        &self.signals
    }

    /// Waits until every endpoint follows the configuration of this generation, or of a later one. The first is 1.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn applied(&self, generation: u64) {
        // Whoever says it ends with the service, of which there is one while this is called.
        drop(self.applied.clone().wait_for(|applied| *applied >= generation).await);
    }

    /// Takes nothing more in, waits for what runs within the deadline of the settings, and ends. What has not been
    /// delivered stays in the store. It acts when it is called, and not when the future is polled.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropped, the service ends all the same, and nobody waits for it.
    pub fn drain(self) -> impl Future<Output = ()> + Send + use<> {
        let Self { relay, exporter, tasks, stop, stop_server, .. } = self;
        stop.cancel();
        let (limit, began) = (relay.settings().drain_deadline.0, Instant::now());
        // The last deliveries are told of within the deadline, so they do not have all of it.
        let kept = exporter.as_ref().map_or(Duration::ZERO, |_| (limit / 10).min(LAST_EXPORT));
        let drained = relay.drain(limit.saturating_sub(kept));
        let log = relay.log();
        // The server answers until everything else has ended, also when nobody waits for that.
        tasks.spawn(async move {
            drained.await;
            if let Some(exporter) = exporter {
                exporter.end(limit.saturating_sub(began.elapsed()), log).await;
            }
            stop_server.cancel();
        });
        tasks.close();
        async move { tasks.wait().await }
    }
}

/// Applies each configuration that is put in force.
async fn follow(relay: Relay, config: Arc<Watched<Settings>>, applied: watch::Sender<u64>) {
    loop {
        let before = *applied.borrow();
        let settings = config.changed_since(before).await;
        let generation = settings.generation();
        relay.apply(Settings::clone(&settings)).await;
        applied.send_replace(generation);
        relay.log().info(format!("the configuration of generation {generation} is in force"));
    }
}

/// Says which configurations were not taken.
async fn tell_rejections(relay: Relay, signals: SignalSink, file: PathBuf) {
    let teller = relay.clone();
    let _handler = signals.handle_async("config.rejected", REJECTIONS, move |signal| {
        let why = signal.payload().unwrap_or("it is not valid").to_owned();
        teller.tally().rejected_settings.fetch_add(1, Ordering::Relaxed);
        teller.log().warn(format!("{} is not taken, the last good one stays: {why}", file.display()));
        async {}
    });
    std::future::pending::<()>().await;
}

async fn sweep(relay: Relay) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        relay.sweep().await;
    }
}
