//! The options of coordinators and lanes, read from configuration and written to it.

use std::time::Duration;

use dayfly::{
    AfterDeferral, CoordinatorOptions, KeyedCoordinator, LaneOptions, Operation, PatternSet, SignalPattern,
    SignalSink,
};
use dayfly_testing::settle;
use proptest::prelude::*;
use tokio::sync::Semaphore;

fn read(text: &str) -> Result<CoordinatorOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn read_lane(text: &str) -> Result<LaneOptions, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_absent_has_its_default() {
    assert_eq!(read("{}").unwrap(), CoordinatorOptions::new());
    assert_eq!(read_lane(r#"{ "name": "bulk" }"#).unwrap(), LaneOptions::new("bulk"));
}

#[test]
fn null_is_absence_where_a_value_is_optional() {
    let text = r#"{ "max_queued_per_key": null, "age_after": null, "max_age": null, "max_deferral": null }"#;
    assert_eq!(read(text).unwrap(), CoordinatorOptions::new());
    let text = r#"{ "name": "bulk", "max_queued": null, "max_concurrency": null }"#;
    assert_eq!(read_lane(text).unwrap(), LaneOptions::new("bulk"));
    assert!(read(r#"{ "max_pinned": null }"#).is_err());
}

const WRITTEN: &str = r#"
    max_concurrency = 2
    queue_capacity = 30
    max_concurrency_per_key = 4
    max_queued_per_key = 5
    age_after = "6s"
    window_size = 7
    max_age = "1h 30m"
    max_pinned = 9
    echo_capacity = 0
    echo_retention = "250ms"
    cancel_grace = "0s"
    cancel_on = "shutdown"
    defer_on = ["circuit.open.*", "load.high"]
    resume_on = "circuit.forced"
    drain_on = "deploy.started, shutdown"
    clear_on = [
        { when = "deploy.done", clear = "deploy.*" },
        { when = ["a", "b"], clear = "c" },
    ]
    max_deferral = { wait = "30s", then = "run" }
"#;

fn set() -> CoordinatorOptions {
    CoordinatorOptions::new()
        .max_concurrency(2)
        .queue_capacity(30)
        .max_concurrency_per_key(4)
        .max_queued_per_key(5)
        .age_after(Duration::from_secs(6))
        .window_size(7)
        .max_age(Duration::from_secs(5_400))
        .max_pinned(9)
        .echo_capacity(0)
        .echo_retention(Duration::from_millis(250))
        .cancel_grace(Duration::ZERO)
        .cancel_on("shutdown")
        .defer_on("circuit.open.*, load.high")
        .resume_on("circuit.forced")
        .drain_on("deploy.started, shutdown")
        .clear_on("deploy.done", "deploy.*")
        .clear_on("a, b", "c")
        .max_deferral(Duration::from_secs(30), AfterDeferral::Run)
}

#[test]
fn the_fields_are_the_setters() {
    assert_eq!(toml::from_str::<CoordinatorOptions>(WRITTEN).unwrap(), set());
    let report = toml::to_string(&set()).unwrap();
    assert_eq!(toml::from_str::<CoordinatorOptions>(&report).unwrap(), set(), "{report}");
}

#[test]
fn lanes_are_a_list_of_tables() {
    #[derive(serde::Deserialize)]
    struct File {
        lanes: Vec<LaneOptions>,
    }
    let text = r#"
        [[lanes]]
        name = "urgent"
        max_concurrency = 3
        cancel_on = "shutdown"
        resume_on = "go"

        [[lanes]]
        name = "bulk"
        max_queued = 10_000
        defer_on = ["load.high"]
    "#;
    let urgent = LaneOptions::new("urgent").max_concurrency(3).cancel_on("shutdown").resume_on("go");
    let bulk = LaneOptions::new("bulk").max_queued(10_000).defer_on("load.high");
    assert_eq!(toml::from_str::<File>(text).unwrap().lanes, [urgent, bulk]);
}

#[test]
fn what_breaks_a_rule_is_told_the_rule_and_the_value() {
    let most = Semaphore::MAX_PERMITS;
    for option in ["max_concurrency", "queue_capacity", "max_concurrency_per_key", "max_queued_per_key"] {
        let error = read(&format!(r#"{{ "{option}": 0 }}"#)).unwrap_err();
        assert!(error.starts_with(&format!("{option} must be at least 1, but is 0")), "{error}");
    }
    for option in ["queue_capacity", "max_queued_per_key"] {
        assert!(read(&format!(r#"{{ "{option}": {most} }}"#)).is_ok());
        let error = read(&format!(r#"{{ "{option}": {} }}"#, most + 1)).unwrap_err();
        assert!(error.starts_with(&format!("{option} must fit a semaphore, but is {}", most + 1)), "{error}");
    }
    for option in ["max_queued", "max_concurrency"] {
        let error = read_lane(&format!(r#"{{ "name": "bulk", "{option}": 0 }}"#)).unwrap_err();
        assert!(error.starts_with(&format!("{option} must be at least 1, but is 0")), "{error}");
    }
    let error = read_lane(&format!(r#"{{ "name": "bulk", "max_queued": {} }}"#, most + 1)).unwrap_err();
    assert!(error.starts_with("max_queued must fit a semaphore, but is"), "{error}");
    let error = read(r#"{ "age_after": "0ms" }"#).unwrap_err();
    assert!(error.starts_with("age_after must be longer than zero, but is 0s"), "{error}");
}

#[test]
fn hostile_input_is_an_error_that_says_what_is_wrong() {
    let deep = format!(r#"{{ "clear_on": {}1 }}"#, r#"[{ "when": "#.repeat(100_000));
    let table = [
        ("[]", "expected a table of named fields"),
        (r#"{ "max_concurrency": -1 }"#, "invalid value: integer `-1`"),
        (r#"{ "window_size": 99999999999999999999 }"#, "expected usize"),
        (r#"{ "max_concurency": 1 }"#, "unknown field `max_concurency`, expected one of `max_concurrency`"),
        (r#"{ "max_pinned": 1, "max_pinned": 1 }"#, "duplicate field `max_pinned`"),
        (r#"{ "cancel_grace": 5 }"#, "expected a duration with its unit, such as `30s`"),
        (r#"{ "cancel_grace": "5" }"#, "`5` is no duration such as `30s` or `1h 30m`: time unit needed"),
        (r#"{ "max_age": "soon" }"#, "`soon` is no duration"),
        (r#"{ "max_age": "9999999999999y" }"#, "number is too large"),
        (r#"{ "max_deferral": "30s" }"#, "expected a table of named fields"),
        (r#"{ "max_deferral": ["30s", "skip"] }"#, "expected a table of named fields"),
        (r#"{ "max_deferral": { "wait": "30s" } }"#, "missing field `then`"),
        (r#"{ "max_deferral": { "then": "run" } }"#, "missing field `wait`"),
        (r#"{ "max_deferral": { "wait": "30s", "then": "wait" } }"#, "expected `run` or `skip`"),
        (r#"{ "max_deferral": { "wait": "30s", "then": "run", "or": 1 } }"#, "unknown field `or`"),
        (r#"{ "clear_on": "deploy.*" }"#, "expected a sequence"),
        (r#"{ "clear_on": { "when": "a", "clear": "b" } }"#, "expected a sequence"),
        (r#"{ "clear_on": [["a", "b"]] }"#, "expected a table of named fields"),
        (r#"{ "clear_on": [{ "when": "a" }] }"#, "missing field `clear`"),
        (r#"{ "clear_on": [{ "when": "a", "clear": "b", "if": "c" }] }"#, "unknown field `if`"),
        (&deep, "invalid type: map, expected a string"),
    ];
    for (text, wrong) in table {
        let error = read(text).unwrap_err();
        assert!(error.contains(wrong), "{text:.60}: {error}");
    }
    let table = [
        ("{}", "missing field `name`"),
        (r#"{ "name": 7 }"#, "expected a string"),
        (r#"["bulk"]"#, "expected a table of named fields"),
        (r#"{ "name": "bulk", "age_after": "1s" }"#, "unknown field `age_after`"),
        (r#"{ "name": "bulk", "name": "bulk" }"#, "duplicate field `name`"),
        (r#"{ "name": "bulk", "max_queued": 1.5 }"#, "invalid type: floating point `1.5`"),
    ];
    for (text, wrong) in table {
        let error = read_lane(text).unwrap_err();
        assert!(error.contains(wrong), "{text}: {error}");
    }
}

#[test]
fn an_error_points_at_the_value() {
    let error = toml::from_str::<CoordinatorOptions>("window_size = 5\n\nqueue_capacity = 0").unwrap_err();
    assert_eq!(error.span(), Some(34..35), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_largest_values_that_are_read_can_be_worked_with() {
    let most = format!("\"{}s 999999999ns\"", u64::MAX);
    let text = format!(
        r#"{{ "max_concurrency": {number}, "queue_capacity": {places}, "max_concurrency_per_key": {number},
              "max_queued_per_key": {places}, "age_after": {most}, "window_size": {number}, "max_age": {most},
              "max_pinned": {number}, "echo_capacity": {number}, "echo_retention": {most},
              "cancel_grace": {most}, "defer_on": "busy", "max_deferral": {{ "wait": {most}, "then": "skip" }} }}"#,
        number = usize::MAX,
        places = Semaphore::MAX_PERMITS,
    );
    let signals = SignalSink::default();
    let busy = signals.hold("busy");
    let body = |_: u32, op: Operation| async move { op.cancelled().await };
    let work = KeyedCoordinator::spawn(read(&text).unwrap(), &signals, |item: &u32| *item, body);
    for item in 0..2 {
        work.enqueue(item).await.unwrap();
    }
    settle().await;
    assert_eq!(work.stats().running, 0, "they are deferred");
    drop(busy);
    settle().await;
    assert_eq!(work.stats().running, 2);
    assert_eq!(work.cancel().await.accepted, 2);
}

prop_compose! {
    fn patterns()(texts in prop::collection::vec("[a-z.*, ]{0,6}", 0..4)) -> PatternSet {
        texts.into_iter().map(SignalPattern::from).fold(PatternSet::new(), PatternSet::and)
    }
}

/// A value from here, or the default.
fn perhaps<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::of(value)
}

fn some_time() -> impl Strategy<Value = Duration> {
    any::<Duration>().prop_filter("a rule", |time| !time.is_zero())
}

prop_compose! {
    fn options()(
        (concurrency, capacity) in (1..=usize::MAX, 1..=Semaphore::MAX_PERMITS),
        (concurrency_per_key, per_key) in (1..=usize::MAX, perhaps(1..=Semaphore::MAX_PERMITS)),
        (age_after, max_age) in (perhaps(some_time()), perhaps(any::<Duration>())),
        (window, pinned, echoes) in any::<(usize, usize, usize)>(),
        (retention, grace) in any::<(Duration, Duration)>(),
        (cancel, defer, resume, drain) in (patterns(), patterns(), patterns(), patterns()),
        clearings in prop::collection::vec((patterns(), patterns()), 0..3),
        deferral in perhaps((any::<Duration>(), prop::sample::select(&[AfterDeferral::Run, AfterDeferral::Skip]))),
    ) -> CoordinatorOptions {
        let options = CoordinatorOptions::new()
            .max_concurrency(concurrency)
            .queue_capacity(capacity)
            .max_concurrency_per_key(concurrency_per_key)
            .window_size(window)
            .max_pinned(pinned)
            .echo_capacity(echoes)
            .echo_retention(retention)
            .cancel_grace(grace)
            .cancel_on(cancel)
            .defer_on(defer)
            .resume_on(resume)
            .drain_on(drain);
        let options = per_key.into_iter().fold(options, CoordinatorOptions::max_queued_per_key);
        let options = age_after.into_iter().fold(options, CoordinatorOptions::age_after);
        let options = max_age.into_iter().fold(options, CoordinatorOptions::max_age);
        let options = deferral.into_iter().fold(options, |options, (wait, then)| options.max_deferral(wait, then));
        clearings.into_iter().fold(options, |options, (when, clear)| options.clear_on(when, clear))
    }
}

prop_compose! {
    fn lane()(
        name in ".{0,8}",
        (queued, concurrency) in (perhaps(1..=Semaphore::MAX_PERMITS), perhaps(1..=usize::MAX)),
        (cancel, defer, resume) in (patterns(), patterns(), patterns()),
    ) -> LaneOptions {
        let lane = LaneOptions::new(name).cancel_on(cancel).defer_on(defer).resume_on(resume);
        let lane = queued.into_iter().fold(lane, LaneOptions::max_queued);
        concurrency.into_iter().fold(lane, LaneOptions::max_concurrency)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(options in options(), lane in lane()) {
        prop_assert_eq!(read(&serde_json::to_string(&options).unwrap()), Ok(options));
        prop_assert_eq!(read_lane(&serde_json::to_string(&lane).unwrap()), Ok(lane));
    }
}
