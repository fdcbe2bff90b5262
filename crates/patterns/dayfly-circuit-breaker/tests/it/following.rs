//! Options that are followed live, and options that are read.

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{
    BreakerOptions, BreakerState, CircuitBreaker, KeyedBreaker, KeyedBreakerOptions, Window,
};
use dayfly_signal::SignalSink;

const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(5);

#[tokio::test(start_paused = true)]
async fn a_lower_threshold_holds_for_the_next_failure_and_the_count_goes_on() {
    let bank = CircuitBreaker::new("bank", CARE, &SignalSink::default());
    (0..3).for_each(|_| bank.try_acquire().unwrap().failure());
    bank.reconfigure(&CARE.failure_threshold(2)).unwrap();
    assert_eq!((bank.state(), bank.stats().failures_in_a_row), (BreakerState::Closed, 3));
    bank.try_acquire().unwrap().failure();
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn shares_can_be_asked_for_later() {
    let bank = CircuitBreaker::new("bank", CARE, &SignalSink::default());
    let shares = CARE.failure_rate(0.5).window(Window::Calls(4)).minimum_calls(2);
    bank.reconfigure(&shares).unwrap();
    bank.try_acquire().unwrap().success();
    bank.try_acquire().unwrap().failure();
    assert_eq!(bank.state(), BreakerState::Open);
    assert_eq!(bank.options(), shares);
}

#[tokio::test(start_paused = true)]
async fn breakers_of_keys_follow_too() {
    let hosts =
        KeyedBreaker::<u32>::new("hosts", KeyedBreakerOptions::new().breaker(CARE), &SignalSink::default());
    hosts.breaker(&1);
    hosts.breaker(&2);
    Reconfigure::<KeyedBreakerOptions>::reconfigure(
        &hosts,
        &KeyedBreakerOptions::new().breaker(CARE.failure_threshold(1)).max_keys(1),
    )
    .unwrap();
    assert_eq!(hosts.len(), 1);
    hosts.breaker(&2).try_acquire().unwrap().failure();
    assert_eq!(hosts.breaker(&2).state(), BreakerState::Open);
}

#[cfg(feature = "serde")]
#[test]
fn options_are_read_under_the_rules_of_the_setters() {
    use std::time::Duration;

    let read = |text: &str| serde_json::from_str::<BreakerOptions>(text);
    let options =
        read(r#"{"failure_threshold":3,"open_for":"10s","window":{"time":"1m"},"failure_rate":0.25}"#);
    let same = BreakerOptions::new()
        .failure_threshold(3)
        .open_for(Duration::from_secs(10))
        .window(Window::Time(Duration::from_secs(60)))
        .failure_rate(0.25);
    assert_eq!(options.unwrap(), same);
    let written = serde_json::to_string(&same).unwrap();
    assert_eq!(read(&written).unwrap(), same);
    for (text, why) in [
        (r#"{"failure_threshold":0}"#, "failure_threshold must be at least 1, but is 0"),
        (r#"{"failure_rate":1.5}"#, "failure_rate must be above 0 and at most 1, but is 1.5"),
        (r#"{"slow_rate":0.0}"#, "slow_rate must be above 0"),
        (r#"{"open_for":"0s"}"#, "open_for must be longer than zero"),
        (r#"{"window":{"calls":0}}"#, "a window must hold at least 1 call"),
        (r#"{"window":{"time":"0s"}}"#, "a window must be longer than zero"),
        (r#"{"probes":0}"#, "probes must be at least 1"),
        (r#"{"threshold":1}"#, "unknown field `threshold`"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    let kept = KeyedBreakerOptions::new().without_time_to_idle();
    let written = serde_json::to_string(&kept).unwrap();
    // What a notation without a null left out would be read as the default.
    assert!(written.contains(r#""time_to_idle":"never""#), "{written}");
    assert_eq!(serde_json::from_str::<KeyedBreakerOptions>(&written).unwrap(), kept);
    let keyed = serde_json::from_str::<KeyedBreakerOptions>(r#"{"max_keys":0}"#).unwrap_err();
    assert!(keyed.to_string().contains("max_keys must be at least 1"));
}
