//! Explores models, and says how many orders of steps each has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fan_out::Job;
use loom::model::Builder;

use crate::{engine, figures, lanes, latches, passes, raises, rows, windows};

/// One model.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// What it is called.
    pub name: &'static str,
    /// One order of its steps.
    pub run: fn(),
    /// How far it is explored.
    pub size: Size,
}

/// How many orders of steps a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Few: all of them are explored.
    Small,
    /// Many: those with so many preemptions, in a full run and otherwise.
    Large(usize, usize),
}

/// No model is explored for longer.
const LONGEST: Duration = Duration::from_secs(600);

impl Size {
    const fn bound(self, is_full: bool) -> Option<usize> {
        match self {
            Self::Small => None,
            Self::Large(full, quick) => Some(if is_full { full } else { quick }),
        }
    }
}

/// Runs the models whose names contain one of the words. Says whether all of them hold.
pub fn run(words: &[String], is_full: bool) -> bool {
    let job = |model: Model| Job {
        arguments: vec![model.name.to_owned(), is_full.to_string()],
        again: format!("cargo xtask models {}, with LOOM_LOG=trace for its steps", model.name),
    };
    let is_wanted = |model: &Model| words.is_empty() || words.iter().any(|word| model.name.contains(&**word));
    let jobs: Vec<_> = all().into_iter().filter(is_wanted).map(job).collect();
    if jobs.is_empty() {
        return true;
    }
    println!("loom: {} models", jobs.len());
    let sum = fan_out::run(&jobs);
    let verdict = if sum.failed == 0 { "passed" } else { "FAILED" };
    println!("loom: {verdict}, {} models, {} executions in {:.1} s", jobs.len(), sum.count, sum.seconds);
    sum.failed == 0
}

/// Explores one model in this process.
pub fn alone(name: &str, is_full: bool) -> bool {
    let Some(model) = all().into_iter().find(|model| model.name == name) else { return false };
    model.explore(is_full);
    true
}

fn all() -> Vec<Model> {
    [
        engine::MODELS,
        figures::MODELS,
        lanes::MODELS,
        latches::MODELS,
        passes::MODELS,
        raises::MODELS,
        rows::MODELS,
        windows::MODELS,
    ]
    .concat()
}

impl Model {
    /// Panics when the model does not hold.
    fn explore(&self, is_full: bool) {
        let mut builder = Builder::new();
        builder.preemption_bound = self.size.bound(is_full);
        builder.max_branches = 10_000;
        builder.max_duration = Some(LONGEST);
        let executions = Arc::new(AtomicUsize::new(0));
        let (counted, run) = (Arc::clone(&executions), self.run);
        let start = Instant::now();
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            run();
        });
        let (name, count) = (self.name, executions.load(Ordering::Relaxed));
        let extent = match self.size.bound(is_full) {
            _ if start.elapsed() >= LONGEST => "cut short".to_owned(),
            None => "all orders".to_owned(),
            Some(bound) => format!("{bound} preemptions"),
        };
        let seconds = start.elapsed().as_secs_f64();
        println!("{count}\t{name:<42} {count:>9} executions {seconds:>6.1} s  {extent}");
    }
}
