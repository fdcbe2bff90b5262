//! Plays scenarios under shuttle's schedulers, and says how it went.

use std::path::{Path, PathBuf};
use std::time::Instant;

use fan_out::Job;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner, replay_from_file};

use crate::arguments::{Alone, Arguments};
use crate::scenarios::{SCENARIOS, Scenario};

/// How many preemptions PCT places in a schedule, and one more.
const DEPTH: usize = 3;

/// A schedule of so many steps goes round in circles: the longest honest ones have a few thousand.
const STEPS: usize = 200_000;

/// Plays what is wanted. Says whether everything held.
pub fn run(arguments: &Arguments) -> bool {
    let wanted: Vec<_> = SCENARIOS.iter().filter(|scenario| arguments.wants(scenario.name)).collect();
    if wanted.is_empty() {
        return true;
    }
    if let Some(file) = &arguments.replay {
        for scenario in wanted {
            replay_from_file(scenario.run, file);
        }
        return true;
    }
    let (seed, half) = (arguments.seed, (arguments.schedules / 2).max(1));
    let jobs: Vec<_> = wanted
        .iter()
        .flat_map(|scenario| [true, false].map(|is_random| (scenario.name, is_random)))
        .map(|(name, is_random)| Job {
            arguments: Alone { name: name.to_owned(), is_random, seed, schedules: half }.words(),
            again: format!(
                "cargo xtask models --seed {seed} {name}, or with --replay and the file named above"
            ),
        })
        .collect();
    println!("shuttle: {} scenarios, {} schedules of each, seed {seed}", wanted.len(), 2 * half);
    let sum = fan_out::run(&jobs);
    let verdict = if sum.failed == 0 { "passed" } else { "FAILED" };
    let rate = u32::try_from(sum.count).map_or(f64::INFINITY, f64::from) / sum.seconds;
    println!(
        "shuttle: {verdict}, {} scenarios, {} schedules in {:.1} s, {rate:.0} a second",
        wanted.len(),
        sum.count,
        sum.seconds
    );
    sum.failed == 0
}

/// Plays one scenario under one scheduler in this process. Panics when it does not hold.
pub fn alone(alone: &Alone) -> bool {
    let Some(scenario) = SCENARIOS.iter().find(|scenario| scenario.name == alone.name) else { return false };
    let Scenario { name, run } = *scenario;
    let start = Instant::now();
    let schedules = if alone.is_random {
        Runner::new(RandomScheduler::new_from_seed(alone.seed, alone.schedules), config()).run(run)
    } else {
        Runner::new(PctScheduler::new_from_seed(alone.seed, DEPTH, alone.schedules), config()).run(run)
    };
    let chosen_by = if alone.is_random { "random" } else { "pct" };
    let seconds = start.elapsed().as_secs_f64();
    println!("{schedules}\t{name:<34} {chosen_by:<7} {schedules:>8} schedules {seconds:>6.1} s");
    true
}

fn config() -> Config {
    let mut config = Config::new();
    config.max_steps = MaxSteps::FailAfter(STEPS);
    config.silence_warnings = true;
    config.stack_size = 0x2_0000;
    config.failure_persistence = FailurePersistence::File(Some(failures()));
    // What a failed schedule leaves behind is dropped nowhere: destructors that wait could not be played to their end.
    config.ungraceful_shutdown_config.immediately_return_on_panic = true;
    config
}

/// Where schedules that failed are kept: beside the program, which stands in a folder that nobody commits.
fn failures() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().map(Path::to_path_buf).unwrap_or_default()
}
