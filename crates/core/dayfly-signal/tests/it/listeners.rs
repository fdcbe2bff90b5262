//! Callbacks: in the raiser's call, in order, contained.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use dayfly_signal::{Listener, OperationId, Signal, SignalKind, SignalOptions, SignalSink, SignalSource};
use tokio::time::Instant;

type Log = Arc<Mutex<Vec<String>>>;

fn log_to(log: &Log) -> impl Fn(&Signal) + Send + Sync + use<> {
    let log = Arc::clone(log);
    move |signal| log.lock().unwrap().push(signal.to_string())
}

#[test]
fn a_callback_is_told_before_the_raise_returns() {
    let (signals, log) = (SignalSink::default(), Log::default());
    let listener = signals.listen("a.*", log_to(&log));
    signals.raise("a.x:1");
    signals.raise("b");
    assert_eq!(*log.lock().unwrap(), ["a.x:1"]);
    drop(listener);
    signals.raise("a.y");
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[test]
fn a_panic_is_contained_and_the_others_are_still_called() {
    let (signals, log) = (SignalSink::default(), Log::default());
    let _first = signals.listen("a", |_| panic!("a callback that cannot cope"));
    let _second = signals.listen("a", log_to(&log));
    signals.raise("a");
    signals.raise("a");
    assert_eq!(*log.lock().unwrap(), ["a", "a"]);
    assert_eq!(signals.history("sink.callback.panicked").len(), 2);
}

#[test]
fn what_a_callback_raises_is_caused_and_comes_after() {
    let (signals, log) = (SignalSink::default(), Log::default());
    let raiser = signals.clone();
    let _answers = signals.listen("a", move |_| {
        raiser.raise("b");
        raiser.raise("c");
    });
    let _log = signals.listen("*", log_to(&log));
    let root = signals.raise("a");
    assert_eq!(*log.lock().unwrap(), ["a", "b", "c"], "everybody hears of `a` before anybody hears of `b`");
    let [b] = &signals.history("b")[..] else { panic!("one b") };
    assert_eq!((b.cause(), b.depth()), (Some(root), 2));
}

#[test]
fn every_loop_of_callbacks_ends() {
    let signals = SignalSink::new(SignalOptions::new().leaf("leaf"));
    let raiser = signals.clone();
    let _ping = signals.listen("ping", move |_| {
        raiser.raise("pong");
    });
    let raiser = signals.clone();
    let _pong = signals.listen("pong", move |_| {
        raiser.raise("ping");
    });
    signals.raise("ping");
    assert_eq!(signals.history("ping, pong").len(), 2);
    assert_eq!(signals.history("sink.blocked")[0].payload(), Some("`ping` would be among its own causes"));

    let raiser = signals.clone();
    let _leaf = signals.listen("leaf", move |_| {
        raiser.raise("leaf");
    });
    signals.raise("leaf");
    assert_eq!(
        signals.history("leaf").len(),
        17,
        "a leaf has no chain, but nobody is told of the one behind the depth"
    );
}

#[test]
fn a_callback_may_use_its_sink_as_it_likes() {
    let signals = SignalSink::default();
    let own = signals.clone();
    let log = Log::default();
    let seen = Arc::clone(&log);
    let _listener = signals.listen("a", move |signal| {
        seen.lock().unwrap().push(format!("{:?}", signal.kind()));
        if signal.kind() == SignalKind::Raised {
            assert!(own.is_raised("a"));
            own.retract("a");
            let _other = own.listen("b", |_| ());
            own.clear();
        }
    });
    signals.raise("a");
    assert!(!signals.is_raised("a"));
    assert!(!signals.has("sink.callback.panicked"));
    assert_eq!(*log.lock().unwrap(), ["Raised", "Retracted"], "it is told of its own retraction, afterwards");
}

#[test]
fn a_loop_over_two_sinks_ends_too() {
    let (one, other) = (SignalSink::default(), SignalSink::default());
    let to_other = other.clone();
    let _there = one.listen("a", move |_| {
        to_other.raise("b");
    });
    let to_one = one.clone();
    let _back = other.listen("b", move |_| {
        to_one.raise("a");
    });
    one.raise("a");
    assert_eq!((one.history("a").len(), other.history("b").len()), (1, 1));
    let b = &other.history("b")[0];
    assert_eq!((b.cause(), b.depth()), (None, 2), "an id of another sink means nothing here");
    assert!(one.has("sink.blocked"));
}

#[test]
fn a_callback_that_panics_as_it_goes_costs_later_raises_nothing() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a callback that cannot go quietly");
        }
    }
    let (signals, log) = (SignalSink::default(), Log::default());
    let own: Arc<Mutex<Option<Listener>>> = Arc::default();
    let (bomb, itself) = (Bomb, Arc::clone(&own));
    let listener = signals.listen("a", move |_| {
        let _bomb = &bomb;
        drop(itself.lock().unwrap().take());
    });
    *own.lock().unwrap() = Some(listener);
    let _log = signals.listen("*", log_to(&log));
    signals.raise("a");
    signals.raise("b");
    assert_eq!(*log.lock().unwrap(), ["a", "b"]);
    assert_eq!(signals.history("b")[0].depth(), 1, "nothing is being told any more that could be its cause");
}

