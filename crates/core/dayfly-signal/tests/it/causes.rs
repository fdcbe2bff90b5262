//! Chains of causes: what may follow what.

use dayfly_signal::{Blocked, Draft, Signal, SignalOptions, SignalSink};

/// Raises each name in answer to the one before it; the first is a root.
fn chain(signals: &SignalSink, names: &[&str]) -> Result<Signal, Blocked> {
    let mut last = None;
    for name in names {
        let id = match &last {
            None => signals.raise(*name),
            Some(cause) => signals.raise_caused(*name, cause)?,
        };
        last = signals.history(*name).into_iter().find(|signal| signal.id() == id);
    }
    Ok(last.unwrap())
}

#[test]
fn a_caused_signal_names_its_cause_and_its_depth() {
    let signals = SignalSink::default();
    let last = chain(&signals, &["a", "b", "c"]).unwrap();
    assert_eq!((last.depth(), last.cause().map(dayfly_signal::SignalId::get)), (3, Some(2)));
    let [root] = &signals.history("a")[..] else { panic!("one root") };
    assert_eq!((root.depth(), root.cause()), (1, None));
}

#[test]
fn a_chain_ends_at_its_greatest_depth() {
    let signals = SignalSink::new(SignalOptions::new().max_depth(3));
    assert_eq!(chain(&signals, &["a", "b", "c", "d"]).unwrap_err(), Blocked::TooDeep { max_depth: 3 });
    assert!(!signals.has("d"));
}

#[test]
fn sixteen_signals_fit_into_a_chain_by_default() {
    let signals = SignalSink::default();
    let names: Vec<String> = (0..17).map(|number| format!("n{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(chain(&signals, &names[..16]).unwrap().depth(), 16);
    assert_eq!(chain(&signals, &names).unwrap_err(), Blocked::TooDeep { max_depth: 16 });
}

#[test]
fn a_name_is_never_among_its_own_causes() {
    let signals = SignalSink::default();
    assert_eq!(chain(&signals, &["a", "b", "a"]).unwrap_err(), Blocked::Cycle { name: "a".into() });
    assert_eq!(chain(&signals, &["a", "a"]).unwrap_err(), Blocked::Cycle { name: "a".into() });
    let [cause, ..] = &signals.history("b")[..] else { panic!("b was raised") };
    assert!(signals.raise_caused(Draft::from("a").key("k"), cause).is_ok(), "another key is another signal");
}

#[test]
fn nothing_follows_a_terminal_name() {
    let signals = SignalSink::new(SignalOptions::new().terminal("fatal.*"));
    let error = chain(&signals, &["a", "fatal.disk", "b"]).unwrap_err();
    assert_eq!(error, Blocked::AfterTerminal { name: "fatal.disk".into() });
    assert_eq!(error.to_string(), "nothing may follow `fatal.disk`");
}

#[test]
fn a_leaf_is_raised_without_a_chain() {
    let signals = SignalSink::new(SignalOptions::new().leaf("log.*"));
    let leaf = chain(&signals, &["a", "b", "log.line"]).unwrap();
    assert_eq!((leaf.cause(), leaf.depth()), (None, 1));
    assert!(signals.raise_caused("a", &leaf).is_ok(), "what stood before a leaf is not among its causes");
}

#[test]
fn a_blocked_signal_changes_nothing() {
    let signals = SignalSink::new(SignalOptions::new().max_depth(1));
    signals.raise("a");
    let before = signals.newest();
    assert!(signals.raise_caused("b", &signals.history("a")[0]).is_err());
    assert_eq!((signals.newest(), signals.is_raised("b")), (before, false));
}

#[test]
fn a_leaf_may_follow_the_deepest_and_nothing_follows_it_there() {
    let signals = SignalSink::new(SignalOptions::new().leaf("log.*").max_depth(3));
    let deepest = chain(&signals, &["a", "b", "c"]).unwrap();
    assert_eq!(signals.raise_caused("d", &deepest), Err(Blocked::TooDeep { max_depth: 3 }));
    signals.raise_caused("log.line", &deepest).unwrap();
    let leaf = signals.history("log.line").pop().unwrap();
    assert_eq!((leaf.cause(), leaf.depth()), (None, 1));
    for behind in ["d", "log.line", "log.other"] {
        assert_eq!(signals.raise_caused(behind, &leaf), Err(Blocked::TooDeep { max_depth: 3 }), "{behind}");
    }
}
