//! Waiting for the state is event-driven, on a clock that stands still unless age is what is waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use dayfly_signal::{SignalOptions, SignalSink};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn raised_and_cleared_wake_without_the_clock() {
    let signals = SignalSink::default();
    let start = Instant::now();
    let ((), raised) = tokio::join!(
        async {
            tokio::task::yield_now().await;
            signals.raise("other");
            signals.raise("go.now");
        },
        signals.raised("go.*"),
    );
    assert_eq!(raised.name(), "go.now");
    tokio::join!(
        async {
            tokio::task::yield_now().await;
            signals.retract("go.now");
        },
        signals.cleared("go.*"),
    );
    assert_eq!(Instant::now(), start);
}

#[tokio::test(start_paused = true)]
async fn cleared_wakes_when_the_last_raise_ages_out() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    let start = Instant::now();
    signals.raise("a");
    tokio::time::advance(Duration::from_secs(3)).await;
    signals.raise("b");
    signals.cleared("*").await;
    assert_eq!(Instant::now() - start, Duration::from_secs(13));
}

#[tokio::test(start_paused = true)]
async fn a_shorter_age_wakes_who_waits_for_the_longer_one() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(3_600)));
    let start = Instant::now();
    signals.raise("a");
    tokio::join!(signals.cleared("a"), async {
        tokio::task::yield_now().await;
        signals.set_max_age(Duration::from_secs(5));
    });
    assert_eq!(Instant::now() - start, Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_watch_misses_no_change_between_a_read_and_a_wait() {
    let signals = SignalSink::default();
    let mut watch = signals.watch("x");
    assert!(watch.state().is_empty() && !watch.has_changed());
    signals.raise("x");
    assert!(watch.has_changed());
    watch.changed().await;
    assert_eq!(watch.state().len(), 1);
    assert!(!watch.has_changed());
    signals.raise("y");
    assert!(!watch.has_changed(), "nobody asked for y");
}

#[tokio::test(start_paused = true)]
async fn the_version_of_a_watch_says_whether_the_state_may_be_another_one() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    let mut watch = signals.watch("x");
    let before = watch.version();
    signals.raise("y");
    assert_eq!(watch.version(), before, "nobody asked for y");
    signals.raise("x");
    let raised = watch.version();
    assert!(raised > before);
    drop(watch.state());
    assert_eq!(watch.version(), raised, "reading changes nothing");
    signals.retract("x");
    let retracted = watch.version();
    assert!(retracted > raised);
    signals.raise("x");
    tokio::time::advance(Duration::from_secs(10)).await;
    let raised = watch.version();
    assert!(!signals.is_raised("x"), "any use of the sink notices the age");
    assert!(watch.version() > raised);
}

/// A waker that counts, and that asks the sink which woke it: that would not end if it were woken under the lock.
struct Counting(SignalSink, AtomicUsize);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        let _ = self.0.is_raised("x");
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_registered_waker_is_woken_once_by_the_next_change_and_by_none_before_it() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    let watch = signals.watch("x");
    let count = Arc::new(Counting(signals.clone(), AtomicUsize::new(0)));
    let woken = || count.1.load(Ordering::SeqCst);
    signals.raise("x");
    watch.register(&Waker::from(Arc::clone(&count)));
    signals.raise("y");
    assert_eq!(woken(), 0, "what came before and what nobody asked for wakes nobody");
    signals.retract("x");
    signals.raise("x");
    assert_eq!((woken(), watch.read().len()), (1, 1));
    watch.register(&Waker::from(Arc::clone(&count)));
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(watch.read().is_empty());
    assert_eq!(woken(), 2, "ageing that is noticed is a change");
    drop(watch);
    assert_eq!(Arc::strong_count(&count), 1);
}
