//! The traces: what went wrong elsewhere, each with the formula that it went wrong under, and what a limit has to live
//! through.

use std::time::Duration;

use dayfly_dynamic_concurrency::AdaptiveLimitOptions;

use super::MILLISECOND;
use super::envoy::Envoy;
use super::failsafe::Failsafe;
use super::gradient2::Gradient2;
use super::world::{Change, Scenario};

const BOUNDS: AdaptiveLimitOptions = AdaptiveLimitOptions::new().bounds(4, 200).initial(20);

/// Twenty workers, 100 ms for each call: 20 at once are answered without a queue, 200 in a second.
fn server(seconds: u64, changes: Vec<(u64, Change)>) -> Scenario {
    Scenario { seconds, workers: 20, service: 100, demand: 1_000, timeout: 5_000, changes }
}

/// Netflix concurrency-limits, issue 137: others fill the server, and from the start every call takes exactly as long as its
/// timeout.
pub(crate) struct StableTimeout;

/// Netflix concurrency-limits, pull request 134: a modest overload, and room for a queue that is added to a limit that falls.
pub(crate) struct ModestOverload;

/// failsafe-go, issue 127: an incident that lasts, until the moving average takes it for normal.
pub(crate) struct LongIncident;

/// Envoy, pull request 11579: answers to calls of before a measurement are measured.
pub(crate) struct StaleSamples;

/// What a limit has to live through: the server loses and regains workers, calls take longer, and demand goes away.
pub(crate) struct ChangingCapacity;

impl StableTimeout {
    pub(crate) const ENDS: u64 = 120;

    pub(crate) fn scenario() -> Scenario {
        let others = [(0, Change::Burst(1_400)), (0, Change::Others(195)), (Self::ENDS, Change::Others(0))];
        server(240, others.to_vec())
    }

    pub(crate) fn original() -> Gradient2 {
        Gradient2::new(20, 4, 200, None)
    }

    pub(crate) const fn options() -> AdaptiveLimitOptions {
        BOUNDS
    }
}

impl ModestOverload {
    pub(crate) fn scenario() -> Scenario {
        Scenario { demand: 400, ..server(600, Vec::new()) }
    }

    pub(crate) fn original() -> Gradient2 {
        Gradient2::new(20, 4, 200, Some(100 * MILLISECOND))
    }

    pub(crate) const fn options() -> AdaptiveLimitOptions {
        BOUNDS
    }
}

impl LongIncident {
    pub(crate) const BEGINS: u64 = 60;
    pub(crate) const ENDS: u64 = 300;

    pub(crate) fn scenario() -> Scenario {
        let changes = [(Self::BEGINS, Change::Delay(2_500)), (Self::ENDS, Change::Delay(0))];
        server(400, changes.to_vec())
    }

    pub(crate) fn original() -> Failsafe {
        Failsafe::new(20, 4, 200)
    }

    pub(crate) const fn options() -> AdaptiveLimitOptions {
        BOUNDS.max_latency(Duration::from_secs(2))
    }
}

impl StaleSamples {
    pub(crate) fn scenario() -> Scenario {
        server(120, Vec::new())
    }

    pub(crate) fn original() -> Envoy {
        Envoy::new(20, 1_000, 1.0)
    }

    /// The same tolerance as the original's buffer, and measurements as often, of as many samples and however soon they come.
    pub(crate) const fn options() -> AdaptiveLimitOptions {
        AdaptiveLimitOptions::new()
            .bounds(4, 1_000)
            .initial(20)
            .tolerance(2.0)
            .window(Duration::ZERO)
            .min_samples(50)
            .probe_every(Duration::from_secs(10))
    }
}

impl ChangingCapacity {
    pub(crate) const FEWER: u64 = 60;
    pub(crate) const AGAIN: u64 = 120;
    pub(crate) const SLOWER: u64 = 180;
    pub(crate) const QUIET: u64 = 300;
    pub(crate) const BUSY: u64 = 330;

    pub(crate) fn scenario() -> Scenario {
        let changes = [
            (Self::FEWER, Change::Workers(8)),
            (Self::AGAIN, Change::Workers(20)),
            (Self::SLOWER, Change::Service(400)),
            (Self::QUIET, Change::Demand(5)),
            (Self::BUSY, Change::Demand(1_000)),
        ];
        server(400, changes.to_vec())
    }

    pub(crate) const fn options() -> AdaptiveLimitOptions {
        BOUNDS
    }
}
