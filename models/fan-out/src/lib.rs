//! Many small runs side by side, each in a process of its own: one that is found stuck is often torn down by an abort,
//! and what it left behind must not touch the others.
//!
//! A process calls itself with `--alone`. The child prints one line: a number, a tab, and what it has to say.

use std::io;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

/// The first word of a child's arguments.
pub const ALONE: &str = "--alone";

/// How much of what a failed child had to say is shown.
const SHOWN: usize = 8;

/// One run.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the child gets after [`ALONE`].
    pub arguments: Vec<String>,
    /// How a person repeats it.
    pub again: String,
}

/// What has become of all of them.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Sum {
    /// What the children counted.
    pub count: usize,
    /// How many failed.
    pub failed: usize,
    /// How long it took.
    pub seconds: f64,
}

/// Runs every job, as many at once as there are cores, and prints what they have to say.
pub fn run(jobs: &[Job]) -> Sum {
    let start = Instant::now();
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Sum::default()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores.min(jobs.len()) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let ended = job.run();
                    let Ok(mut sum) = sum.lock() else { return };
                    if let Some((number, line)) = count(&ended) {
                        sum.count += number;
                        println!("  {line}");
                    } else {
                        sum.failed += 1;
                        println!("  {} FAILED\n{}    again: {}", job.arguments[0], shown(&ended), job.again);
                    }
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap_or_default();
    Sum { seconds: start.elapsed().as_secs_f64(), ..sum }
}

impl Job {
    fn run(&self) -> io::Result<Output> {
        Command::new(std::env::current_exe()?)
            .arg(ALONE)
            .args(&self.arguments)
            .env("RUST_BACKTRACE", "0")
            .output()
    }
}

/// What a child that held counted, and its line.
fn count(ended: &io::Result<Output>) -> Option<(usize, String)> {
    let ended = ended.as_ref().ok().filter(|ended| ended.status.success())?;
    let said = String::from_utf8_lossy(&ended.stdout);
    let (number, line) = said.trim_end().split_once('\t')?;
    Some((number.parse().ok()?, line.to_owned()))
}

/// The beginning of what a failed child had to say; what comes later is how it was torn down.
fn shown(ended: &io::Result<Output>) -> String {
    let said = match ended {
        Ok(ended) => String::from_utf8_lossy(&ended.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let lines = said.lines().filter(|line| !line.trim().is_empty() && !line.contains("_BACKTRACE"));
    let lines = lines.take_while(|line| !matches!(line.trim(), "stack backtrace:" | "failing seed:"));
    lines.take(SHOWN).fold(String::new(), |text, line| text + "    | " + line + "\n")
}
