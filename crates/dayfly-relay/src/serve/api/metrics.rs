//! `GET /metrics`: figures in the text form of Prometheus, the relay's own and those that its parts tell of themselves.
//! Labels are names of endpoints, never keys, URLs or ids.

use std::fmt::{Display, Write};
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::Api;
use crate::serve::relay::IntakeTally;
use crate::serve::telemetry::page;

pub(super) async fn show(State(api): State<Api>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text(&api)).into_response()
}

/// Figures as they are written.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a text does not fail.
        let _written =
            write!(self.0, "# HELP dayfly_relay_{name} {help}\n# TYPE dayfly_relay_{name} {kind}\n");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        let _written = writeln!(self.0, "dayfly_relay_{name} {value}");
    }

    fn each<V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        values: impl IntoIterator<Item = (String, V)>,
    ) {
        self.family(name, kind, help);
        for (endpoint, value) in values {
            let _written = writeln!(self.0, "dayfly_relay_{name}{{endpoint=\"{endpoint}\"}} {value}");
        }
    }
}

fn text(api: &Api) -> String {
    let relay = &api.relay;
    let IntakeTally { accepted, duplicates, refused, rejected_settings, reloads } = relay.tally();
    let figures = relay.ledger().counts().figures();
    let endpoints: Vec<_> = relay.endpoints().into_values().collect();
    let mut text = Text::default();
    for (name, help, counter) in [
        ("events_accepted_total", "Events taken in.", accepted),
        ("events_duplicate_total", "Events not taken in because their id was known.", duplicates),
        ("requests_refused_total", "Requests not taken in for want of room or store.", refused),
        ("config_reloads_total", "Configurations put in force.", reloads),
        ("config_rejections_total", "Configurations not taken.", rejected_settings),
    ] {
        text.one(name, "counter", help, counter.load(Ordering::Relaxed));
    }
    text.one("events_waiting", "gauge", "Events that wait for at least one endpoint.", figures.events);
    text.one("draining", "gauge", "Whether the relay is shutting down.", u8::from(relay.is_draining()));
    text.each("endpoint_waiting", "gauge", "Events that wait for an endpoint.", figures.waiting);
    text.each("endpoint_parked", "gauge", "Events that are parked for an endpoint.", figures.parked);

    let stats = || endpoints.iter().map(|endpoint| (endpoint.name().to_owned(), endpoint.stats()));
    text.each(
        "endpoint_running",
        "gauge",
        "Deliveries that run.",
        stats().map(|(name, stats)| (name, stats.running)),
    );
    text.each(
        "endpoint_queued",
        "gauge",
        "Events in memory.",
        stats().map(|(name, stats)| (name, stats.pending)),
    );
    text.each(
        "retries_total",
        "counter",
        "Attempts after which there was another.",
        stats().map(|(name, stats)| (name, stats.again)),
    );
    for (place, name, help) in [
        (0, "attempts_total", "Attempts to deliver."),
        (1, "delivered_total", "Events delivered."),
        (2, "parked_total", "Events parked."),
    ] {
        let figure = endpoints.iter().map(|endpoint| (endpoint.name().to_owned(), endpoint.tally()[place]));
        text.each(name, "counter", help, figure);
    }
    let openings =
        endpoints.iter().map(|endpoint| (endpoint.name().to_owned(), endpoint.circuit().stats().openings));
    text.each("circuit_openings_total", "counter", "How often the circuit opened.", openings);
    for (name, help, state) in [
        ("circuit_open", "Whether the circuit is open.", 0),
        ("endpoint_slow", "Whether the endpoint asked for a pause.", 1),
        ("endpoint_disabled", "Whether the endpoint is disabled.", 2),
    ] {
        let flags = endpoints.iter().map(|endpoint| {
            let flags =
                [endpoint.circuit().state().is_open(), endpoint.is_slow(), endpoint.disabled().is_some()];
            (endpoint.name().to_owned(), u8::from(flags[state]))
        });
        text.each(name, "gauge", help, flags);
    }
    text.0 + &page().text()
}
