//! Options from configuration.

use dayfly_resilience::PipelineOptions;
use dayfly_retry::RetryBudgetOptions;

use crate::support::{BREAKER, PLAIN, seconds};

#[test]
fn what_is_written_is_read_again() {
    let full = PLAIN
        .total_timeout(seconds(30))
        .without_fallback()
        .attempts(4)
        .seed(7)
        .budget(RetryBudgetOptions::new().share(0.5))
        .breaker(BREAKER)
        .max_concurrency(8)
        .max_wait(seconds(0))
        .attempt_timeout(seconds(3));
    for options in [full, PipelineOptions::new(), PipelineOptions::production()] {
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<PipelineOptions>(&text).unwrap(), options, "{text}");
        let text = toml::to_string(&options).unwrap();
        assert_eq!(toml::from_str::<PipelineOptions>(&text).unwrap(), options, "{text}");
    }
}

#[test]
fn what_breaks_a_rule_or_is_unknown_is_an_error_that_says_so() {
    for (text, says) in [
        (r#"{"total_timeout":"0s"}"#, "total_timeout must be longer than zero, but is 0s"),
        (r#"{"attempt_timeout":"0s"}"#, "attempt_timeout must be longer than zero, but is 0s"),
        (r#"{"attempts":0}"#, "attempts must be at least 1, but is 0"),
        (r#"{"max_concurrency":0}"#, "max_concurrency must be at least 1, but is 0"),
        (r#"{"breaker":{"probes":0}}"#, "probes must be at least 1"),
        (r#"{"budget":{"share":-1.0}}"#, "share"),
        (r#"{"retries":3}"#, "unknown field `retries`"),
        (r#"{"total_timeout":3}"#, "invalid type"),
        ("[]", "invalid type"),
    ] {
        let error = serde_json::from_str::<PipelineOptions>(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn what_is_absent_is_as_in_new() {
    assert_eq!(serde_json::from_str::<PipelineOptions>("{}").unwrap(), PipelineOptions::new());
}
