//! The runner: rounds are interleaved and rotated, so that what disturbs the machine disturbs everybody.

use std::any::Any;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use crate::allocations;
use crate::arguments::Arguments;

/// Asks questions as the command line wants them asked.
#[derive(Debug)]
pub struct Runner {
    arguments: Arguments,
    /// Titles that the command line did not ask for.
    passed_over: Vec<String>,
    asked: usize,
    broken: usize,
}

impl Runner {
    /// A runner for this process's command line. Ends the process if there is no sense in it.
    pub fn from_command_line() -> Self {
        match Arguments::parse(env::args().skip(1)) {
            Ok(arguments) => Self { arguments, passed_over: Vec::new(), asked: 0, broken: 0 },
            Err(wrong) => {
                eprintln!("{wrong}");
                std::process::exit(2);
            }
        }
    }

    /// Runs all rounds and prints the table, if it is asked for.
    pub fn ask(&mut self, mut contest: Contest<'_>) {
        if self.arguments.ask_for(&contest.title) {
            contest.run(self.arguments.rounds);
            contest.print(self.arguments.rounds);
            self.asked += 1;
            self.broken += contest.contenders.iter().filter(|contender| contender.broken.is_some()).count();
        } else {
            self.passed_over.push(contest.title);
        }
    }

    /// What the process ends with: a failure if anybody broke.
    pub fn end(self) -> ExitCode {
        if self.asked == 0 {
            eprintln!("nothing was asked for; there are: {}", self.passed_over.join("; "));
        }
        if self.broken > 0 {
            eprintln!("{} contenders broke: their rows are no figures", self.broken);
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}

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
    /// What it said when it panicked; it takes part no more.
    broken: Option<String>,
}

impl<'a> Contest<'a> {
    /// A question whose every round does so many operations.
    pub fn new(title: impl Into<String>, operations: u64) -> Self {
        Self { title: title.into(), operations, contenders: Vec::new() }
    }

    /// Adds a contender: `run` does that many operations and returns when all are done.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, run: impl FnMut(u64) + 'a) -> Self {
        let (name, run) = (name.into(), Box::new(run));
        self.contenders.push(Contender { name, run, rounds: Vec::new(), broken: None });
        self
    }

    fn run(&mut self, rounds: usize) {
        let count = self.contenders.len();
        for round in 0..=rounds {
            for turn in 0..count {
                self.contenders[(round + turn) % count].take_turn(self.operations, round > 0);
            }
        }
    }

    fn print(&self, rounds: usize) {
        println!(
            "\n{}: ns per operation, {rounds} paired rounds of {} operations\n",
            self.title, self.operations
        );
        println!("| | median | lower quartile | min to max | ratio to the first | alloc |");
        println!("|---|---|---|---|---|---|");
        let first = &self.contenders[0];
        for contender in &self.contenders {
            if let Some(panic) = &contender.broken {
                println!("| {} | **broken**: {panic} | | | | |", contender.name);
                continue;
            }
            let times = sorted(contender.rounds.iter().map(|round| round.0));
            let allocations = sorted(contender.rounds.iter().map(|round| round.1));
            println!(
                "| {} | {:.1} | {:.1} | {:.1} to {:.1} | {} | {:.2} |",
                contender.name,
                times[rounds / 2],
                times[rounds / 4],
                times[0],
                times[rounds - 1],
                contender.ratio_to(first),
                allocations[rounds / 2],
            );
        }
    }
}

impl Contender<'_> {
    fn take_turn(&mut self, operations: u64, counts: bool) {
        if self.broken.is_some() {
            return;
        }
        let (before, start) = (allocations::count(), Instant::now());
        let ended = catch_unwind(AssertUnwindSafe(|| (self.run)(operations)));
        let nanos = start.elapsed().as_nanos() as f64 / operations as f64;
        let allocations = (allocations::count() - before) as f64 / operations as f64;
        match ended {
            Ok(()) if counts => self.rounds.push((nanos, allocations)),
            Ok(()) => {}
            Err(panic) => self.broken = Some(text_of(&*panic)),
        }
    }

    /// The median of the paired rounds, and their spread; nothing to compare with if the first one is broken.
    fn ratio_to(&self, first: &Self) -> String {
        if first.broken.is_some() {
            return "-".to_owned();
        }
        let pairs = self.rounds.iter().zip(&first.rounds);
        let ratios = sorted(pairs.map(|(own, first)| own.0 / first.0));
        let (median, least, most) = (ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1]);
        // A ratio that is very small would be shown as nothing at all.
        let digits = if median < 0.1 { 4 } else { 2 };
        format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked without a word");
    // One line, without what would end the table's cell.
    text.replace('\n', " ").replace('|', "/")
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner(words: &str) -> Runner {
        let arguments = Arguments::parse(words.split_whitespace().map(str::to_owned)).unwrap();
        Runner { arguments, passed_over: Vec::new(), asked: 0, broken: 0 }
    }

    #[test]
    fn who_breaks_is_counted_and_holds_nobody_up() {
        let (mut sound, mut turns) = (0, 0);
        let mut runner = runner("--rounds 3");
        runner.ask(
            Contest::new("a question", 1)
                .with("breaks in its second turn", |_| {
                    turns += 1;
                    assert!(turns < 2, "it broke");
                })
                .with("sound", |operations| sound += operations),
        );
        assert_eq!((runner.asked, runner.broken), (1, 1));
        assert_eq!((sound, turns), (4, 2));
    }

    #[test]
    fn what_is_not_asked_for_is_not_run() {
        let mut runner = runner("mt2");
        runner.ask(Contest::new("a question, ct", 1).with("nobody", |_| unreachable!()));
        assert_eq!((runner.asked, runner.passed_over.len()), (0, 1));
    }
}
