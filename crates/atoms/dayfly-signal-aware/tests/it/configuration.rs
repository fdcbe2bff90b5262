//! The options, read from configuration and written to it.

use std::time::Duration;

use dayfly_signal_aware::{AfterDeferral, GateOptions};

fn read(text: &str) -> Result<GateOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_absent_has_its_default_and_the_fields_are_the_setters() {
    assert_eq!(read("{}").unwrap(), GateOptions::new());
    assert_eq!(read(r#"{ "max_deferral": null }"#).unwrap(), GateOptions::new());
    let written = r#"
        cancel_on = "shutdown"
        defer_on = ["circuit.open.*", "load.high"]
        resume_on = "relief"
        keyed = true
        max_deferral = { wait = "1m 30s", then = "pass" }
    "#;
    let set = GateOptions::new()
        .cancel_on("shutdown")
        .defer_on("circuit.open.*, load.high")
        .resume_on("relief")
        .keyed(true)
        .max_deferral(Duration::from_secs(90), AfterDeferral::Pass);
    assert_eq!(toml::from_str::<GateOptions>(written).unwrap(), set);
    let again = toml::to_string(&set).unwrap();
    assert_eq!(toml::from_str::<GateOptions>(&again).unwrap(), set, "{again}");
}

#[test]
fn the_least_and_the_most_are_read_as_they_were_written() {
    for (wait, then) in [(Duration::ZERO, AfterDeferral::Pass), (Duration::MAX, AfterDeferral::Refuse)] {
        let options = GateOptions::new().max_deferral(wait, then);
        let text = toml::to_string(&options).unwrap();
        assert_eq!(toml::from_str(&text), Ok(options), "{text}");
    }
}

#[test]
fn hostile_input_is_an_error_that_says_what_is_wrong() {
    let table = [
        ("[]", "expected a table of named fields"),
        (r#"{ "cancel": "x" }"#, "unknown field `cancel`, expected one of `cancel_on`"),
        (r#"{ "keyed": 1 }"#, "expected a boolean"),
        (r#"{ "keyed": true, "keyed": true }"#, "duplicate field `keyed`"),
        (r#"{ "defer_on": 7 }"#, "invalid type: integer `7`"),
        (r#"{ "max_deferral": "30s" }"#, "expected a table of named fields"),
        (r#"{ "max_deferral": { "wait": "30s" } }"#, "missing field `then`"),
        (r#"{ "max_deferral": { "wait": "30", "then": "pass" } }"#, "`30` is no duration"),
        (r#"{ "max_deferral": { "wait": "30s", "then": "run" } }"#, "expected `pass` or `refuse`"),
        (r#"{ "max_deferral": { "wait": "30s", "then": "pass", "or": 1 } }"#, "unknown field `or`"),
    ];
    for (text, wrong) in table {
        let error = read(text).unwrap_err();
        assert!(error.contains(wrong), "{text}: {error}");
    }
}
