//! Options that are followed live, and options that are read.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly::contain::panic_message;
use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions};
use dayfly_limit::Limiter;
use dayfly_signal::SignalSink;

const OPTIONS: AdaptiveLimitOptions = AdaptiveLimitOptions::new().bounds(2, 50).initial(10);

#[test]
fn new_bounds_hold_at_once() {
    let (signals, limiter) = (SignalSink::default(), Limiter::with_limit(1));
    let limit = AdaptiveLimit::new(limiter.clone(), OPTIONS, &signals);
    let shown = limit.watch();
    limit.reconfigure(&OPTIONS.bounds(2, 6)).unwrap();
    assert_eq!((limiter.limit(), *shown.borrow()), (6, 6));
    limit.reconfigure(&OPTIONS.bounds(20, 60)).unwrap();
    assert_eq!(limiter.limit(), 20);
    signals.raise("load.high");
    signals.raise("load.high");
    assert_eq!(limiter.limit(), 60);
    limit.reconfigure(&OPTIONS.bounds(20, 60).initial(33)).unwrap();
    assert_eq!(limiter.limit(), 60, "it has begun already");
    assert_eq!(limit.options(), OPTIONS.bounds(20, 60).initial(33));
}

#[test]
fn signals_hold_from_the_start_on() {
    let limit = AdaptiveLimit::unbound(OPTIONS, &SignalSink::default());
    let refused = limit.reconfigure(&OPTIONS.bounds(1, 1).double_on("x")).unwrap_err();
    assert_eq!((refused.option, limit.limit()), ("double_on", 10));
    assert_eq!(limit.check(&OPTIONS.halve_on("")).unwrap_err().option, "halve_on");
    assert!(limit.check(&OPTIONS.double_on("load.high").halve_on(" load.low,")).is_ok());
}

#[test]
fn what_breaks_a_rule_panics_with_it() {
    let rule = |wrong: fn() -> AdaptiveLimitOptions| {
        let panic = std::panic::catch_unwind(wrong).unwrap_err();
        panic_message(&*panic).unwrap().to_owned()
    };
    assert_eq!(rule(|| OPTIONS.bounds(0, 1)), "the lower bound must be at least 1");
    assert_eq!(rule(|| OPTIONS.bounds(2, 1)), "the upper bound must not be below the lower one");
    assert_eq!(rule(|| OPTIONS.bounds(2, usize::MAX)), "the upper bound must be at most 1000000000");
    assert_eq!(rule(|| OPTIONS.initial(0)), "initial must be at least 1");
    assert_eq!(rule(|| OPTIONS.tolerance(1.0)), "tolerance must be above 1 and at most 100");
    assert_eq!(rule(|| OPTIONS.tolerance(f64::NAN)), "tolerance must be above 1 and at most 100");
    for wrong in [f64::INFINITY, f64::NEG_INFINITY, -2.0, 100.1] {
        let panic = std::panic::catch_unwind(|| OPTIONS.tolerance(wrong)).unwrap_err();
        assert_eq!(panic_message(&*panic), Some("tolerance must be above 1 and at most 100"), "{wrong}");
    }
    for wrong in [0.0, -0.0, -0.5, 1.1, f64::NAN, f64::INFINITY] {
        let panic = std::panic::catch_unwind(|| OPTIONS.quantile(wrong)).unwrap_err();
        assert_eq!(panic_message(&*panic), Some("quantile must be above 0 and at most 1"), "{wrong}");
    }
    assert_eq!(rule(|| OPTIONS.min_samples(0)), "min_samples must be at least 1");
    assert_eq!(rule(|| OPTIONS.probe_every(Duration::ZERO)), "probe_every must be longer than zero");
    assert_eq!(rule(|| OPTIONS.max_latency(Duration::ZERO)), "max_latency must be longer than zero");
}

#[test]
fn equal_options_are_equal_however_they_were_written() {
    assert_eq!(OPTIONS.double_on("load.high").halve_on("load.low"), OPTIONS);
    assert_ne!(OPTIONS.without_signals(), OPTIONS);
    assert_eq!(OPTIONS.max_latency(Duration::from_secs(1)).without_max_latency(), OPTIONS);
    assert_eq!(AdaptiveLimitOptions::default(), AdaptiveLimitOptions::new());
}

#[cfg(feature = "serde")]
#[test]
fn options_are_read_under_the_rules_of_the_setters() {
    let read = |text: &str| serde_json::from_str::<AdaptiveLimitOptions>(text);
    let written = r#"{"bounds":{"min":2,"max":50},"initial":10,"max_latency":"2s","double_on":"busy.*","window":"1s 500ms"}"#;
    let same =
        OPTIONS.max_latency(Duration::from_secs(2)).double_on("busy.*").window(Duration::from_millis(1_500));
    assert_eq!(read(written).unwrap(), same);
    assert_eq!(read("{}").unwrap(), AdaptiveLimitOptions::new());
    assert_eq!(read(r#"{"double_on":"load.high"}"#).unwrap(), AdaptiveLimitOptions::new());

    for options in [AdaptiveLimitOptions::new(), same.clone(), same.without_signals()] {
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(read(&text).unwrap(), options, "{text}");
    }
    let text = serde_json::to_string(&AdaptiveLimitOptions::new()).unwrap();
    assert!(text.contains("load.high") && text.contains("load.low"), "{text}");

    for (text, error) in [
        (r#"{"bounds":{"min":0,"max":1}}"#, "the lower bound must be at least 1, but is 0 to 1"),
        (r#"{"bounds":{"min":9,"max":3}}"#, "the upper bound must not be below the lower one, but is 9 to 3"),
        (r#"{"bounds":{"min":1}}"#, "missing field `max`"),
        (r#"{"bounds":[1,2]}"#, "a table of named fields"),
        (r#"{"initial":0}"#, "initial must be at least 1, but is 0"),
        (r#"{"tolerance":1}"#, "tolerance must be above 1 and at most 100, but is 1"),
        (r#"{"quantile":1.5}"#, "quantile must be above 0 and at most 1, but is 1.5"),
        (r#"{"min_samples":0}"#, "min_samples must be at least 1, but is 0"),
        (r#"{"probe_every":"0s"}"#, "probe_every must be longer than zero, but is 0s"),
        (r#"{"max_latency":"0s"}"#, "max_latency must be longer than zero, but is 0s"),
        (r#"{"window":5}"#, "a duration with its unit"),
        (r#"{"ceiling":5}"#, "unknown field `ceiling`"),
    ] {
        let found = read(text).unwrap_err().to_string();
        assert!(found.contains(error), "{text}: {found}");
    }
}
