//! Schedules against the plainest way to say them, and the bounds of jitter.

use proptest::prelude::*;

use super::*;

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::from_nanos(1)),
        Just(Duration::MAX),
        (0_u64..10_000_000_000).prop_map(Duration::from_nanos),
        (any::<u64>(), 0_u32..1_000_000_000).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
    ]
}

fn retries() -> impl Strategy<Value = u32> {
    prop_oneof![1_u32..200, any::<u32>(), Just(u32::MAX)]
}

fn jitters() -> impl Strategy<Value = Jitter> {
    prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal), Just(Jitter::Decorrelated)]
}

fn backoffs() -> impl Strategy<Value = Backoff> {
    let factors = prop_oneof![Just(1.0), Just(1.5), Just(2.0), Just(f64::MAX), 1.0..100.0_f64];
    let schedules = prop_oneof![
        durations().prop_map(Backoff::constant),
        durations().prop_map(Backoff::linear),
        (durations(), factors).prop_map(|(first, factor)| Backoff::exponential(first).factor(factor)),
        proptest::collection::vec(durations(), 1..=16).prop_map(|delays| Backoff::listed(&delays)),
    ];
    let caps = proptest::option::of(durations());
    (schedules, caps, jitters()).prop_map(|(backoff, cap, jitter)| {
        let backoff = backoff.jitter(jitter);
        cap.map_or(backoff, |cap| backoff.cap(cap))
    })
}

/// The delay without jitter, one retry after the other in whole numbers, for factors that are whole.
fn naive(schedule: &Schedule, cap: Duration, retry: u32) -> u128 {
    let nanos = match schedule {
        Schedule::Constant(delay) => delay.as_nanos(),
        Schedule::Linear(step) => (0..retry).map(|_| step.as_nanos()).fold(0, u128::saturating_add),
        Schedule::Exponential { first, factor } => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the test's are whole"
            )]
            let factor = *factor as u128;
            (1..retry).fold(first.as_nanos(), |delay, _| delay.saturating_mul(factor))
        }
        Schedule::Listed { delays, count } => {
            let mut listed = delays[..*count].iter();
            let mut last = listed.next().unwrap();
            for _ in 1..retry {
                last = listed.next().unwrap_or(last);
            }
            last.as_nanos()
        }
    };
    nanos.min(cap.as_nanos())
}

proptest! {
    #[test]
    fn a_schedule_is_what_counting_it_out_gives(
        first in 0_u64..1_000_000_000_000,
        cap in 0_u64..1_000_000_000_000_000,
        factor in 1_u32..12,
        list in proptest::collection::vec(0_u64..1_000_000_000_000, 1..=16),
        retry in 1_u32..300,
    ) {
        let nanos = Duration::from_nanos;
        let list: Vec<Duration> = list.into_iter().map(nanos).collect();
        let schedules = [
            Backoff::constant(nanos(first)),
            Backoff::linear(nanos(first)),
            Backoff::exponential(nanos(first)).factor(f64::from(factor)),
            Backoff::listed(&list),
        ];
        for backoff in schedules {
            let backoff = backoff.cap(nanos(cap));
            let expected = naive(&backoff.schedule, backoff.cap, retry);
            prop_assert_eq!(backoff.delay(retry, 0).as_nanos(), expected, "{:?}", backoff);
        }
    }

    #[test]
    fn a_fractional_factor_is_as_near_as_repeated_multiplication(
        first in 1_u64..1_000_000_000,
        factor in 1.01_f64..5.0,
        retry in 1_u32..40,
    ) {
        let backoff = Backoff::exponential(Duration::from_nanos(first)).factor(factor).cap(Duration::MAX);
        let mut expected = Duration::from_nanos(first).as_secs_f64();
        for _ in 1..retry {
            expected *= factor;
        }
        let expected = expected.min(Duration::MAX.as_secs_f64());
        let delay = backoff.delay(retry, 0).as_secs_f64();
        prop_assert!((delay - expected).abs() <= expected * 1e-12 + 1e-9, "{delay} for {expected}");
    }

    #[test]
    fn no_value_overflows_and_no_delay_is_beyond_the_cap(
        backoff in backoffs(),
        retry in retries(),
        seed in any::<u64>(),
    ) {
        prop_assert!(backoff.delay(retry, seed) <= backoff.cap);
        prop_assert_eq!(backoff.delay(0, seed), Duration::ZERO);
    }

    #[test]
    fn jitter_stays_within_its_bounds(backoff in backoffs(), retry in retries(), seed in any::<u64>()) {
        let plain = backoff.jitter(Jitter::None).delay(retry, seed);
        prop_assert!(backoff.jitter(Jitter::Full).delay(retry, seed) <= plain);
        let equal = backoff.jitter(Jitter::Equal).delay(retry, seed);
        prop_assert!(equal <= plain && equal >= plain / 2, "{equal:?} for {plain:?}");
        let least = backoff.jitter(Jitter::None).delay(1, seed);
        let decorrelated = backoff.jitter(Jitter::Decorrelated);
        let delay = decorrelated.delay(retry, seed);
        let before = if retry == 1 { least } else { decorrelated.delay(retry - 1, seed) };
        prop_assert!(delay >= least, "{delay:?} for {least:?}");
        let most = before.saturating_mul(3).max(least).min(backoff.cap);
        prop_assert!(delay <= most || (retry - 1) % 64 == 0, "{delay:?} after {before:?}");
    }

    #[test]
    fn the_iterator_gives_what_each_retry_gives(backoff in backoffs(), seed in any::<u64>(), skip in 0_usize..100) {
        let one_by_one: Vec<Duration> = (1..=150).map(|retry| backoff.delay(retry, seed)).collect();
        let delays: Vec<Duration> = backoff.delays(seed).take(150).collect();
        prop_assert_eq!(&delays, &one_by_one);
        prop_assert_eq!(backoff.delays(seed).nth(skip), Some(one_by_one[skip]));
    }

    #[test]
    fn without_jitter_an_exponential_delay_never_becomes_shorter(
        first in durations(),
        factor in 1.01_f64..10.0,
        retry in 1_u32..100_000,
    ) {
        let backoff = Backoff::exponential(first).factor(factor).cap(Duration::MAX);
        prop_assert!(backoff.delay(retry, 0) <= backoff.delay(retry + 1, 0));
    }
}

