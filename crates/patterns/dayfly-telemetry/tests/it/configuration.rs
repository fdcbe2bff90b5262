//! Options: what a setter refuses, configuration refuses, with an error instead of a panic.

use std::time::Duration;

use dayfly_telemetry::TelemetryOptions;

#[test]
#[should_panic(expected = "queue_capacity must be at least 1")]
fn a_queue_without_room_is_refused() {
    let _ = TelemetryOptions::new().queue_capacity(0);
}

#[test]
#[should_panic(expected = "interval must be longer than zero")]
fn an_interval_of_nothing_is_refused() {
    let _ = TelemetryOptions::new().interval(Duration::ZERO);
}

#[test]
#[should_panic(expected = "one_in must be at least 1")]
fn one_in_none_is_refused() {
    let _ = TelemetryOptions::new().sample("a", 0);
}

#[cfg(feature = "serde")]
mod read {
    use super::{Duration, TelemetryOptions};

    fn error(text: &str) -> String {
        toml::from_str::<TelemetryOptions>(text).unwrap_err().message().to_owned()
    }

    #[test]
    fn what_is_absent_has_its_default() {
        assert_eq!(toml::from_str::<TelemetryOptions>("").unwrap(), TelemetryOptions::new());
    }

    #[test]
    fn what_was_written_is_read_again() {
        let options = TelemetryOptions::new()
            .signals("order.*, error.*")
            .queue_capacity(7)
            .interval(Duration::from_millis(90_500))
            .durations(false)
            .max_series(3)
            .count_by_name("circuit.*")
            .sample("cache.*", 100)
            .sample("*", 2)
            .redact_payload_of("a")
            .redact_payload_like("*b*")
            .redact_key_of("c.*");
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<TelemetryOptions>(&text).unwrap(), options);
    }

    #[test]
    fn what_breaks_a_rule_or_is_unknown_is_an_error() {
        assert_eq!(error("queue_capacity = 0"), "queue_capacity must be at least 1, but is 0");
        assert_eq!(error("interval = \"0s\""), "interval must be longer than zero, but is 0s");
        let sample = "sample = [{ signals = \"a\", one_in = 0 }]";
        assert_eq!(error(sample), "one_in must be at least 1, but is 0");
        assert!(error("intervall = \"1s\"").contains("unknown field"));
        assert!(error("interval = 5").contains("duration"));
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn where_a_collector_is_must_be_said_and_must_be_a_url() {
        use dayfly_telemetry::OtlpOptions;
        let read = |text: &str| toml::from_str::<OtlpOptions>(text);
        assert!(read("").unwrap_err().message().contains("missing field `endpoint`"));
        for endpoint in ["", "localhost:4318", "ftp://x", "http://", "http://x?y=1", "no url", "/v1"] {
            let error = read(&format!("endpoint = \"{endpoint}\"")).unwrap_err();
            assert!(error.message().contains("is no URL of a collector"), "{endpoint}: {}", error.message());
        }
        let good = "endpoint = \"https://otlp.example.com:4318/base/\"";
        assert_eq!(read(good).unwrap(), OtlpOptions::new("https://otlp.example.com:4318/base/"));
        for (line, message) in [
            ("sample = 1.5", "sample must lie between 0 and 1, but is 1.5"),
            ("sample = nan", "sample must lie between 0 and 1, but is NaN"),
            ("timeout = \"0s\"", "timeout must be longer than zero, but is 0s"),
            ("interval = \"0s\"", "interval must be longer than zero, but is 0s"),
        ] {
            let error = read(&format!("{good}\n{line}")).unwrap_err();
            assert_eq!(error.message(), message);
        }
        let options = OtlpOptions::new("http://x").log("debug").filter("warn").sample(0.5).service_name("y");
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<OtlpOptions>(&text).unwrap(), options);
        assert_eq!(
            options.clone().without_log(),
            OtlpOptions::new("http://x").filter("warn").sample(0.5).service_name("y")
        );
    }
}
