//! Options read from configuration and written to it.

use std::time::Duration;

use dayfly_limit::{KeyedLimiterOptions, LimiterOptions};

fn read(text: &str) -> Result<LimiterOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn read_keyed(text: &str) -> Result<KeyedLimiterOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_absent_has_its_default() {
    assert_eq!(read("{}"), Ok(LimiterOptions::new()));
    assert_eq!(read_keyed("{}"), Ok(KeyedLimiterOptions::new()));
}

#[test]
fn what_is_written_is_read_again() {
    let options = LimiterOptions::new().allow_zero().limit(0).without_age_after();
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(text, r#"{"limit":0,"allow_zero":true,"age_after":"never","claim_within":"10ms"}"#);
    assert_eq!(read(&text), Ok(options));
    let options = KeyedLimiterOptions::new()
        .limit(7)
        .limit_per_key(3)
        .max_keys(9)
        .age_after(Duration::from_secs(90))
        .claim_within(Duration::from_millis(20));
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(
        text,
        r#"{"limit":7,"limit_per_key":3,"max_keys":9,"age_after":"1m 30s","claim_within":"20ms"}"#
    );
    assert_eq!(read_keyed(&text), Ok(options.clone()));
    let text = serde_json::to_string(&options.without_age_after()).unwrap();
    assert!(read_keyed(&text).is_ok(), "{text}");
}

#[test]
fn the_most_and_none_at_all_are_read_as_they_were_written() {
    let most = LimiterOptions::new().limit(usize::MAX).age_after(Duration::MAX).claim_within(Duration::MAX);
    for options in [most, LimiterOptions::new().without_age_after()] {
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(read(&text), Ok(options), "{text}");
    }
}

#[test]
fn wrong_input_is_an_error_that_says_what_is_wrong() {
    let table = [
        ("[]", "expected a table of named fields"),
        (r#"{ "limit": 0 }"#, "limit must be at least 1 unless allow_zero is set, but is 0"),
        (r#"{ "limit": -1 }"#, "invalid value: integer `-1`"),
        (r#"{ "permits": 1 }"#, "unknown field `permits`"),
        (r#"{ "limit": 1, "limit": 1 }"#, "duplicate field `limit`"),
        (r#"{ "age_after": "0s" }"#, "age_after must be longer than zero, but is 0s"),
        (r#"{ "age_after": "soon" }"#, "`soon` is no duration"),
        (r#"{ "age_after": 5 }"#, "invalid type: integer `5`"),
        (r#"{ "claim_within": "0ms" }"#, "claim_within must be longer than zero, but is 0s"),
    ];
    for (text, wrong) in table {
        let error = read(text).unwrap_err();
        assert!(error.contains(wrong), "{text}: {error}");
    }
    for option in ["limit", "limit_per_key", "max_keys"] {
        let error = read_keyed(&format!(r#"{{ "{option}": 0 }}"#)).unwrap_err();
        assert!(error.starts_with(&format!("{option} must be at least 1, but is 0")), "{error}");
    }
    assert!(read_keyed(r#"{ "allow_zero": true }"#).unwrap_err().contains("unknown field"));
}
