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

#[tokio::test(start_paused = true)]
async fn a_count_at_a_reading_is_the_count_of_that_moment() {
    let signals = SignalSink::default();
    let errors = signals.counter("error", WINDOW);
    let start = Instant::now();
    for _ in 0..3 {
        signals.raise("error");
        advance(Duration::from_secs(1)).await;
    }
    let at = |seconds| errors.count_at(start + Duration::from_secs(seconds));
    assert_eq!([3, 9, 10, 11, 12, 60].map(at), [3, 3, 2, 1, 0, 0]);
    assert_eq!(at(3), 0, "what has left does not come back");
}

#[tokio::test(start_paused = true)]
async fn a_count_follows_the_options_of_its_sink_at_once() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(60)));
    let ticks = signals.counter("tick", WINDOW);
    for _ in 0..6 {
        signals.raise("tick");
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(ticks.count(), 6);
    signals.set_max_age(Duration::from_secs(4));
    assert_eq!(ticks.count(), 3, "raised 3, 2 and 1 seconds ago");
    advance(Duration::from_secs(1)).await;
    assert_eq!(ticks.count(), 2, "the history forgets before the window ends");
    signals.set_capacity(1);
    assert_eq!(ticks.count(), 1);
    signals.clear();
    assert_eq!(ticks.count(), 0);
}

#[test]
fn a_count_is_never_less_than_what_its_reader_has_raised() {
    let signals = SignalSink::new(SignalOptions::new().capacity(1_000));
    let ticks = signals.counter("tick", Duration::from_secs(60));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for raised in 1..=200 {
                    signals.raise("tick");
                    assert!(ticks.count() >= raised);
                }
            });
        }
    });
    assert_eq!(ticks.count(), 800);
}
