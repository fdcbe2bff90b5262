//! The options, read from configuration and written to it.

use dayfly_fixed_work::{CoordinatorOptions, FixedWorkOptions};

fn read(text: &str) -> Result<FixedWorkOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_written_is_what_is_read() {
    assert_eq!(read("{}").unwrap(), FixedWorkOptions::new());
    assert_eq!(read(r#"{ "workers": null, "stack_size": null }"#).unwrap(), FixedWorkOptions::new());
    let options = FixedWorkOptions::new()
        .workers(3)
        .thread_name("resize")
        .stack_size(1 << 20)
        .work(CoordinatorOptions::new().queue_capacity(9));
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(read(&text).unwrap(), options, "{text}");
}

#[test]
fn the_largest_values_that_rules_allow_are_read() {
    let options = read(r#"{ "workers": 65536, "stack_size": 1073741824 }"#).unwrap();
    assert_eq!(options, FixedWorkOptions::new().workers(65_536).stack_size(1 << 30));
}

#[test]
#[should_panic(expected = "workers must be at most 65536")]
fn a_setter_keeps_the_same_bound_of_workers() {
    drop(FixedWorkOptions::new().workers(65_537));
}

#[test]
#[should_panic(expected = "stack_size must be at most 1 GiB")]
fn a_setter_keeps_the_same_bound_of_stacks() {
    drop(FixedWorkOptions::new().stack_size((1 << 30) + 1));
}

#[test]
fn what_breaks_a_rule_or_is_unknown_is_an_error() {
    for (text, says) in [
        (r#"{ "workers": 0 }"#, "workers must be at least 1, but is 0"),
        (r#"{ "workers": 65537 }"#, "workers must be at most 65536, but is 65537"),
        (r#"{ "workers": 18446744073709551615 }"#, "workers must be at most 65536"),
        (r#"{ "stack_size": 1073741825 }"#, "stack_size must be at most 1 GiB, but is 1073741825"),
        (r#"{ "thread_name": "a\u0000b" }"#, "thread_name must not contain a NUL"),
        (r#"{ "work": { "queue_capacity": 0 } }"#, "queue_capacity must be at least 1"),
        (r#"{ "threads": 1 }"#, "unknown field"),
        ("[1]", "expected a table"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}
