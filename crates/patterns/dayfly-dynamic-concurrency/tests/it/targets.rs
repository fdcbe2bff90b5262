//! What can be moved.

use std::sync::Arc;

use dayfly::{
    Coordinator, CoordinatorOptions, KeyedCoordinator, LaneOptions, PriorityCoordinator, ResultCoordinator,
};
use dayfly_dynamic_concurrency::{
    AdaptiveLimit, AdaptiveLimitOptions, AdaptiveLimitStats, Judgement, MeasureError, Sample, SetLimit,
    SetWith,
};
use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions, Limiter, LimiterOptions};
use dayfly_signal::SignalSink;

const OPTIONS: AdaptiveLimitOptions = AdaptiveLimitOptions::new().initial(7);

fn moved(limit: impl SetLimit + 'static) -> (AdaptiveLimit, SignalSink) {
    let signals = SignalSink::default();
    (AdaptiveLimit::new(limit, OPTIONS, &signals), signals)
}

#[tokio::test(start_paused = true)]
async fn every_coordinator_and_every_limiter_can_be_moved() {
    let (signals, work) = (SignalSink::default(), CoordinatorOptions::new());
    let plain = Coordinator::spawn(work.clone(), &signals, |(): (), _| async {});
    let keyed = KeyedCoordinator::spawn(work.clone(), &signals, |key: &u32| *key, |_, _| async {});
    let results =
        ResultCoordinator::spawn(work.clone(), &signals, |n: u32, _| async move { Ok::<_, String>(n) });
    let lanes = [LaneOptions::new("one")];
    let urgent = PriorityCoordinator::spawn(work, lanes, &signals, |(): (), _| async {}).unwrap();
    let _moving = [
        moved(plain.clone()),
        moved(keyed.downgrade()),
        moved(results.clone()),
        moved(Arc::new(urgent.clone())),
    ];
    let limits =
        [plain.stats(), keyed.stats(), results.stats(), urgent.stats()].map(|stats| stats.max_concurrency);
    assert_eq!(limits, [7; 4]);

    let (limiter, keys) = (Limiter::with_limit(1), KeyedLimiter::<u32>::new(KeyedLimiterOptions::new()));
    let _moving = [moved(limiter.clone()), moved(keys.clone())];
    assert_eq!((limiter.limit(), keys.stats().limit), (7, 7));
    // Whatever is asked for, nobody is told zero.
    SetLimit::set_limit(&limiter, 0);
    assert_eq!(limiter.limit(), 1);
    let none = Limiter::new(LimiterOptions::new().allow_zero());
    SetLimit::set_limit(&none, 0);
    assert_eq!(none.limit(), 1);
}

#[test]
fn another_one_can_be_moved_in_its_place() {
    let (first, second) = (Limiter::with_limit(1), Limiter::with_limit(1));
    let (limit, signals) = moved(first.clone());
    limit.bind(second.clone());
    assert_eq!((first.limit(), second.limit()), (7, 7));
    signals.raise("load.high");
    assert_eq!((first.limit(), second.limit()), (7, 14));
}

#[tokio::test(start_paused = true)]
async fn it_is_watched() {
    let (limit, signals) = moved(Limiter::default());
    let mut shown = limit.watch();
    assert_eq!(*shown.borrow_and_update(), 7);
    limit.bind(Limiter::default());
    assert!(!shown.has_changed().unwrap(), "what is the same has not changed");
    signals.raise("load.high");
    shown.changed().await.unwrap();
    assert_eq!(*shown.borrow_and_update(), 14);
    drop(limit);
    assert!(shown.changed().await.is_err());
}

#[test]
fn everything_can_go_between_threads_and_says_what_it_is() {
    fn goes<T: Send + Sync + std::fmt::Debug>() {}
    fn is_sent<T: Send>(_: &T) {}
    goes::<AdaptiveLimit>();
    goes::<AdaptiveLimitOptions>();
    goes::<AdaptiveLimitStats>();
    goes::<Judgement>();
    goes::<MeasureError<String>>();
    goes::<Sample>();
    goes::<SetWith<fn(usize)>>();
    let limit = AdaptiveLimit::unbound(OPTIONS, &SignalSink::default());
    is_sent(&limit.measure(async { Ok::<_, ()>(()) }));
    is_sent(&limit.measure_within(std::time::Duration::MAX, async { Ok::<_, ()>(()) }));
    assert_eq!(format!("{:?}", limit.begin()), "Sample { .. }");
    assert_eq!(format!("{limit:?}"), "AdaptiveLimit { limit: 7, in_flight: 0, baseline: None, .. }");
}
