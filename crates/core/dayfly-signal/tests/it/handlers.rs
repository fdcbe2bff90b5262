//! Async handlers: in order, bounded, contained.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use dayfly_signal::{Signal, SignalSink};
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};
use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use crate::support::raise_all;

type Log = Arc<Mutex<Vec<String>>>;

#[tokio::test(start_paused = true)]
async fn events_are_handled_one_after_the_other() {
    let (signals, log) = (SignalSink::default(), Log::default());
    let seen = Arc::clone(&log);
    let handler = signals.handle_async("a.*", 8, move |signal: Signal| {
        let seen = Arc::clone(&seen);
        async move {
            seen.lock().unwrap().push(format!("begin {signal}"));
            tokio::task::yield_now().await;
            seen.lock().unwrap().push(format!("end {signal}"));
        }
    });
    for name in ["a.1", "b", "a.2"] {
        signals.raise(name);
    }
    handler.finish().await;
    assert_eq!(*log.lock().unwrap(), ["begin a.1", "end a.1", "begin a.2", "end a.2"]);
    signals.raise("a.3");
    settle().await;
    assert_eq!(log.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_loses_the_oldest_and_counts_them() {
    let (signals, log) = (SignalSink::default(), Log::default());
    let (seen, gate) = (Arc::clone(&log), Arc::new(Semaphore::new(0)));
    let pass = Arc::clone(&gate);
    let handler = signals.handle_async("*", 2, move |signal: Signal| {
        let (seen, pass) = (Arc::clone(&seen), Arc::clone(&pass));
        async move {
            pass.acquire().await.unwrap().forget();
            seen.lock().unwrap().push(signal.to_string());
        }
    });
    signals.raise("0");
    settle().await;
    for number in 1..6 {
        signals.raise(&number.to_string());
    }
    gate.add_permits(10);
    settle().await;
    assert_eq!(*log.lock().unwrap(), ["0", "4", "5"]);
    assert_eq!((handler.handled(), handler.dropped()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_its_event_only() {
    let signals = SignalSink::default();
    let handler = signals.handle_async("a.*", 8, |signal: Signal| {
        assert!(signal.name() != "a.early", "before the first await");
        async move {
            tokio::task::yield_now().await;
            assert!(signal.name() != "a.late", "after an await");
        }
    });
    for name in ["a.early", "a.late", "a.fine"] {
        signals.raise(name);
    }
    settle().await;
    assert_eq!((handler.handled(), handler.panicked()), (3, 2));
    assert_eq!(signals.history("sink.callback.panicked").len(), 2);
}

#[test]
fn finishing_can_be_dropped_at_every_moment() {
    drop_at_every_poll(
        || {
            let (signals, log) = (SignalSink::default(), Log::default());
            let seen = Arc::clone(&log);
            let handler = signals.handle_async("*", 8, move |signal: Signal| {
                let seen = Arc::clone(&seen);
                async move {
                    tokio::task::yield_now().await;
                    seen.lock().unwrap().push(signal.to_string());
                }
            });
            raise_all(&signals, &["a", "b"]);
            (signals, log, Arc::new(Mutex::new(Some(handler))))
        },
        |(_, _, handler)| async move {
            let handler = handler.lock().unwrap().take().unwrap();
            handler.finish().await;
        },
        |(signals, log, handler), point| async move {
            settle().await;
            if point == DropPoint::Completed {
                assert_eq!(*log.lock().unwrap(), ["a", "b"]);
            }
            drop(handler.lock().unwrap().take());
            settle().await;
            let before = log.lock().unwrap().len();
            signals.raise("c");
            settle().await;
            assert_eq!(log.lock().unwrap().len(), before, "an ended handler is told nothing");
        },
    );
}

#[tokio::test(start_paused = true)]
async fn a_future_that_panics_as_it_goes_costs_its_event_only() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a future that cannot go quietly");
        }
    }
    let signals = SignalSink::default();
    let handler = signals.handle_async("a", 8, |_| {
        let bomb = Bomb;
        std::future::poll_fn(move |_| {
            let _bomb = &bomb;
            std::task::Poll::Ready(())
        })
    });
    signals.raise("a");
    signals.raise("a");
    settle().await;
    assert_eq!((handler.handled(), handler.panicked()), (2, 2));
    handler.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_raises_what_it_hears_can_be_finished() {
    let signals = SignalSink::default();
    let (raiser, times) = (signals.clone(), Arc::new(AtomicUsize::new(0)));
    let handler = signals.handle_async("a", 8, move |_| {
        let (raiser, times) = (raiser.clone(), Arc::clone(&times));
        async move {
            tokio::task::yield_now().await;
            assert!(times.fetch_add(1, Ordering::SeqCst) < 1_000, "it goes on for ever");
            raiser.raise("a");
        }
    });
    signals.raise("a");
    settle().await;
    handler.finish().await;
    assert!(signals.history("sink.callback.panicked").is_empty(), "it takes no more events");
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_counts_at_once_however_long_the_handler_is_busy() {
    let signals = SignalSink::default();
    let handler = signals.handle_async("a.*", 2, |_| std::future::pending());
    signals.raise("a.first");
    settle().await;
    raise_all(&signals, &["a.1", "a.2", "a.3", "a.4", "a.5"]);
    assert_eq!((handler.dropped(), handler.handled()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn what_comes_once_the_end_was_asked_for_is_not_taken() {
    let (signals, log) = (SignalSink::default(), Log::default());
    let seen = Arc::clone(&log);
    let handler = signals.handle_async("a.*", 8, move |signal: Signal| {
        seen.lock().unwrap().push(signal.to_string());
        tokio::task::yield_now()
    });
    raise_all(&signals, &["a.1", "a.2"]);
    let mut finish = std::pin::pin!(handler.finish());
    assert!((&mut finish).now_or_never().is_none());
    // The handler has not had its first turn yet.
    signals.raise("a.late");
    finish.await;
    assert_eq!(*log.lock().unwrap(), ["a.1", "a.2"]);
}
