//! Options read from configuration and written to it.

use std::time::Duration;

use dayfly_adaptive_rate::RateOptions;

fn read(text: &str) -> Result<RateOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_absent_has_its_default() {
    assert_eq!(read("{}"), Ok(RateOptions::new()));
    assert_eq!(read(r#"{"pause_on":"rate-limit","burst":null}"#), Ok(RateOptions::new()));
}

#[test]
fn what_is_written_is_read_again() {
    let options =
        RateOptions::per_minute(7).burst(3).max_keys(9).max_pause(Duration::from_secs(90)).pause_on("a, b.*");
    for options in [options.clone(), RateOptions::new(), options.without_pause_on()] {
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(read(&text), Ok(options), "{text}");
    }
    let text = serde_json::to_string(&RateOptions::new()).unwrap();
    assert_eq!(
        text,
        r#"{"starts":10,"period":"1s","burst":null,"max_keys":65536,"max_pause":"1h","pause_on":["rate-limit"]}"#
    );
}

#[test]
fn what_breaks_a_rule_is_an_error_that_says_which() {
    for (text, error) in [
        (r#"{"starts":0}"#, "starts must be at least 1, but is 0"),
        (r#"{"period":"0s"}"#, "period must be longer than zero, but is 0s"),
        (r#"{"period":"101y"}"#, "period must be shorter than 100 years"),
        (r#"{"burst":0}"#, "burst must be at least 1, but is 0"),
        (r#"{"max_keys":0}"#, "max_keys must be at least 1, but is 0"),
        (r#"{"starts":-1}"#, "invalid value"),
        (r#"{"period":5}"#, "a duration with its unit"),
        (r#"{"rate":5}"#, "unknown field `rate`"),
        ("[10]", "a table of named fields"),
    ] {
        let said = read(text).unwrap_err();
        assert!(said.contains(error), "{text}: {said}");
    }
}
