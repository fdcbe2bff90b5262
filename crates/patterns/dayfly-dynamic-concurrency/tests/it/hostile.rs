//! What panics, comes back in, or never ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions, Judgement, Sample, SetLimit, SetWith};
use dayfly_signal::SignalSink;
use tokio::time::advance;

const OPTIONS: AdaptiveLimitOptions = AdaptiveLimitOptions::new().bounds(2, 64).initial(8);

/// Panics whenever it is told.
struct Bomb;

impl SetLimit for Bomb {
    fn set_limit(&self, _: usize) {
        panic!("it goes off when it is told")
    }
}

#[test]
fn a_limit_that_panics_costs_nobody_else_anything() {
    let signals = SignalSink::default();
    let limit = AdaptiveLimit::new(Bomb, OPTIONS, &signals);
    let shown = limit.watch();
    signals.raise("load.high");
    assert_eq!((limit.limit(), *shown.borrow(), limit.stats().panics), (16, 16, 2));
    assert!(!signals.has("sink.callback.panicked"));
    let told = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&told);
    let sound = SetWith(move |limit| tell.store(limit, Ordering::SeqCst));
    limit.bind(sound);
    assert_eq!(told.load(Ordering::SeqCst), 16);
}

/// Stays in the first call that follows its making until it is let go.
struct Held {
    told: Mutex<Vec<usize>>,
    is_inside: AtomicBool,
    entered: SyncSender<()>,
    leave: Mutex<Receiver<()>>,
}

impl SetLimit for Held {
    fn set_limit(&self, limit: usize) {
        assert!(!self.is_inside.swap(true, Ordering::SeqCst), "it is told twice at once");
        if limit == 16 {
            self.entered.send(()).unwrap();
            self.leave.lock().unwrap().recv().unwrap();
        }
        self.told.lock().unwrap().push(limit);
        self.is_inside.store(false, Ordering::SeqCst);
    }
}

#[test]
fn while_somebody_tells_of_a_limit_another_change_does_not_wait_and_is_told_after_it() {
    let signals = SignalSink::default();
    let ((entered, is_in), (let_go, leave)) = (sync_channel(1), sync_channel(1));
    let held = Arc::new(Held {
        told: Mutex::default(),
        is_inside: AtomicBool::new(false),
        entered,
        leave: Mutex::new(leave),
    });
    let limit = AdaptiveLimit::new(Arc::clone(&held), OPTIONS, &signals);
    thread::scope(|threads| {
        threads.spawn(|| signals.raise("load.high"));
        is_in.recv().unwrap();
        signals.raise("load.low");
        signals.raise("load.low");
        assert_eq!(limit.limit(), 4);
        let_go.send(()).unwrap();
    });
    assert_eq!((&*held.told.lock().unwrap(), limit.stats().panics), (&vec![8, 16, 4], 0));
}

/// Uses the limit while it is told of it.
#[derive(Default)]
struct Echo {
    limit: OnceLock<AdaptiveLimit>,
    signals: SignalSink,
    told: Mutex<Vec<usize>>,
}

impl SetLimit for Echo {
    fn set_limit(&self, limit: usize) {
        self.told.lock().unwrap().push(limit);
        if let Some(own) = self.limit.get() {
            assert_eq!(own.limit(), limit);
            own.begin().success();
            if limit == 16 {
                self.signals.raise("load.low");
            }
        }
    }
}

#[test]
fn what_is_told_may_use_the_limit() {
    let echo = Arc::new(Echo::default());
    let limit = AdaptiveLimit::new(Arc::clone(&echo), OPTIONS, &echo.signals);
    echo.limit.set(limit.clone()).unwrap();
    echo.signals.raise("load.high");
    // The step down is delivered after the step up, and told after it.
    assert_eq!((limit.limit(), &*echo.told.lock().unwrap()), (8, &vec![8, 16, 8]));
    assert_eq!(limit.stats().panics, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_or_a_judge_that_panics_is_in_flight_no_more() {
    let limit = AdaptiveLimit::unbound(OPTIONS, &SignalSink::default());
    let other = limit.clone();
    let panicking = tokio::runtime::Handle::current().spawn(async move {
        other.measure(async { if true { panic!("it") } else { Ok::<_, ()>(()) } }).await
    });
    assert!(panicking.await.unwrap_err().is_panic());
    let other = limit.clone();
    let judging = tokio::runtime::Handle::current()
        .spawn(async move { other.measure_judged(async {}, |()| panic!("it")).await });
    assert!(judging.await.unwrap_err().is_panic());
    let stats = limit.stats();
    assert_eq!((stats.in_flight, stats.drops, stats.windows), (0, 0, 0));
}

#[test]
fn what_ends_while_something_panics_is_counted_still() {
    let limit = AdaptiveLimit::unbound(OPTIONS, &SignalSink::default());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _sample = limit.begin();
        panic!("it")
    }));
    assert!(caught.is_err());
    assert_eq!(limit.stats().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn ends_of_time_and_no_time_at_all_are_latencies_too() {
    let options = OPTIONS.min_samples(1).window(Duration::ZERO).probe_every(Duration::MAX).quantile(1.0);
    let limit = AdaptiveLimit::unbound(options, &SignalSink::default());
    for _ in 0..100 {
        limit.begin().success();
    }
    let sample = limit.begin();
    advance(Duration::from_secs(100 * 365 * 24 * 3_600)).await;
    sample.success();
    for _ in 0..100 {
        limit.begin().dropped();
        limit.begin().success();
    }
    assert!((2..=64).contains(&limit.limit()));
    let patient = AdaptiveLimit::unbound(
        OPTIONS.window(Duration::MAX).max_latency(Duration::MAX).min_samples(u32::MAX),
        &SignalSink::default(),
    );
    (0..1_000).for_each(|_| patient.begin().success());
    assert_eq!((patient.limit(), patient.stats().windows), (8, 0));
}

#[test]
fn bounds_of_one_number_leave_nothing_to_move() {
    let signals = SignalSink::default();
    let options = OPTIONS.bounds(1, 1).min_samples(1).window(Duration::ZERO);
    let limit = AdaptiveLimit::unbound(options, &signals);
    for name in ["load.high", "load.low"].repeat(10) {
        signals.raise(name);
        limit.begin().success();
        limit.begin().dropped();
        assert_eq!(limit.limit(), 1);
    }
    assert!(limit.stats().windows > 10);
}

#[test]
fn thousands_of_samples_on_many_threads_all_come_back() {
    let signals = SignalSink::default();
    let options = OPTIONS.min_samples(5).window(Duration::ZERO);
    let told = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&told);
    let setter = SetWith(move |limit| {
        assert!((2..=64).contains(&limit));
        tell.store(limit, Ordering::SeqCst);
    });
    let limit = AdaptiveLimit::new(setter, options, &signals);
    thread::scope(|threads| {
        for number in 0..8_usize {
            let (limit, signals) = (&limit, &signals);
            threads.spawn(move || {
                let mut held: Vec<Sample> = Vec::new();
                for turn in 0..3_000 {
                    held.push(limit.begin());
                    if held.len() > number {
                        let judgement =
                            [Judgement::Success, Judgement::Ignored, Judgement::Dropped][turn % 3];
                        held.swap_remove(turn % held.len()).record(judgement);
                    }
                    if turn % 500 == 0 {
                        signals.raise("load.high");
                    }
                }
            });
        }
    });
    let stats = limit.stats();
    assert_eq!((stats.in_flight, stats.panics, stats.limit), (0, 0, told.load(Ordering::SeqCst)));
}