#[test]
fn the_cap_cuts_no_delay_that_was_written_out() {
    let hour = Duration::from_secs(3_600);
    assert_eq!(Backoff::constant(hour).delay(1, 0), hour);
    assert_eq!(Backoff::linear(hour).delay(9, 0), hour);
    assert_eq!(Backoff::exponential(hour).delay(1, 0), hour);
    assert_eq!(Backoff::listed(&[hour, Duration::ZERO]).longest(), hour);
    let minute = Duration::from_secs(60);
    assert_eq!(Backoff::exponential(Duration::from_millis(1)).delay(1_000, 0), minute);
    assert_eq!(Backoff::constant(hour).cap(minute).delay(1, 0), minute);
}

#[test]
fn nothing_grows_to_nothing_and_anything_else_to_the_cap() {
    let cap = Duration::from_secs(60);
    for retry in [1, 2, 3, u32::MAX] {
        assert_eq!(Backoff::exponential(Duration::ZERO).factor(f64::MAX).delay(retry, 0), Duration::ZERO);
        let least = Backoff::exponential(Duration::from_nanos(1)).factor(f64::MAX).delay(retry, 0);
        assert_eq!(least, if retry == 1 { Duration::from_nanos(1) } else { cap });
    }
}

#[test]
fn full_jitter_fills_its_range_and_seeds_differ() {
    let backoff = Backoff::constant(Duration::from_secs(100)).jitter(Jitter::Full);
    let mut tenths = [0_u32; 10];
    for seed in 0..10_000 {
        let tenth = backoff.delay(1, seed).as_secs() / 10;
        tenths[usize::try_from(tenth).unwrap().min(9)] += 1;
    }
    assert!(tenths.iter().all(|count| (850..1_150).contains(count)), "{tenths:?}");
}

#[test]
fn decorrelated_jitter_grows_up_to_the_cap() {
    let first = Duration::from_millis(10);
    let backoff = Backoff::exponential(first).cap(Duration::from_secs(10)).jitter(Jitter::Decorrelated);
    let mean = |retry| (0..1_000).map(|seed| backoff.delay(retry, seed)).sum::<Duration>() / 1_000;
    let means = [mean(1), mean(4), mean(8), mean(64)];
    assert!(means.is_sorted(), "{means:?}");
    // Drawn between 10 and 30 ms.
    assert!(mean(1) > Duration::from_millis(18) && mean(1) < Duration::from_millis(22), "{means:?}");
    // The chain does not begin again from the bottom.
    assert!(mean(65) > Duration::from_secs(2), "{:?}", mean(65));
}

#[test]
fn wrong_values_name_their_rule() {
    let message = |wrong: fn() -> Backoff| {
        let panic = std::panic::catch_unwind(wrong).unwrap_err();
        let owned = panic.downcast_ref::<String>().cloned();
        owned.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
    };
    let factor = "factor must be a finite number of at least 1";
    for times in [
        || Backoff::exponential(Duration::ZERO).factor(0.5),
        || Backoff::exponential(Duration::ZERO).factor(f64::NAN),
    ] {
        assert_eq!(message(times), factor);
    }
    assert_eq!(message(|| Backoff::exponential(Duration::ZERO).factor(f64::INFINITY)), factor);
    let elsewhere = "a factor belongs to an exponential backoff";
    assert_eq!(message(|| Backoff::constant(Duration::ZERO).factor(2.0)), elsewhere);
    assert_eq!(message(|| Backoff::listed(&[])), "listed must have at least one delay");
    assert_eq!(message(|| Backoff::listed(&[Duration::ZERO; 17])), "listed must have at most 16 delays");
}
