//! The options of a sink, read from configuration and written to it.

use std::time::Duration;

use dayfly_signal::{PatternSet, SignalOptions, SignalPattern, SignalSink};
use proptest::prelude::*;

fn read(text: &str) -> Result<SignalOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn max_age(text: &str) -> Result<SignalOptions, String> {
    serde_json::from_value(serde_json::json!({ "max_age": text })).map_err(|error| error.to_string())
}

#[test]
fn what_is_absent_has_its_default() {
    assert_eq!(read("{}").unwrap(), SignalOptions::new());
    let deep = read(r#"{ "max_depth": 99 }"#).unwrap();
    assert_eq!(deep, SignalOptions::new().max_depth(99));
}

#[test]
fn the_fields_are_the_setters() {
    let text = r#"
        capacity = 10
        max_age = "1h 30m"
        max_raised = 20
        subscription_capacity = 30
        max_depth = 40
        terminal = "shutdown, *.failed"
        leaf = ["audit.*", "trace"]
    "#;
    let options = SignalOptions::new().capacity(10).max_age(Duration::from_secs(5_400)).max_raised(20);
    let options = options.subscription_capacity(30).max_depth(40).terminal("shutdown, *.failed");
    assert_eq!(toml::from_str::<SignalOptions>(text).unwrap(), options.leaf(["audit.*", "trace"]));
}

#[test]
fn a_capacity_of_zero_is_taken_as_one_as_the_setter_does() {
    assert_eq!(read(r#"{ "capacity": 0 }"#).unwrap(), SignalOptions::new().capacity(1));
    assert_eq!(SignalOptions::new().capacity(0), SignalOptions::new().capacity(1));
}

#[test]
fn what_breaks_a_rule_is_told_the_rule_and_the_value() {
    let table = [
        (r#"{ "max_age": "0s" }"#, "max_age must be longer than zero, but is 0s"),
        (r#"{ "max_raised": 0 }"#, "max_raised must be at least 1, but is 0"),
        (r#"{ "subscription_capacity": 0 }"#, "subscription_capacity must be at least 1, but is 0"),
        (r#"{ "max_depth": 0 }"#, "max_depth must be at least 1, but is 0"),
    ];
    for (text, rule) in table {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(rule), "{error}");
    }
}

#[test]
fn an_error_points_at_the_value() {
    let error = toml::from_str::<SignalOptions>("capacity = 5\nmax_depth = 0\n").unwrap_err();
    let expected = "TOML parse error at line 2, column 13\n  |\n2 | max_depth = 0\n  |             ^\n\
                    max_depth must be at least 1, but is 0\n";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn hostile_input_is_an_error_that_says_what_is_wrong() {
    let deep = format!(r#"{{ "leaf": {}1 }}"#, "[".repeat(100_000));
    let table = [
        ("", "EOF"),
        ("null", "invalid type: null, expected a table of named fields"),
        ("[]", "invalid type: sequence, expected a table of named fields"),
        (r#"[7, "1m"]"#, "invalid type: sequence, expected a table of named fields"),
        (r#"{ "capacity": -1 }"#, "invalid value: integer `-1`"),
        (r#"{ "capacity": 1.5 }"#, "invalid type: floating point `1.5`"),
        (r#"{ "capacity": NaN }"#, "expected value"),
        (r#"{ "capacity": 18446744073709551616 }"#, "expected usize"),
        (r#"{ "capacity": 1e999 }"#, "number out of range"),
        (r#"{ "capacity": "7" }"#, "invalid type: string \"7\""),
        (r#"{ "capacity": null }"#, "invalid type: null"),
        (r#"{ "max_depth": 4294967296 }"#, "invalid value: integer `4294967296`, expected u32"),
        (
            r#"{ "max_age": 30 }"#,
            "invalid type: integer `30`, expected a duration with its unit, such as `30s`",
        ),
        (r#"{ "capacities": 1 }"#, "unknown field `capacities`, expected one of `capacity`"),
        (r#"{ "max_depth": 1, "max_depth": 2 }"#, "duplicate field `max_depth`"),
        (r#"{ "terminal": 1 }"#, "expected patterns, as one text with commas or as a list of texts"),
        (r#"{ "terminal": ["a", 1] }"#, "expected a string"),
        (r#"{ "terminal": [["a"]] }"#, "expected a string"),
        (r#"{ "terminal": { "a": "b" } }"#, "expected patterns"),
        (&deep, "expected a string"),
    ];
    for (text, wrong) in table {
        let error = read(text).unwrap_err();
        assert!(error.contains(wrong), "{text:.60}: {error}");
    }
}

#[test]
fn not_a_number_and_infinity_are_no_numbers_of_anything() {
    for number in ["nan", "-nan", "inf", "-inf", "-0.0"] {
        let error = toml::from_str::<SignalOptions>(&format!("max_raised = {number}")).unwrap_err();
        assert!(error.message().starts_with("invalid type: floating point"), "{error}");
    }
}

#[test]
fn durations_are_written_as_people_do() {
    let table = [
        ("30s", Duration::from_secs(30)),
        ("5m", Duration::from_secs(300)),
        (" 1h  30m ", Duration::from_secs(5_400)),
        ("1h30m", Duration::from_secs(5_400)),
        ("2 days 5 ms", Duration::from_secs(172_800) + Duration::from_millis(5)),
        ("1.5s", Duration::from_millis(1_500)),
        ("250µs", Duration::from_micros(250)),
        ("999ms 1ms", Duration::from_secs(1)),
    ];
    for (text, age) in table {
        assert_eq!(max_age(text).unwrap(), SignalOptions::new().max_age(age), "{text}");
    }
}

#[test]
fn what_is_no_duration_is_told_why() {
    let table = [
        ("", "value was empty"),
        ("30", "time unit needed"),
        ("30 parsecs", "unknown time unit \"parsecs\""),
        ("1h 5 30s", "time unit needed, for example 5sec"),
        ("-5s", "expected number"),
        ("NaN", "expected number"),
        ("1e3s", "unknown time unit \"e\""),
        ("0.5ns", "too large or cannot be represented"),
        ("18446744073709551616s", "too large"),
        ("18446744073709551615s 1s", "too large"),
        ("18446744073709551615y", "too large"),
        // Where humantime itself overflows.
        ("18446744073709551615s 1000ms", "too large"),
        ("18446744073709551615s 999ms 1ms", "too large"),
    ];
    for (text, why) in table {
        let error = max_age(text).unwrap_err();
        assert!(
            error.starts_with(&format!("`{text}` is no duration such as `30s` or `1h 30m`: ")),
            "{error}"
        );
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_text_of_patterns_is_taken_apart_and_those_of_a_list_stand_as_they_are() {
    let read = |text| serde_json::from_str::<PatternSet>(text).unwrap();
    assert_eq!(read(r#"" a.* ,, b ""#), PatternSet::from(["a.*", "b"]));
    assert_eq!(read(r#"["a.*", "b"]"#), PatternSet::from(["a.*", "b"]));
    let literal = PatternSet::from(SignalPattern::new("a, b")).and(SignalPattern::new(""));
    assert_eq!(read(r#"["a, b", ""]"#), literal);
    assert!(read(r#""""#).is_empty() && read("[]").is_empty());
}

#[test]
fn a_report_can_be_read_by_people() {
    let report = toml::to_string(&SignalOptions::new().terminal("shutdown, *.failed")).unwrap();
    let expected = "capacity = 4096\nmax_age = \"1m\"\nmax_raised = 4096\nsubscription_capacity = 1024\n\
                    max_depth = 16\nterminal = [\"shutdown\", \"*.failed\"]\nleaf = []\n";
    assert_eq!(report, expected);
    assert_eq!(toml::from_str::<SignalOptions>(&report).unwrap().max_depth(1), {
        SignalOptions::new().terminal("shutdown, *.failed").max_depth(1)
    });
}

#[tokio::test(start_paused = true)]
async fn the_largest_values_that_are_read_can_be_worked_with() {
    let text = format!(
        r#"{{ "capacity": {most}, "max_age": "{seconds}s 999999999ns", "max_raised": {most},
              "subscription_capacity": {most}, "max_depth": {depth} }}"#,
        most = usize::MAX,
        seconds = u64::MAX,
        depth = u32::MAX,
    );
    let signals = SignalSink::new(read(&text).unwrap());
    let mut events = signals.subscribe("*");
    signals.raise("busy");
    assert_eq!(events.recv().await.unwrap().name(), "busy");
    let waiting = tokio::time::timeout(Duration::from_secs(3_600), signals.cleared("busy"));
    assert!(waiting.await.is_err(), "it never ages out");
}

prop_compose! {
    fn patterns()(texts in prop::collection::vec(".{0,6}|[a-z, ]{0,6}", 0..4)) -> PatternSet {
        texts.into_iter().map(SignalPattern::from).fold(PatternSet::new(), PatternSet::and)
    }
}

prop_compose! {
    fn options()(
        capacity in any::<usize>(),
        max_age in any::<Duration>().prop_filter("a rule", |age| !age.is_zero()),
        max_raised in 1..=usize::MAX,
        subscription_capacity in 1..=usize::MAX,
        max_depth in 1..=u32::MAX,
        (terminal, leaf) in (patterns(), patterns()),
    ) -> SignalOptions {
        SignalOptions::new()
            .capacity(capacity)
            .max_age(max_age)
            .max_raised(max_raised)
            .subscription_capacity(subscription_capacity)
            .max_depth(max_depth)
            .terminal(terminal)
            .leaf(leaf)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(options in options()) {
        let text = serde_json::to_string(&options).unwrap();
        prop_assert_eq!(read(&text), Ok(options.clone()));
        let value = serde_json::to_value(&options).unwrap();
        prop_assert_eq!(serde_json::from_value::<SignalOptions>(value).unwrap(), options);
    }

    #[test]
    fn no_text_for_a_duration_panics(
        text in "([0-9.]{0,20} ?(ns|us|µs|ms|s|m|h|d|w|M|y|é|) ?){0,4}|.{0,20}",
    ) {
        let _ = max_age(&text);
    }
}

#[test]
fn the_longest_duration_is_read_back() {
    let forever = SignalOptions::new().max_age(Duration::MAX);
    let text = serde_json::to_string(&forever).unwrap();
    assert_eq!(read(&text).unwrap(), forever, "{text}");
}
