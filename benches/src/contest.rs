//! The runner: rounds are interleaved and rotated, so that what disturbs the machine disturbs everybody.

use std::time::Instant;

use crate::allocations;

/// Rounds that count; one more warms up.
const ROUNDS: usize = 11;

/// One question, asked to several contenders. The first one is the one that the others are compared with.
pub struct Contest<'a> {
    title: String,
    operations: u64,
    contenders: Vec<Contender<'a>>,
}

struct Contender<'a> {
    name: String,
    run: Box<dyn FnMut(u64) + 'a>,
    /// Nanoseconds and allocations per operation, by round.
    rounds: Vec<(f64, f64)>,
}

impl<'a> Contest<'a> {
    /// A question whose every round does so many operations.
    pub fn new(title: impl Into<String>, operations: u64) -> Self {
        Self { title: title.into(), operations, contenders: Vec::new() }
    }

    /// Adds a contender: `run` does that many operations and returns when all are done.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, run: impl FnMut(u64) + 'a) -> Self {
        self.contenders.push(Contender { name: name.into(), run: Box::new(run), rounds: Vec::new() });
        self
    }

    /// Runs all rounds and prints the table.
    pub fn run(mut self) {
        let count = self.contenders.len();
        for round in 0..=ROUNDS {
            for turn in 0..count {
                let contender = &mut self.contenders[(round + turn) % count];
                let (before, start) = (allocations::count(), Instant::now());
                (contender.run)(self.operations);
                let nanos = start.elapsed().as_nanos() as f64 / self.operations as f64;
                let allocations = (allocations::count() - before) as f64 / self.operations as f64;
                if round > 0 {
                    contender.rounds.push((nanos, allocations));
                }
            }
        }
        self.print();
    }

    fn print(&self) {
        println!(
            "\n{}: ns per operation, {ROUNDS} paired rounds of {} operations\n",
            self.title, self.operations
        );
        println!("| | median | lower quartile | min to max | ratio to the first | alloc |");
        println!("|---|---|---|---|---|---|");
        let first = &self.contenders[0].rounds;
        for contender in &self.contenders {
            let times = sorted(contender.rounds.iter().map(|round| round.0));
            let ratios = sorted(contender.rounds.iter().zip(first).map(|(own, first)| own.0 / first.0));
            let allocations = sorted(contender.rounds.iter().map(|round| round.1));
            println!(
                "| {} | {:.1} | {:.1} | {:.1} to {:.1} | {:.2} ({:.2} to {:.2}) | {:.2} |",
                contender.name,
                times[ROUNDS / 2],
                times[ROUNDS / 4],
                times[0],
                times[ROUNDS - 1],
                ratios[ROUNDS / 2],
                ratios[0],
                ratios[ROUNDS - 1],
                allocations[ROUNDS / 2],
            );
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}
