//! How a relay changes while it works, and how it ends.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use dayfly::Reconfigure;

use super::Relay;
use crate::serve::endpoint::Endpoint;
use crate::serve::settings::{EndpointName, EndpointSettings, Settings};

impl Relay {
    /// Follows these settings from now on: limits are moved, new endpoints start, and those that are gone stop. What waits
    /// for one that is gone stays in the ledger, and goes on when an endpoint of that name comes back. A relay that ends
    /// follows nothing any more.
    ///
    /// It begins when it is called, and not when the future is polled; what was begun first is ended first.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropped, the settings are applied all the same; only the wait is over.
    pub fn apply(&self, settings: Settings) -> impl Future<Output = ()> + Send + use<> {
        let relay = self.clone();
        let applied = self.inner.changes.spawn(async move { relay.follow(Arc::new(settings)).await });
        let log = self.log();
        async move {
            if let Err(ended) = applied.await {
                log.warn(format!("the configuration is not wholly in force: {ended}"));
            }
        }
    }

    async fn follow(&self, settings: Arc<Settings>) {
        let _one_at_a_time = self.inner.applying.lock().await;
        if self.is_draining() {
            return;
        }
        let shared = &self.inner.shared;
        let before = self.settings();
        let fixed = before.fixed_differences(&settings);
        if !fixed.is_empty() {
            shared.log.warn(format!("{} hold from the start on: restart to change them", fixed.join(", ")));
        }
        // A limiter can follow all of its options at any time.
        let _followed = shared.requests.reconfigure(&settings.limits.of_requests());
        let mut current = self.endpoints();
        // Intake first: what comes in from here on waits for the endpoints of these settings.
        *self.inner.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&settings);
        for (name, endpoint) in &settings.endpoints {
            match current.remove(name) {
                Some(running) if !running.needs_restart(endpoint) => {
                    running.follow(endpoint, &shared.clients, settings.allow_private_addresses).await;
                }
                running => self.begin(name, endpoint, running, &settings).await,
            }
        }
        // All at once: one that takes its time keeps nobody else waiting.
        let limit = settings.drain_deadline.0;
        let gone = current.into_iter().map(|(name, gone)| async move {
            let stopped = gone.stop(limit);
            self.endpoints_mut(|endpoints| drop(endpoints.remove(&name)));
            stopped.await;
            let waiting = self.ledger().counts().waiting_for(name.as_str());
            shared.log.info(format!("{name}: stopped; {waiting} events wait until it comes back"));
        });
        futures_util::future::join_all(gone).await;
        self.inner.tally.reloads.fetch_add(1, Ordering::Relaxed);
    }

    /// Starts an endpoint, in the place of one whose settings it cannot follow.
    async fn begin(
        &self,
        name: &EndpointName,
        endpoint: &EndpointSettings,
        before: Option<Endpoint>,
        settings: &Settings,
    ) {
        let shared = &self.inner.shared;
        let mut disabled = None;
        if let Some(before) = before {
            disabled = before.disabled().filter(|was| was.url == endpoint.url.shown());
            before.stop(settings.drain_deadline.0).await;
        }
        let begun = Endpoint::spawn(name, endpoint, settings.allow_private_addresses, disabled, shared);
        self.endpoints_mut(|endpoints| drop(endpoints.insert(name.clone(), begun.clone())));
        if self.is_draining() {
            // Whoever ends the relay may have looked before it was listed.
            begun.stop(Duration::ZERO).await;
        }
        shared.log.info(format!("{name}: started"));
    }

    /// Takes nothing more in, starts no delivery, and waits for those under way, at most this long. The rest stays in the
    /// ledger. It acts when it is called, and not when the future is polled.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropped, the relay ends all the same; only the wait is over.
    pub fn drain(&self, limit: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.inner.is_draining.store(true, Ordering::Release);
        self.inner.intake.close();
        let endpoints = self.endpoints();
        let stops: Vec<_> = endpoints.values().map(|endpoint| endpoint.stop(limit)).collect();
        let relay = self.clone();
        async move {
            relay.inner.intake.wait().await;
            futures_util::future::join_all(stops).await;
            relay.inner.changes.close();
            relay.inner.changes.wait().await;
        }
    }
}
