//! Options read from configuration and written to it.

use std::time::Duration;

use dayfly_retry::{Backoff, Jitter, RetryBudgetOptions, RetryOptions};
use proptest::prelude::*;

use crate::support::seconds;

fn read<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_absent_has_its_default() {
    assert_eq!(read::<RetryOptions>("{}").unwrap(), RetryOptions::new());
    let text = r#"{ "attempt_timeout": null, "total_timeout": null, "seed": null }"#;
    assert_eq!(read::<RetryOptions>(text).unwrap(), RetryOptions::new());
    assert_eq!(read::<RetryBudgetOptions>("{}").unwrap(), RetryBudgetOptions::new());
}

#[test]
fn every_field_is_its_setter() {
    let options: RetryOptions = toml::from_str(
        r#"
        attempts = 7
        attempt_timeout = "2s"
        total_timeout = "1m 30s"
        backoff = { linear = "250ms", cap = "3s", jitter = "decorrelated" }
        seed = 9
        "#,
    )
    .unwrap();
    let backoff = Backoff::linear(Duration::from_millis(250)).cap(seconds(3)).jitter(Jitter::Decorrelated);
    let same = RetryOptions::new()
        .attempts(7)
        .attempt_timeout(seconds(2))
        .total_timeout(seconds(90))
        .backoff(backoff)
        .seed(9);
    assert_eq!(options, same);
    let budget: RetryBudgetOptions = toml::from_str("share = 0.05\nmin_per_second = 1\nburst = 20").unwrap();
    assert_eq!(budget, RetryBudgetOptions::new().share(0.05).min_per_second(1).burst(20));
    assert_ne!(same.clone().without_attempt_timeout().without_total_timeout().without_seed(), same);
}

#[test]
fn what_breaks_a_rule_is_an_error_that_names_it() {
    for (text, rule) in [
        (r#"{ "attempts": 0 }"#, "attempts must be at least 1, but is 0"),
        (r#"{ "attempt_timeout": "0s" }"#, "attempt_timeout must be longer than zero, but is 0s"),
        (r#"{ "total_timeout": "0s" }"#, "total_timeout must be longer than zero, but is 0s"),
        (r#"{ "total_timeout": 5 }"#, "a duration with its unit"),
        (r#"{ "retries": 5 }"#, "unknown field `retries`"),
        (r"[3]", "a table of named fields"),
        (r#"{ "backoff": {} }"#, "exactly one of constant, linear, exponential and listed"),
        (r#"{ "backoff": { "constant": "1s", "linear": "1s" } }"#, "exactly one of"),
        (r#"{ "backoff": { "constant": "1s", "factor": 2 } }"#, "a factor belongs to an exponential backoff"),
        (
            r#"{ "backoff": { "exponential": "1s", "factor": 0.5 } }"#,
            "factor must be a finite number of at least 1",
        ),
        (r#"{ "backoff": { "listed": [] } }"#, "listed must have at least one delay, but is 0"),
        (r#"{ "backoff": { "constant": "1s", "jitter": "some" } }"#, "unknown variant `some`"),
        (r#"{ "backoff": { "constant": "1s", "step": "1s" } }"#, "unknown field `step`"),
        (r#"{ "backoff": { "constant": "99999999999999999999s" } }"#, "is no duration"),
    ] {
        let error = read::<RetryOptions>(text).unwrap_err();
        assert!(error.contains(rule), "{text}: {error}");
    }
    let long = format!(r#"{{ "backoff": {{ "listed": [{}] }} }}"#, vec![r#""1s""#; 17].join(","));
    assert!(read::<RetryOptions>(&long).unwrap_err().contains("at most 16 delays, but is 17"));
    for (text, rule) in [
        (r#"{ "share": -0.1 }"#, "share must be between 0 and 1,000, but is -0.1"),
        (r#"{ "share": 1001 }"#, "share must be between 0 and 1,000"),
        (r#"{ "min_per_second": 1000001 }"#, "min_per_second must be at most 1,000,000"),
        (r#"{ "burst": 0 }"#, "burst must be at least 1, but is 0"),
        (r#"{ "ttl": "10s" }"#, "unknown field `ttl`"),
    ] {
        let error = read::<RetryBudgetOptions>(text).unwrap_err();
        assert!(error.contains(rule), "{text}: {error}");
    }
    let nan = toml::from_str::<RetryBudgetOptions>("share = nan").unwrap_err();
    assert!(nan.message().contains("share must be between 0 and 1,000"), "{nan}");
}

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(Duration::MAX), (1_u64..u64::MAX).prop_map(Duration::from_nanos)]
}

fn backoffs() -> impl Strategy<Value = Backoff> {
    let schedules = prop_oneof![
        durations().prop_map(Backoff::constant),
        durations().prop_map(Backoff::linear),
        // serde_json reads long fractions to within their last bit only.
        (durations(), 100_u32..900)
            .prop_map(|(first, percent)| { Backoff::exponential(first).factor(f64::from(percent) / 100.0) }),
        proptest::collection::vec(durations(), 1..=16).prop_map(|delays| Backoff::listed(&delays)),
    ];
    let jitters =
        prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal), Just(Jitter::Decorrelated)];
    (schedules, proptest::option::of(durations()), jitters).prop_map(|(backoff, cap, jitter)| {
        let backoff = backoff.jitter(jitter);
        cap.map_or(backoff, |cap| backoff.cap(cap))
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        attempts in 1..=u32::MAX,
        attempt_timeout in proptest::option::of(durations()),
        total_timeout in proptest::option::of(durations()),
        backoff in backoffs(),
        seed in proptest::option::of(0..i64::MAX as u64),
        share in 0_u32..1_000_000,
    ) {
        let mut options = RetryOptions::new().attempts(attempts).backoff(backoff);
        if let Some(timeout) = attempt_timeout {
            options = options.attempt_timeout(timeout);
        }
        if let Some(timeout) = total_timeout {
            options = options.total_timeout(timeout);
        }
        if let Some(seed) = seed {
            options = options.seed(seed);
        }
        let budget = RetryBudgetOptions::new().share(f64::from(share) / 1e6);
        let text = serde_json::to_string(&(&options, &budget)).unwrap();
        let again: (RetryOptions, RetryBudgetOptions) = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&again, &(options.clone(), budget), "{}", text);
        let text = toml::to_string(&options).unwrap();
        let again: RetryOptions = toml::from_str(&text).unwrap();
        prop_assert_eq!(again, options, "{}", text);
    }

    #[test]
    fn no_text_panics(text in "[\\{\\}\\[\\]\":,a-z0-9. _-]{0,60}") {
        let _ = read::<RetryOptions>(&text);
        let _ = read::<Backoff>(&text);
        let _ = read::<RetryBudgetOptions>(&text);
    }
}
