//! Runs scenarios under shuttle's schedulers, on as many threads as there are cores, and says how it went.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner, replay_from_file};

use crate::arguments::Arguments;
use crate::scenarios::{SCENARIOS, Scenario};

/// How many preemptions PCT places in a schedule, and one more.
const DEPTH: usize = 3;

/// A schedule of so many steps goes round in circles: the longest honest ones have a few thousand.
const STEPS: usize = 200_000;

/// One scenario under one scheduler.
struct Run {
    scenario: &'static Scenario,
    is_random: bool,
    seed: u64,
}

/// Runs what is wanted. Says whether everything held.
pub fn run(arguments: &Arguments) -> bool {
    let wanted: Vec<_> = SCENARIOS.iter().filter(|scenario| arguments.wants(scenario.name)).collect();
    if let Some(file) = &arguments.replay {
        wanted.iter().for_each(|scenario| replay_from_file(scenario.run, file));
        return true;
    }
    let half = (arguments.schedules / 2).max(1);
    let seeds = wanted.iter().zip(arguments.seed..);
    let runs: Vec<_> = seeds
        .flat_map(|(scenario, seed)| [true, false].map(|is_random| Run { scenario, is_random, seed }))
        .collect();
    println!("shuttle: {} scenarios, {} schedules of each, seed {}", wanted.len(), 2 * half, arguments.seed);
    let start = Instant::now();
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let line = Mutex::new(());
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores.min(runs.len()) {
            scope.spawn(|| {
                while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = run.explore(half);
                    let _line = line.lock();
                    match told {
                        Ok(told) => println!("{told}"),
                        Err(told) => {
                            failed.store(true, Ordering::Relaxed);
                            println!("{told}");
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    let verdict = if failed { "FAILED" } else { "passed" };
    println!("shuttle: {verdict}, {} schedules in {:.1} s", runs.len() * half, start.elapsed().as_secs_f64());
    !failed
}

impl Run {
    fn explore(&self, schedules: usize) -> Result<String, String> {
        let mut config = Config::new();
        config.max_steps = MaxSteps::FailAfter(STEPS);
        config.silence_warnings = true;
        config.stack_size = 0x2_0000;
        config.failure_persistence = FailurePersistence::File(Some(PathBuf::from(".")));
        let (seed, run) = (self.seed, self.scenario.run);
        let start = Instant::now();
        let explored = catch_unwind(AssertUnwindSafe(|| {
            if self.is_random {
                Runner::new(RandomScheduler::new_from_seed(seed, schedules), config).run(run)
            } else {
                Runner::new(PctScheduler::new_from_seed(seed, DEPTH, schedules), config).run(run)
            }
        }));
        let (name, seconds) = (self.scenario.name, start.elapsed().as_secs_f64());
        let scheduler = if self.is_random { "random" } else { "pct" };
        match explored {
            Ok(schedules) => {
                Ok(format!("  {name:<42} {scheduler:<7} {schedules:>8} schedules {seconds:>7.1} s"))
            }
            Err(_) => Err(format!(
                "  {name:<42} {scheduler:<7}   FAILED after {seconds:.1} s\n    again: cargo xtask models --seed {seed} \
                 {name}, or with --replay and the file named above"
            )),
        }
    }
}
