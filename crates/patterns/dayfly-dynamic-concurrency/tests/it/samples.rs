//! Samples, and what they do to the limit.

use std::time::Duration;

use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions, Judgement, MeasureError, Sample};
use dayfly_signal::SignalSink;
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);

/// A window is over after four samples and 10 ms.
const OPTIONS: AdaptiveLimitOptions =
    AdaptiveLimitOptions::new().bounds(2, 100).initial(16).min_samples(4).window(Duration::from_millis(10));

fn limit(options: AdaptiveLimitOptions) -> AdaptiveLimit {
    AdaptiveLimit::unbound(options, &SignalSink::default())
}

/// As many calls at once as the limit allows, all of which take this long.
async fn round(limit: &AdaptiveLimit, time: Duration, judgement: Judgement) {
    let samples: Vec<Sample> = (0..limit.limit()).map(|_| limit.begin()).collect();
    advance(time).await;
    for sample in samples {
        sample.record(judgement);
    }
}

/// A limit that knows that 10 ms are normal.
async fn warm(options: AdaptiveLimitOptions) -> AdaptiveLimit {
    let limit = limit(options);
    round(&limit, 10 * MS, Judgement::Success).await;
    assert!(limit.stats().is_probing, "what it does not know it measures first");
    assert_eq!(limit.limit(), 8);
    round(&limit, 10 * MS, Judgement::Success).await;
    let stats = limit.stats();
    assert_eq!((stats.limit, stats.is_probing), (16, false));
    assert!(stats.baseline.unwrap() > 9 * MS && stats.baseline.unwrap() <= 10 * MS);
    limit
}

