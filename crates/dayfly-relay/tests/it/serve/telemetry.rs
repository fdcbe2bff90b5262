//! What a collector is told of a run, and that nobody is told anything unless the file says so.

#[cfg(feature = "otlp")]
#[path = "../../../../patterns/dayfly-telemetry/tests/it/collector.rs"]
mod collector;
#[cfg(feature = "otlp")]
mod sent;

use super::stage::{HEAD, Place};
use crate::support::{relay, text};

/// A file with this table in it.
fn place(table: &str) -> Place {
    Place::new(&format!("{HEAD}store = \"memory\"\n[telemetry]\n{table}\n"))
}

#[test]
fn wrong_settings_are_told_with_their_place() {
    let url = "telemetry.otlp: a URL such as `http://127.0.0.1:4318` is wanted";
    let name = "telemetry.service_name: the name of a service is 1 to 255 bytes";
    let interval = "telemetry.interval: an interval from 100ms to 1day is wanted";
    let long = format!("service_name = \"{}\"", "x".repeat(256));
    for (table, wanted) in [
        ("otlp = \"\"", url),
        ("otlp = \"no url\"", url),
        ("otlp = \"/v1\"", url),
        ("otlp = \"localhost:4318\"", "with http or https"),
        ("otlp = \"grpc://s3cr3t:4317\"", "with http or https"),
        ("otlp = \"http://\"", url),
        ("otlp = \"http://me:s3cr3t@localhost:4318\"", "without a name and a password"),
        ("otlp = \"http://localhost:4318?s3cr3t\"", "without a query and a fragment"),
        ("otlp = \"http://localhost:4318/#s3cr3t\"", "without a query and a fragment"),
        ("otlp = \"http://localhost:4318/v1/traces\"", "without `/v1/traces`"),
        ("otlp = 4318", "telemetry.otlp"),
        ("service_name = \"\"", name),
        ("service_name = \" \"", name),
        ("service_name = \"a\\u0007b\"", name),
        (&long, name),
        ("interval = \"0s\"", interval),
        ("interval = \"2days\"", interval),
        ("interval = \"soon\"", "telemetry.interval: `soon` is no duration such as `30s`"),
        ("endpoint = \"http://localhost:4318\"", "telemetry.endpoint: unknown key"),
    ] {
        let place = place(table);
        for arguments in [&["serve"][..], &["serve", "relay.toml", "--check"]] {
            let output = relay(place.path(), arguments);
            let error = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{table}: {error}");
            assert!(error.contains(wanted) && error.contains("relay.toml:5"), "{table}: {error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }
}

#[cfg(not(feature = "otlp"))]
#[test]
fn a_relay_that_was_built_without_telemetry_says_how_to_get_one_with_it() {
    let place = place("otlp = \"http://127.0.0.1:4318\"");
    for arguments in [&["serve"][..], &["serve", "relay.toml", "--check"]] {
        let output = relay(place.path(), arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("telemetry.otlp: this relay was built without telemetry"), "{error}");
        assert!(error.contains("`--features otlp`"), "{error}");
    }
}

#[cfg(feature = "otlp")]
#[test]
fn collectors_may_speak_http_and_https_and_have_a_path() {
    for url in ["http://127.0.0.1:4318", "https://collector.example.org/tenant/7/", "http://[::1]:4318"] {
        let output = relay(place(&format!("otlp = \"{url}\"")).path(), &["serve", "--check"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}
