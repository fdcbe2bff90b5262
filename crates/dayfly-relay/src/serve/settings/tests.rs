//! What the file may say, and how its mistakes are told.

use super::*;

const GOOD: &str = r#"
listen = "127.0.0.1:0"
store = "memory"
drain_deadline = "5s"

[limits]
body_bytes = 1000

[endpoints.orders]
url = "https://example.org/hook/s3cr3t?token=hidden"
secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
events = ["order.*", "refund.made"]
key = "/data/customer"
max_concurrency = 4
timeout = "2s"
retry = { attempts = 3, base = "100ms", cap = "1s" }
circuit = { failure_threshold = 2, open_for = "1s" }
"#;

fn read(text: &str) -> Result<Settings, String> {
    toml(text).and_then(|settings| settings.check().map(|()| settings).map_err(|wrong| format!("{wrong:?}")))
}

fn toml(text: &str) -> Result<Settings, String> {
    // The relay reads it through `dayfly-config`; the types are the same.
    toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
}

#[test]
fn everything_can_be_said() {
    let settings = read(GOOD).unwrap();
    let orders = &settings.endpoints["orders"];
    assert_eq!((settings.limits.body_bytes.0, orders.max_concurrency.0), (1_000, 4));
    assert!(orders.wants("order.paid") && orders.wants("refund.made") && !orders.wants("refund.lost"));
    assert_eq!(read("").unwrap(), Settings::default());
}

#[test]
fn nothing_that_prints_settings_prints_secrets() {
    let text = format!("{:?}", read(GOOD).unwrap());
    for secret in ["MfKQ9", "s3cr3t", "hidden"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn wrong_values_are_told_with_what_was_expected() {
    for (from, to, wanted) in [
        ("\"memory\"", "\"mysql:x\"", "a store is `redb:<file>`, `file:<folder>` or `memory`"),
        ("\"memory\"", "\"file:\"", "a store is"),
        ("\"5s\"", "\"soon\"", "`soon` is no duration such as `30s`"),
        ("\"5s\"", "\"18446744073709551615s 1000ms\"", "is no duration such as `30s`"),
        ("open_for = \"1s\"", "open_for = \"0s\"", "endpoints.orders.circuit.open_for"),
        ("1000", "0", "a whole number from 1 to 268435456 is wanted, not 0"),
        ("1000", "-5", "a whole number from 1 to 268435456 is wanted, not -5"),
        ("https://", "ftp://", "a URL such as `https://example.org/hook` is wanted, with http or https"),
        ("https://", "https://me:pw@", "without a name and a password"),
        ("whsec_", "", "a secret begins with `whsec_`"),
        ("\"order.*\"", "\" \"", "a pattern of event types"),
        ("/data/customer", "customer", "a key is `none`, `endpoint`, or a JSON pointer"),
        ("endpoints.orders", "endpoints.\"Orders!\"", "the name of an endpoint is 1 to 64"),
        ("attempts", "tries", "unknown field `tries`"),
        ("= \"100ms\"", "= \"2s\"", "the first wait is longer than the longest"),
        ("example.org", "127.0.0.1", "127.0.0.1 is no public address"),
        ("example.org", "[::ffff:10.0.0.1]", "is no public address"),
        ("[\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]", "[]", "at least one secret is wanted"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = read(&GOOD.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(wanted), "{to}: {error}");
        assert!(!error.contains("MfKQ9") && !error.contains("s3cr3t"), "{error}");
    }
}

#[test]
fn telemetry_is_off_until_a_collector_is_named_and_shows_no_path_of_it() {
    let off = Settings::default().telemetry;
    assert_eq!((off.otlp, off.service_name.as_str(), off.interval.0.as_secs()), (None, "dayfly-relay", 10));
    let on = toml("[telemetry]\notlp = \"https://collector.example.org:4318/s3cr3t\"").unwrap().telemetry;
    assert_eq!(on.otlp.as_ref().unwrap().as_str(), "https://collector.example.org:4318/s3cr3t");
    assert!(!format!("{on:?}").contains("s3cr3t"), "{on:?}");
}

#[test]
fn what_holds_from_the_start_on_is_named() {
    let (one, mut other) = (read(GOOD).unwrap(), read(GOOD).unwrap());
    assert_eq!(one.fixed_differences(&other), [""; 0]);
    other.store = StoreSpec::File("elsewhere".into());
    other.drain_deadline = Human(Duration::ZERO);
    assert_eq!(one.fixed_differences(&other), ["store"]);
    other.telemetry.interval = Human(Duration::from_secs(1));
    assert_eq!(one.fixed_differences(&other), ["store", "telemetry"]);
}
