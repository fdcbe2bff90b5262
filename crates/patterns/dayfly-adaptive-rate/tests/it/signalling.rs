//! Which signals are obeyed, which are not, and what others are told.

use std::time::Duration;

use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::{Draft, SignalSink};
use tokio::time::{advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn what_is_no_length_of_time_is_ignored_counted_and_reported() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", RateOptions::new(), &signals);
    let wrong = [
        "rate-limit",
        "rate-limit:",
        "rate-limit:soon",
        "rate-limit:-5s",
        "rate-limit:500",
        "rate-limit:1e9s",
    ];
    for text in wrong {
        signals.raise(text);
    }
    signals.raise(Draft::from("rate-limit:18446744073709551615s 1000ms").key("acme"));
    rate.check("acme").unwrap();
    assert_eq!(rate.stats().malformed, 7);
    let told: Vec<_> = signals.history("rate.malformed.api").iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 7);
    assert_eq!(told[2], "rate.malformed.api:soon");
    assert_eq!(told[6], "rate.malformed.api:18446744073709551615s 1000ms [acme]");
    assert!(!signals.is_raised("rate.limited.*"));
}

#[tokio::test(start_paused = true)]
async fn a_retraction_is_no_signal_to_pause() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", RateOptions::new(), &signals);
    signals.raise("rate-limit:1s");
    assert!(signals.retract("rate-limit"));
    assert_eq!((rate.delay("a"), rate.stats().malformed), (SECOND, 0));
}

#[tokio::test(start_paused = true)]
async fn other_signals_can_be_obeyed_or_none() {
    let signals = SignalSink::default();
    let search = AdaptiveRate::new("search", RateOptions::new().pause_on("*.slow-down, busy"), &signals);
    let deaf = AdaptiveRate::new("deaf", RateOptions::new().without_pause_on(), &signals);
    signals.raise("rate-limit:1s");
    search.check("a").unwrap();
    signals.raise("search.slow-down:1s");
    assert_eq!(search.delay("a"), SECOND);
    signals.raise("busy:2s");
    assert_eq!(search.delay("a"), 2 * SECOND);
    deaf.check("a").unwrap();
    deaf.retry_after("a", SECOND);
    assert_eq!(deaf.delay("a"), SECOND);
}

#[tokio::test(start_paused = true)]
async fn while_there_is_a_pause_its_signal_is_held_and_no_longer() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", RateOptions::new(), &signals);
    let held = || {
        let mut held: Vec<_> = signals
            .state("rate.limited.*")
            .iter()
            .map(|raised| (raised.name().to_owned(), raised.key().map(str::to_owned)))
            .collect();
        held.sort();
        held
    };
    let name = || "rate.limited.api".to_owned();
    rate.retry_after("acme", SECOND);
    rate.retry_all_after(2 * SECOND);
    assert_eq!(held(), [(name(), None), (name(), Some("acme".to_owned()))]);
    rate.retry_after("acme", 3 * SECOND);
    // Nobody comes: it is the timer that lets them go.
    sleep(2 * SECOND).await;
    assert_eq!(held(), [(name(), Some("acme".to_owned()))]);
    sleep(SECOND).await;
    assert_eq!(held(), []);
    rate.retry_all_after(SECOND);
    assert!(rate.resume_all());
    assert_eq!(held(), []);
}

#[tokio::test(start_paused = true)]
async fn the_used_up_quota_of_a_key_is_no_pause() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", RateOptions::per_second(1), &signals);
    rate.check("a").unwrap();
    assert!(rate.check("a").is_err());
    assert!(!signals.is_raised("rate.limited.*"));
}

#[tokio::test(start_paused = true)]
async fn with_the_last_handle_the_pauses_end_and_nobody_listens() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", RateOptions::new(), &signals);
    rate.retry_all_after(SECOND);
    let other = rate.clone();
    drop(rate);
    assert!(signals.is_raised("rate.limited.api"));
    drop(other);
    assert!(!signals.is_raised("rate.limited.api"));
    signals.raise("rate-limit:never");
    assert!(!signals.has("rate.malformed.*"));
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_hears_its_own_signals_does_not_answer_them() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", RateOptions::new().pause_on("*"), &signals);
    signals.raise("noise");
    rate.retry_all_after(SECOND);
    advance(SECOND).await;
    rate.check("a").unwrap();
    assert_eq!(rate.stats().malformed, 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_hears_of_a_pause_may_use_the_rate() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", RateOptions::new(), &signals);
    let of_listener = rate.clone();
    let _listener = signals.listen("rate.limited.api", move |signal| {
        of_listener.check("b").unwrap_err();
        if signal.key().is_none() {
            of_listener.retry_after("b", 5 * SECOND);
        }
    });
    rate.retry_all_after(SECOND);
    assert!(signals.has("rate.limited.api"));
    assert_eq!((rate.delay("a"), rate.delay("b")), (SECOND, 5 * SECOND));
    assert_eq!(signals.state("rate.limited.api").len(), 2);
}
