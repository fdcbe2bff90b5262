//! What of an endpoint follows its settings: an attempt takes what is there when it begins.

use std::sync::Arc;
use std::time::Duration;

use dayfly::{Reconfigure, SignalSink};
use dayfly_retry::{Retry, RetryBudget, RetryBudgetOptions, Verdict};
use reqwest::Client;

use super::attempt::{Clients, Refusal, Target};
use super::settings::EndpointSettings;
use crate::webhook::Secret;

/// Settings in the form in which attempts use them.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) settings: EndpointSettings,
    pub(super) retry: Retry<Refusal>,
    pub(super) client: Client,
    secrets: Vec<Secret>,
}

impl Live {
    /// What an endpoint of this name begins with.
    pub(super) fn new(
        settings: &EndpointSettings,
        clients: &Clients,
        allow_private: bool,
        (name, signals): (&str, &SignalSink),
    ) -> Arc<Self> {
        Self::with(retrier(settings).named(name, signals), settings, clients, allow_private)
    }

    /// What comes after this one. The retrier is the same, so that what waits for another attempt follows as well.
    pub(super) fn followed_by(
        &self,
        settings: &EndpointSettings,
        clients: &Clients,
        allow_private: bool,
    ) -> Arc<Self> {
        // A retrier can follow all of its options at any time.
        let _followed = self.retry.reconfigure(&settings.retry.options());
        Self::with(self.retry.clone(), settings, clients, allow_private)
    }

    /// Whether these settings can only be followed by another endpoint in this one's place.
    pub(super) fn needs_restart(&self, settings: &EndpointSettings) -> bool {
        self.settings.key != settings.key || self.settings.retry.budget != settings.retry.budget
    }

    fn with(
        retry: Retry<Refusal>,
        settings: &EndpointSettings,
        clients: &Clients,
        allow_private: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            settings: settings.clone(),
            retry,
            client: clients.get(allow_private).clone(),
            secrets: settings.secrets.iter().map(|secret| secret.expose().clone()).collect(),
        })
    }

    pub(super) fn target(&self) -> Target<'_> {
        Target { url: self.settings.url.url(), secrets: &self.secrets, timeout: self.settings.timeout.0 }
    }

    /// Whose requests are bounded together: the host and port that the URL leads to.
    pub(super) fn host(&self) -> String {
        let url = self.settings.url.url();
        format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
    }

    /// How long the endpoint is left alone after an answer: as long as the receiver asks for, within the longest wait, and
    /// for a moment when it has too much to do and does not say how long.
    pub(super) fn pause_after(&self, refusal: &Refusal) -> Option<Duration> {
        let retry = &self.settings.retry;
        let asked = refusal.retry_after().or_else(|| refusal.is_overload().then_some(retry.base.0));
        asked.map(|pause| pause.min(retry.cap.0))
    }
}

fn retrier(settings: &EndpointSettings) -> Retry<Refusal> {
    let retry = Retry::new(settings.retry.options(), |refusal: &Refusal| match refusal.retry_after() {
        _ if !refusal.is_passing() => Verdict::Stop,
        Some(pause) => Verdict::RetryAfter(pause),
        None => Verdict::Retry,
    });
    match settings.retry.budget {
        Some(share) => retry.budget(&RetryBudget::new(RetryBudgetOptions::new().share(share.0))),
        None => retry,
    }
}
