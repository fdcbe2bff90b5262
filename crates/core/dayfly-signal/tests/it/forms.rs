//! The forms that names, patterns and ids come in, and what they look like to whoever prints them.

use dayfly_signal::{
    Draft, Lagged, OperationId, PatternSet, SignalId, SignalOptions, SignalPattern, SignalSink,
};

#[test]
fn a_pattern_and_a_set_are_the_same_whatever_they_are_made_of() {
    let pattern = SignalPattern::new("order.*");
    assert_eq!(SignalPattern::from("order.*"), pattern);
    assert_eq!(SignalPattern::from("order.*".to_owned()), pattern);
    assert_eq!("order.*".parse(), Ok(pattern.clone()));
    assert_eq!(pattern.to_string(), "order.*");

    let text = "order.*,cache.?iss".to_owned();
    let set = PatternSet::from(&text);
    assert_eq!(PatternSet::from(text.as_str()), set);
    assert_eq!(PatternSet::from(text), set);
    let texts = ["order.*", " cache.?iss ", " "];
    assert_eq!(PatternSet::from(texts), set);
    assert_eq!(PatternSet::from(texts.to_vec()), set);
    assert_eq!(PatternSet::from(texts.map(str::to_owned)), set);
    assert_eq!(texts.iter().map(ToString::to_string).collect::<PatternSet>(), set);
    let patterns = [pattern.clone(), SignalPattern::new("cache.?iss")];
    assert_eq!(PatternSet::from(patterns.clone()), set);
    assert_eq!(PatternSet::from(&pattern).and(&patterns[1]), set);
    for (name, is_meant) in [("order.paid", true), ("cache.miss", true), ("cache.iss", false)] {
        assert_eq!(set.matches(name), is_meant, "{name}");
    }
}

#[test]
fn ids_are_written_as_their_numbers() {
    let id = OperationId::from_u64(u64::MAX).unwrap();
    assert_eq!(format!("{id:>22}"), format!("{:>22}", u64::MAX));
    assert_eq!(OperationId::from_u64(0), None);
    let sink = SignalSink::default();
    let first: SignalId = sink.raise("first");
    let second = sink.raise("second");
    assert_eq!(second.to_string(), (first.get() + 1).to_string());
}

#[test]
fn ids_that_are_drawn_together_are_as_many_as_asked_for_and_nobody_elses() {
    let before = OperationId::next();
    let mut block = OperationId::block(3);
    assert_eq!(block.size_hint(), (3, Some(3)));
    let drawn: Vec<_> = block.by_ref().collect();
    assert!(drawn.len() == 3 && drawn.is_sorted() && drawn[0] > before);
    assert!(OperationId::next() > drawn[2]);
    assert_eq!((block.next(), OperationId::block(0).next()), (None, None));
}

#[test]
fn a_draft_names_what_its_handle_stands_for() {
    let sink = SignalSink::default();
    let handle = sink.handle("order.paid:77");
    let draft = Draft::from(&handle);
    assert_eq!((draft.name(), draft.key_text()), ("order.paid", handle.key()));
    assert_eq!(format!("{handle:?}"), "SignalHandle { name: \"order.paid\", key: None }");
}

#[test]
fn a_handle_of_another_sink_means_the_same_name_here() {
    let (here, there) = (SignalSink::default(), SignalSink::default());
    let elsewhere = there.handle("order.paid");
    assert!(!here.retract(&elsewhere), "nothing of this name is raised here");
    here.raise(&elsewhere);
    assert_eq!((here.is_raised("order.paid"), there.is_raised("order.paid")), (true, false));
    assert!(here.retract(&elsewhere));
    assert!(!here.is_raised("order.paid"));
}

#[test]
fn events_are_resolved_in_the_order_that_is_asked_for() {
    let sink = SignalSink::new(SignalOptions::new().capacity(3));
    let ids: Vec<_> = ["a", "b", "c", "d"].into_iter().map(|name| sink.raise(name)).collect();
    let names: Vec<_> =
        sink.events(&[ids[3], ids[0], ids[2]]).iter().map(|signal| signal.name().to_owned()).collect();
    assert_eq!(names, ["d", "c"], "the first has been displaced");
}

#[test]
fn lag_says_how_much_was_lost() {
    assert_eq!(Lagged(7).to_string(), "the subscription lagged behind and lost 7 events");
}

#[test]
#[should_panic(expected = "the capacity of a subscription must be at least 1")]
fn a_subscription_without_room_is_a_programmers_error() {
    SignalSink::default().subscribe("*").set_capacity(0);
}

#[test]
fn what_registers_says_so_without_what_it_holds() {
    let sink = SignalSink::default();
    let listener = sink.listen("*", |_| ());
    assert_eq!(format!("{listener:?}"), "Listener { .. }");
}
