//! The plots in `docs/plots`: each trace under the original formula and under ours.

use super::drawing::{Line, Panel, Plot};
use super::ours::Ours;
use super::scenarios::{ChangingCapacity, LongIncident, ModestOverload, StableTimeout, StaleSamples};
use super::world::{Point, Scenario, TICK, run};
use super::{MILLISECOND, Nanos, SECOND};

const SEED: u64 = 1;
const ORIGINAL: &str = "#c0392b";
const OURS: &str = "#1f6fb2";

/// Each plot with the name of its file.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    let server = "20 workers, 100 ms ± 10 % for a call, FIFO queue, 1,000 calls/s wanted, timeout 5,000 ms; limit 4 to 200";
    vec![
        (
            "stable-timeout.svg",
            draw(
                "Every call times out until 120 s (Netflix concurrency-limits 137)",
                &server.replace("limit 4 to 200", "others: 1,400 calls at 0 s, then 195/s"),
                &StableTimeout::scenario(),
                (200.0, 6_000.0),
                Some(run(&StableTimeout::scenario(), SEED, StableTimeout::original())),
                run(&StableTimeout::scenario(), SEED, Ours::new(StableTimeout::options())),
            ),
        ),
        (
            "modest-overload.svg",
            draw(
                "A modest overload (Netflix concurrency-limits 134)",
                &server.replace("1,000 calls/s", "400 calls/s"),
                &ModestOverload::scenario(),
                (120.0, 600.0),
                Some(run(&ModestOverload::scenario(), SEED, ModestOverload::original())),
                run(&ModestOverload::scenario(), SEED, Ours::new(ModestOverload::options())),
            ),
        ),
        (
            "long-incident.svg",
            draw(
                "Each answer is 2,500 ms late from 60 s to 300 s (failsafe-go 127)",
                &server.replace("timeout 5,000 ms", "max_latency 2,000 ms"),
                &LongIncident::scenario(),
                (60.0, 4_000.0),
                Some(run(&LongIncident::scenario(), SEED, LongIncident::original())),
                run(&LongIncident::scenario(), SEED, Ours::new(LongIncident::options())),
            ),
        ),
        (
            "stale-samples.svg",
            draw(
                "What is measured every 10 s is stale (Envoy 11579)",
                &server.replace("4 to 200", "4 to 1,000; tolerance 2"),
                &StaleSamples::scenario(),
                (1_000.0, 6_000.0),
                Some(run(&StaleSamples::scenario(), SEED, StaleSamples::original())),
                run(&StaleSamples::scenario(), SEED, Ours::new(StaleSamples::options())),
            ),
        ),
        (
            "changing-capacity.svg",
            draw(
                "8 workers from 60 s, 20 from 120 s, 400 ms from 180 s, 5 calls/s from 300 s to 330 s",
                server,
                &ChangingCapacity::scenario(),
                (60.0, 1_600.0),
                None,
                run(&ChangingCapacity::scenario(), SEED, Ours::new(ChangingCapacity::options())),
            ),
        ),
    ]
}

fn draw(
    title: &str,
    parameters: &str,
    scenario: &Scenario,
    (top_limit, top_latency): (f64, f64),
    original: Option<Vec<Point>>,
    ours: Vec<Point>,
) -> String {
    let (mut limits, mut latencies, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    let traces = original.into_iter().map(|trace| ("original", ORIGINAL, trace));
    for (name, color, trace) in traces.chain([("dayfly", OURS, ours)]) {
        let line = |is_dashed, name, points| Line { name, color, is_dashed, points };
        limits.push(line(
            false,
            name,
            trace.iter().map(|point| (point.second, point.limit as f64)).collect(),
        ));
        latencies.push(line(false, name, shown(&trace, |point| point.latency)));
        let baseline = if color == OURS { "dayfly's baseline" } else { "original's baseline" };
        latencies.push(line(true, baseline, shown(&trace, |point| point.baseline)));
        let (answered, timed_out) = if color == OURS {
            ("answered", "timed out")
        } else {
            ("original, answered", "original, timed out")
        };
        rates.push(line(false, answered, per_second(&trace, |point| point.answered)));
        rates.push(line(true, timed_out, per_second(&trace, |point| point.timed_out)));
    }
    let panels = vec![
        Panel { label: "limit (calls at once)", top: top_limit, lines: limits },
        Panel { label: "latency (ms)", top: top_latency, lines: latencies },
        Panel { label: "calls/s", top: 240.0, lines: rates },
    ];
    Plot { title, parameters, seconds: scenario.seconds as f64, panels }.draw()
}

fn shown(trace: &[Point], figure: impl Fn(&Point) -> Option<Nanos>) -> Vec<(f64, f64)> {
    let milliseconds = |time: Nanos| time as f64 / MILLISECOND as f64;
    trace.iter().filter_map(|point| Some((point.second, milliseconds(figure(point)?)))).collect()
}

/// The sum over five seconds, as a rate.
fn per_second(trace: &[Point], figure: impl Fn(&Point) -> u64) -> Vec<(f64, f64)> {
    let ticks = usize::try_from(5 * SECOND / TICK).expect("it is a small number");
    let rate = |points: &[Point]| (points[0].second, points.iter().map(&figure).sum::<u64>() as f64 / 5.0);
    trace.chunks_exact(ticks).map(rate).collect()
}
