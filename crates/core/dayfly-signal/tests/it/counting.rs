//! Counts over a window of time.

use std::time::Duration;

use dayfly_signal::{SignalOptions, SignalSink};
use tokio::time::{Instant, advance};

const WINDOW: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_counter_counts_what_is_within_its_window() {
    let signals = SignalSink::default();
    signals.raise("error.disk");
    let errors = signals.counter("error.*", WINDOW);
    assert_eq!(errors.count(), 1, "it starts with what the history shows");
    advance(Duration::from_secs(6)).await;
    signals.raise("error.net");
    signals.raise("fine");
    assert_eq!(errors.count(), 2);
    advance(Duration::from_secs(4)).await;
    assert_eq!(errors.count(), 1, "a raise leaves when it is as old as the window");
    assert_eq!(signals.count("error.*", WINDOW), 1);
}

#[tokio::test(start_paused = true)]
async fn the_nth_newest_says_when_the_count_falls() {
    let signals = SignalSink::default();
    let errors = signals.counter("error", WINDOW);
    let start = Instant::now();
    for _ in 0..5 {
        signals.raise("error");
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(errors.nth_newest(1), Some(start + Duration::from_secs(4)));
    assert_eq!(errors.nth_newest(5), Some(start));
    assert_eq!((errors.nth_newest(6), errors.nth_newest(0)), (None, None));
}

#[test]
fn a_counter_is_bounded_by_the_history() {
    let signals = SignalSink::new(SignalOptions::new().capacity(10));
    let ticks = signals.counter("tick", WINDOW);
    for _ in 0..100 {
        signals.raise("tick");
    }
    assert_eq!(ticks.count(), 10);
    for _ in 0..4 {
        signals.raise("other");
    }
    assert_eq!(ticks.count(), 6);
}
