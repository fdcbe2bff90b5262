//! Options that are followed at work.

use dayfly::{CoordinatorOptions, Fixed, Reconfigure, SignalSink};
use dayfly_keyed_sequential::{
    GivenUp, KeyedSequential, Parked, ParkedWatch, SequentialOptions, SequentialReport,
};

use crate::support::{Item, World, options, spawn};

#[tokio::test(start_paused = true)]
async fn limits_are_followed_and_what_holds_from_the_start_on_is_named() {
    let work = spawn(CoordinatorOptions::new(), &SignalSink::default(), &World::default());
    let changed = options(CoordinatorOptions::new().max_concurrency(3));
    work.reconfigure(&changed).unwrap();
    assert_eq!(work.stats().max_concurrency, 3);
    let fixed = work.check(&changed.clone().parked_signal("other")).unwrap_err();
    assert_eq!(fixed, Fixed::new("parked_signal"));
    let fixed = options(CoordinatorOptions::new().defer_on("stop"));
    assert_eq!(work.reconfigure(&fixed), Err(Fixed::new("defer_on")));
    work.set_max_concurrency(5);
    assert_eq!(work.stats().max_concurrency, 5);
    assert_eq!(work.options(), &SequentialOptions::new());
}

#[test]
#[should_panic(expected = "max_concurrency_per_key must be 1")]
fn several_of_one_key_at_once_are_a_programmers_error() {
    let _ = options(CoordinatorOptions::new().max_concurrency_per_key(2));
}

#[test]
#[should_panic(expected = "parked_signal must not be blank")]
fn a_blank_signal_is_a_programmers_error() {
    let _ = SequentialOptions::new().parked_signal(" ");
}

#[test]
fn handles_and_what_they_tell_go_anywhere() {
    fn anywhere<A: Send + Sync + std::fmt::Debug + Clone>() {}
    anywhere::<KeyedSequential<String, Item>>();
    anywhere::<ParkedWatch<String, Item>>();
    anywhere::<Parked<String>>();
    anywhere::<GivenUp<String, Item>>();
    anywhere::<SequentialReport<String, Item>>();
    anywhere::<SequentialOptions>();
}
