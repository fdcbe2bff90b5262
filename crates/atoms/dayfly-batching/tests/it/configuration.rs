//! The options, read from configuration and written to it.

use std::time::Duration;

use dayfly_batching::BatcherOptions;
use proptest::prelude::*;

fn read(text: &str) -> Result<BatcherOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_absent_has_its_default_and_null_is_absence() {
    assert_eq!(read("{}").unwrap(), BatcherOptions::new());
    let text = r#"{ "max_weight": null, "max_delay": null, "queue_capacity": null }"#;
    assert_eq!(read(text).unwrap(), BatcherOptions::new().without_max_weight().without_max_delay());
}

#[test]
fn every_field_is_read_and_written() {
    let text = r#"{"max_items":5,"max_weight":6,"max_delay":"20ms","queue_capacity":7,"max_in_flight":8,"max_keys":9,"cancel_grace":"1m 2s"}"#;
    let set = BatcherOptions::new()
        .max_items(5)
        .max_weight(6)
        .max_delay(Duration::from_millis(20))
        .queue_capacity(7)
        .max_in_flight(8)
        .max_keys(9)
        .cancel_grace(Duration::from_secs(62));
    assert_eq!(read(text).unwrap(), set);
    assert_eq!(serde_json::to_string(&set).unwrap(), text);
}

#[test]
fn the_least_and_the_most_and_none_at_all_are_read_as_they_were_written() {
    let none = BatcherOptions::new().without_max_delay().without_max_weight();
    let least = none.clone().max_delay(Duration::ZERO).cancel_grace(Duration::ZERO);
    let most = none
        .clone()
        .max_items(usize::MAX)
        .max_weight(u64::MAX)
        .max_delay(Duration::MAX)
        .queue_capacity(usize::MAX)
        .max_in_flight(usize::MAX)
        .max_keys(usize::MAX)
        .cancel_grace(Duration::MAX);
    for options in [&none, &least, &most] {
        let text = serde_json::to_string(options).unwrap();
        assert_eq!(read(&text).as_ref(), Ok(options), "{text}");
    }
    // A notation that has no null has a word for none.
    for options in [&none, &least] {
        let text = toml::to_string(options).unwrap();
        assert_eq!(toml::from_str(&text).as_ref(), Ok(options), "{text}");
    }
}

#[test]
fn what_breaks_a_rule_says_which() {
    for field in ["max_items", "max_weight", "queue_capacity", "max_in_flight", "max_keys"] {
        let error = read(&format!(r#"{{ "{field}": 0 }}"#)).unwrap_err();
        assert!(error.starts_with(&format!("{field} must be at least 1, but is 0")), "{error}");
    }
    for text in [r#"{ "items": 1 }"#, "[1]", "3", r#"{ "max_delay": 5 }"#, r#"{ "max_items": -1 }"#] {
        assert!(read(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_panics_on_input(text: String) {
        let _ = read(&text);
        let _ = read(&format!(r#"{{ "max_delay": {text:?} }}"#));
    }
}
