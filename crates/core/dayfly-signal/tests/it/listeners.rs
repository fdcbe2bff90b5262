//! Callbacks: in the raiser's call, in order, contained.

use std::sync::{Arc, Mutex};

use dayfly_signal::{SignalKind, SignalOptions, SignalSink};

type Log = Arc<Mutex<Vec<String>>>;

fn log_to(log: &Log) -> impl Fn(&dayfly_signal::Signal) + Send + Sync + use<> {
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
    assert_eq!(signals.history("leaf").len(), 16, "a leaf has no chain, but its depth is kept");
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