#[test]
fn a_raise_at_the_very_end_of_a_thread_is_recorded() {
    /// With a reading of the clock, since Tokio's own cannot be read any more by then where tests may pause it.
    struct Farewell(RefCell<Option<(SignalSource, Instant)>>);
    impl Drop for Farewell {
        fn drop(&mut self) {
            if let Some((source, now)) = self.0.take() {
                source.raise_at("farewell", now);
            }
        }
    }
    thread_local! {
        static FAREWELL: Farewell = const { Farewell(RefCell::new(None)) };
    }
    let (signals, log) = (SignalSink::default(), Log::default());
    let _log = signals.listen("*", log_to(&log));
    let leaving = signals.clone();
    let thread = std::thread::spawn(move || {
        // It comes before what the delivery needs, so it goes after it.
        let source = leaving.source(OperationId::next());
        FAREWELL.with(|farewell| farewell.0.replace(Some((source, Instant::now()))));
        leaving.raise("here");
    });
    thread.join().unwrap();
    assert!(signals.has("farewell"));
    assert_eq!(log.lock().unwrap()[0], "here");
}

#[test]
fn what_has_no_chain_of_causes_makes_no_endless_loop_either() {
    let loops: [fn(&SignalSink, &Signal); 3] = [
        |sink, _| {
            sink.clear();
        },
        |sink, event| match event.kind() {
            SignalKind::Raised => drop(sink.retract(event.name())),
            _ => drop(sink.raise(if event.name() == "x" { "y" } else { "x" })),
        },
        |sink, event| {
            if event.kind() == SignalKind::Raised {
                drop(sink.hold("x"));
            }
        },
    ];
    for (number, make) in loops.into_iter().enumerate() {
        let signals = SignalSink::new(SignalOptions::new().max_depth(5));
        let (sink, told) = (signals.clone(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&told);
        let looping = signals.listen("x,y,sink.cleared", move |event| {
            assert!(count.fetch_add(1, Ordering::SeqCst) < 1_000, "it never ends");
            make(&sink, event);
        });
        signals.raise("x");
        let (told, blocked) = (told.load(Ordering::SeqCst), signals.history("sink.blocked"));
        assert!((5..64).contains(&told) && !blocked.is_empty(), "loop {number}: told {told} times");
        assert!(blocked[0].payload().unwrap().ends_with("5 events led to it already"), "{}", blocked[0]);
        drop(looping);

        let heard = Log::default();
        let _listener = signals.listen("z", log_to(&heard));
        signals.raise("z");
        assert_eq!(
            *heard.lock().unwrap(),
            ["z"],
            "whoever is told of nothing this time is told of the next event"
        );
    }
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_the_news() {
    struct Rude;
    impl Wake for Rude {
        fn wake(self: Arc<Self>) {
            panic!("do not disturb");
        }
    }
    let (signals, log) = (SignalSink::default(), Log::default());
    let _listener = signals.listen("x", log_to(&log));
    let mut wait = pin!(signals.raised("x"));
    assert!(wait.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::new(Rude)))).is_pending());
    signals.raise("x");
    assert_eq!(*log.lock().unwrap(), ["x"]);
    assert!(wait.poll(&mut Context::from_waker(Waker::noop())).is_ready());
}
