//! What went wrong elsewhere, as traces: each shows that the original formula goes wrong in them, and that ours does not.

#![expect(clippy::cast_precision_loss, reason = "the figures of a trace are far from 2^52")]

use std::path::Path;

use crate::simulator::ours::Ours;
use crate::simulator::scenarios::{
    ChangingCapacity, LongIncident, ModestOverload, StableTimeout, StaleSamples,
};
use crate::simulator::world::{Point, run};
use crate::simulator::{MILLISECOND, plots};

const SEEDS: [u64; 2] = [1, 2];

/// The part of a trace between two seconds.
fn between(trace: &[Point], from: u64, to: u64) -> &[Point] {
    let at = |second: u64| trace.partition_point(|point| point.second < second as f64);
    &trace[at(from)..at(to)]
}

fn highest(trace: &[Point]) -> usize {
    trace.iter().map(|point| point.limit).max().unwrap()
}

/// How many calls were answered in a second.
fn rate(trace: &[Point]) -> f64 {
    let seconds = trace.last().unwrap().second - trace[0].second;
    trace.iter().map(|point| point.answered).sum::<u64>() as f64 / seconds
}

/// The mean of what was measured, in milliseconds.
fn latency(trace: &[Point]) -> f64 {
    let ended = || trace.iter().filter_map(|point| point.latency);
    ended().sum::<u64>() as f64 / ended().count() as f64 / MILLISECOND as f64
}

/// The middle one of the limits, so that a moment of probing does not count.
fn usual(trace: &[Point]) -> usize {
    let mut limits: Vec<usize> = trace.iter().map(|point| point.limit).collect();
    limits.sort_unstable();
    limits[limits.len() / 2]
}

#[test]
fn netflix_137_every_call_times_out_and_the_limit_does_not_grow() {
    let (scenario, ends) = (StableTimeout::scenario(), StableTimeout::ENDS);
    for seed in SEEDS {
        let original = run(&scenario, seed, StableTimeout::original());
        assert_eq!(usual(between(&original, 60, ends)), 200, "the original takes timeouts for normal");
        assert!(latency(between(&original, ends + 40, ends + 90)) > 900.0, "and never notices");

        let ours = run(&scenario, seed, Ours::new(StableTimeout::options()));
        assert!(highest(&ours[1..]) <= 40);
        assert_eq!(highest(between(&ours, 60, ends)), 4, "drops bring it to the floor, and not below");
        let after = between(&ours, ends + 20, ends + 90);
        assert!((20..=40).contains(&usual(after)) && rate(after) > 190.0, "it recovers");
        assert!(latency(after) < 200.0);
    }
}

#[test]
fn netflix_134_a_modest_overload_does_not_creep_up() {
    for seed in SEEDS {
        let original = run(&ModestOverload::scenario(), seed, ModestOverload::original());
        let at = |second| usual(between(&original, second, second + 20));
        assert!(
            at(100) < at(200) && at(200) < at(400) && at(400) < at(580) && at(580) > 80,
            "the original creeps"
        );

        let ours = run(&ModestOverload::scenario(), seed, Ours::new(ModestOverload::options()));
        let settled = between(&ours, 20, 600);
        assert!(highest(settled) <= 36 && rate(settled) > 195.0 && latency(settled) < 165.0);
    }
}

#[test]
fn failsafe_127_a_long_incident_is_never_taken_for_normal() {
    let (begins, ends) = (LongIncident::BEGINS, LongIncident::ENDS);
    for seed in SEEDS {
        let original = run(&LongIncident::scenario(), seed, LongIncident::original());
        let in_it = |second| usual(between(&original, begins + second, begins + second + 10));
        assert!(in_it(170) > in_it(80), "the original grows again while nothing is better");
        assert!(highest(between(&original, begins, ends)) >= 15);

        let ours = run(&LongIncident::scenario(), seed, Ours::new(LongIncident::options()));
        assert_eq!(highest(between(&ours, begins + 30, ends)), 4);
        let baselines = ours.iter().filter_map(|point| point.baseline);
        assert!(baselines.max().unwrap() < 120 * MILLISECOND, "nothing of it is believed");
        let after = between(&ours, ends + 15, ends + 100);
        assert!((20..=40).contains(&usual(after)) && rate(after) > 190.0, "it recovers");
    }
}

#[test]
fn envoy_11579_what_began_before_a_measurement_is_not_measured() {
    for seed in SEEDS {
        let baseline = |trace: &[Point]| trace.iter().filter_map(|point| point.baseline).max().unwrap();

        let original = run(&StaleSamples::scenario(), seed, StaleSamples::original());
        let at_first = baseline(between(&original, 0, 10));
        assert!(at_first < 120 * MILLISECOND, "the first one has nothing stale to measure");
        let later = [20, 40, 80].map(|second| baseline(between(&original, second, second + 20)));
        assert!(later[0] > 3 * at_first && later[2] > 10 * at_first, "and from then on it climbs: {later:?}");
        assert_eq!(highest(between(&original, 40, 120)), 1_000);

        let ours = run(&StaleSamples::scenario(), seed, Ours::new(StaleSamples::options()));
        assert!(baseline(&ours) < 120 * MILLISECOND);
        assert!(highest(&ours) <= 50 && rate(between(&ours, 5, 120)) > 185.0);
    }
}

#[test]
fn the_limit_follows_what_the_server_can_do_both_ways() {
    type When = ChangingCapacity;
    for seed in SEEDS {
        let trace = run(&When::scenario(), seed, Ours::new(When::options()));
        let fewer = between(&trace, When::FEWER + 15, When::AGAIN);
        assert!((8..=16).contains(&usual(fewer)) && rate(fewer) > 70.0 && latency(fewer) < 200.0);
        let again = between(&trace, When::AGAIN + 15, When::SLOWER);
        assert!((20..=40).contains(&usual(again)) && rate(again) > 190.0);
        let slower = between(&trace, When::SLOWER + 40, When::QUIET);
        assert!((20..=40).contains(&usual(slower)) && rate(slower) > 45.0, "it is not stuck at the floor");
        let quiet = between(&trace, When::QUIET + 10, When::BUSY);
        assert_eq!(highest(quiet), quiet[0].limit, "what is not used does not grow");
        assert!(highest(&trace) <= 60);
    }
}

#[test]
fn one_seed_gives_one_trace() {
    let trace = |seed| {
        let points = run(&StaleSamples::scenario(), seed, Ours::new(StaleSamples::options()));
        points.iter().map(|point| (point.limit, point.latency, point.baseline)).collect::<Vec<_>>()
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
}

#[test]
fn the_plots_show_what_is_simulated_today() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/plots");
    for (name, drawn) in plots::all() {
        let kept = std::fs::read_to_string(folder.join(name)).unwrap();
        // Not `assert_eq!`: nobody wants to read two of them.
        assert!(
            kept == drawn,
            "{name} is stale: run `cargo run -p dayfly-dynamic-concurrency --example plots`"
        );
    }
}
