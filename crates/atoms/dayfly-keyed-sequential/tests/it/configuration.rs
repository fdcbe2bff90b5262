//! The options, read from configuration and written to it.

use dayfly::CoordinatorOptions;
use dayfly_keyed_sequential::SequentialOptions;

fn read(text: &str) -> Result<SequentialOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_written_is_what_is_read() {
    assert_eq!(read("{}").unwrap(), SequentialOptions::new());
    let options = SequentialOptions::new()
        .work(CoordinatorOptions::new().max_concurrency(3).defer_on("stop"))
        .parked_signal("order.parked");
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(read(&text).unwrap(), options, "{text}");
}

#[test]
fn what_breaks_a_rule_or_is_unknown_is_an_error() {
    for (text, says) in [
        (r#"{ "work": { "max_concurrency_per_key": 2 } }"#, "max_concurrency_per_key must be 1"),
        (r#"{ "work": { "max_concurrency": 0 } }"#, "max_concurrency must be at least 1"),
        (r#"{ "parked_signal": "" }"#, "parked_signal must not be blank"),
        (r#"{ "max_parked": 1 }"#, "unknown field"),
        (r#"[{}, "x"]"#, "expected a table"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}