#[tokio::test(start_paused = true)]
async fn while_latency_stays_the_limit_grows_by_its_root_up_to_the_ceiling() {
    let limit = warm(OPTIONS.bounds(2, 30)).await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        round(&limit, 10 * MS, Judgement::Success).await;
        seen.push(limit.limit());
    }
    assert_eq!(seen, [20, 24, 29, 30, 30, 30]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_used_does_not_grow() {
    let limit = warm(OPTIONS).await;
    for _ in 0..40 {
        let samples: Vec<Sample> = (0..7).map(|_| limit.begin()).collect();
        advance(10 * MS).await;
        samples.into_iter().for_each(Sample::success);
    }
    assert_eq!(limit.limit(), 16);
    let samples: Vec<Sample> = (0..8).map(|_| limit.begin()).collect();
    advance(10 * MS).await;
    samples.into_iter().for_each(Sample::success);
    assert_eq!(limit.limit(), 20);
}

#[tokio::test(start_paused = true)]
async fn where_latency_is_over_what_is_tolerated_the_limit_falls_by_as_much() {
    let limit = warm(OPTIONS).await;
    round(&limit, 20 * MS, Judgement::Success).await;
    assert!((11..=12).contains(&limit.limit()), "a quarter less, but for the grain of the table");
    round(&limit, 100 * MS, Judgement::Success).await;
    assert_eq!(limit.limit(), 6, "half at most");
}

#[tokio::test(start_paused = true)]
async fn timeouts_count_as_drops_and_their_latency_is_not_believed() {
    let limit = warm(OPTIONS).await;
    for expected in [8, 4, 2, 2, 2] {
        round(&limit, 5_000 * MS, Judgement::Dropped).await;
        // At the floor there are too few at once to end a window.
        round(&limit, 5_000 * MS, Judgement::Dropped).await;
        assert!(limit.limit() <= expected);
    }
    assert_eq!((limit.limit(), limit.stats().drops > 8), (2, true));
    assert!(limit.stats().baseline.unwrap() <= 10 * MS);
    // It recovers as soon as calls are answered.
    for _ in 0..40 {
        round(&limit, 10 * MS, Judgement::Success).await;
    }
    assert!(limit.limit() > 50);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_is_dropped_together_is_one_reduction() {
    let limit = warm(OPTIONS).await;
    let before = limit.stats().stale;
    let samples: Vec<Sample> = (0..16).map(|_| limit.begin()).collect();
    advance(5_000 * MS).await;
    samples.into_iter().for_each(Sample::dropped);
    assert_eq!((limit.limit(), limit.stats().drops, limit.stats().stale - before), (8, 4, 12));
}

#[tokio::test(start_paused = true)]
async fn a_slow_timeout_is_heard_among_quick_answers() {
    let limit = warm(OPTIONS).await;
    let slow: Vec<Sample> = (0..4).map(|_| limit.begin()).collect();
    for _ in 0..10 {
        round(&limit, 10 * MS, Judgement::Success).await;
    }
    let before = limit.stats();
    assert!(before.limit > 30, "many a limit has come and gone meanwhile");
    advance(10 * MS).await;
    slow.into_iter().for_each(Sample::dropped);
    let after = limit.stats();
    assert_eq!((after.limit, after.drops, after.stale), (before.limit / 2, 4, before.stale));
}

#[tokio::test(start_paused = true)]
async fn latency_of_before_a_change_is_stale() {
    let signals = SignalSink::default();
    let limit = AdaptiveLimit::unbound(OPTIONS, &signals);
    let early: Vec<Sample> = (0..16).map(|_| limit.begin()).collect();
    advance(100 * MS).await;
    signals.raise("load.high");
    early.into_iter().for_each(Sample::success);
    let stats = limit.stats();
    assert_eq!((stats.stale, stats.windows, stats.baseline, stats.limit), (16, 0, None, 32));
}

#[tokio::test(start_paused = true)]
async fn one_measurement_does_not_raise_the_baseline_more_than_twofold() {
    let limit = warm(OPTIONS.probe_every(Duration::from_secs(1))).await;
    let before = limit.stats().baseline.unwrap();
    advance(Duration::from_secs(1)).await;
    // Half of it is in use, so this is measured without lowering anything.
    let samples: Vec<Sample> = (0..8).map(|_| limit.begin()).collect();
    advance(10_000 * MS).await;
    samples.into_iter().for_each(Sample::success);
    assert_eq!(limit.stats().baseline.unwrap(), 2 * before);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_slower_for_good_is_not_held_at_the_floor() {
    let limit = warm(OPTIONS).await;
    let began = Instant::now();
    while limit.stats().baseline.unwrap() < 900 * MS {
        round(&limit, 1_000 * MS, Judgement::Success).await;
        assert!(began.elapsed() < Duration::from_secs(120), "it stays with {:?}", limit.stats());
    }
    for _ in 0..20 {
        round(&limit, 1_000 * MS, Judgement::Success).await;
    }
    assert!(limit.limit() > 20);
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_is_healthy_counts_as_a_drop_whatever_became_of_it() {
    let limit = warm(OPTIONS.max_latency(1_000 * MS)).await;
    for (at, judgement) in
        [Judgement::Success, Judgement::Ignored, Judgement::Dropped].into_iter().enumerate()
    {
        let before = limit.limit();
        round(&limit, 1_001 * MS, judgement).await;
        assert_eq!(limit.limit(), before / 2, "{at}");
    }
    let samples: Vec<Sample> = (0..4).map(|_| limit.begin()).collect();
    advance(1_001 * MS).await;
    drop(samples);
    assert_eq!(limit.limit(), 2, "also when its caller has given up");
    let drops = limit.stats().drops;
    limit.begin().ignored();
    assert_eq!(limit.stats().drops, drops);
}

#[tokio::test(start_paused = true)]
async fn without_a_bound_on_latency_whoever_gives_up_says_nothing() {
    let limit = warm(OPTIONS).await;
    round(&limit, 100_000 * MS, Judgement::Ignored).await;
    let stats = limit.stats();
    assert_eq!((stats.limit, stats.drops, stats.in_flight), (16, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_step_in_the_middle_of_a_probe_steps_from_the_limit_before_it() {
    let signals = SignalSink::default();
    let limit = AdaptiveLimit::unbound(OPTIONS, &signals);
    round(&limit, 10 * MS, Judgement::Success).await;
    assert!(limit.stats().is_probing);
    signals.raise("load.high");
    assert_eq!((limit.limit(), limit.stats().is_probing), (32, false));
}

#[tokio::test(start_paused = true)]
async fn signals_that_come_often_do_not_hide_drops() {
    let signals = SignalSink::default();
    let limit = AdaptiveLimit::unbound(OPTIONS, &signals);
    for name in ["load.high", "load.low"].repeat(2) {
        let sample = limit.begin();
        advance(5 * MS).await;
        signals.raise(name);
        assert_eq!(limit.stats().windows, 0);
        sample.dropped();
    }
    assert_eq!((limit.stats().windows, limit.limit()), (1, 8));
}

#[tokio::test(start_paused = true)]
async fn while_halving_halves_latency_it_is_halved_again() {
    let limit = limit(OPTIONS.initial(64));
    // A server with eight workers and 10 ms for a call, so each wave of eight waits for the one before.
    for expected in [32, 16, 8, 4, 8] {
        let waves = u32::try_from(limit.limit().div_ceil(8)).unwrap();
        round(&limit, waves * 10 * MS, Judgement::Success).await;
        assert_eq!(limit.limit(), expected);
    }
    assert!(limit.stats().baseline.unwrap() <= 10 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_measured_and_its_outcome_comes_back() {
    let limit = limit(OPTIONS);
    let slow = || async {
        sleep(10 * MS).await;
        Ok::<_, &str>(7)
    };
    assert_eq!(limit.measure(slow()).await, Ok(7));
    assert_eq!(limit.measure(async { Err::<(), _>("no") }).await, Err("no"));
    assert_eq!(limit.measure_judged(async { 503 }, |_| Judgement::Dropped).await, 503);
    assert_eq!(limit.measure_within(11 * MS, slow()).await, Ok(7));
    assert_eq!(limit.measure_within(9 * MS, slow()).await, Err(MeasureError::TimedOut));
    assert_eq!(
        limit.measure_within(Duration::MAX, async { Err::<(), _>("no") }).await,
        Err(MeasureError::Inner("no"))
    );
    assert_eq!(limit.measure_within(Duration::ZERO, slow()).await, Err(MeasureError::TimedOut));
    let stats = limit.stats();
    assert_eq!((stats.in_flight, stats.drops), (0, 3));
}
