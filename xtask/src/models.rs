//! The models in `models/`, which live outside of the workspace: hand-overs under loom, the whole engine under shuttle.

mod planted;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result};
use clap::Args;

/// Schedules of each scenario in a quick run; with all models and the build they take about three minutes.
const QUICK: u64 = 100_000;

/// Schedules of each scenario in a full run.
const FULL: u64 = 1_000_000;

/// What is to be run.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// What CI runs: the default.
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// More preemptions in each model, ten times the schedules of each scenario, and other ones each time.
    #[arg(long)]
    full: bool,
    /// Plants a fault at a time in a copy of the tree, and fails unless each is caught.
    #[arg(long, conflicts_with_all = ["full", "replay"])]
    planted: bool,
    /// What schedules are drawn from.
    #[arg(long)]
    seed: Option<u64>,
    /// A schedule that failed before; name its scenario too.
    #[arg(long, requires = "names")]
    replay: Option<PathBuf>,
    /// Words of the names that are wanted; all unless given.
    names: Vec<String>,
}

/// Runs them.
///
/// # Errors
/// When cargo cannot be started, or the tree cannot be copied.
pub fn run(root: &Path, options: &Options) -> Result<ExitCode> {
    if options.planted {
        return planted::run(root, &options.names);
    }
    let mut holds = true;
    if options.replay.is_none() {
        let full = if options.full { vec!["--full".to_owned()] } else { Vec::new() };
        holds &=
            cargo(root, root, "dayfly-loom", &[full, options.names.clone()].concat())?.status()?.success();
    }
    holds &= cargo(root, root, "dayfly-shuttle", &options.of_shuttle())?.status()?.success();
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Options {
    fn of_shuttle(&self) -> Vec<String> {
        let schedules = if self.full { FULL } else { QUICK };
        // A quick run says the same about the same tree; a full one looks where nobody has looked yet.
        let fresh =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |since| since.as_secs());
        let seed = self.seed.unwrap_or(if self.full { fresh } else { 1 });
        let mut words =
            vec!["--schedules".to_owned(), schedules.to_string(), "--seed".to_owned(), seed.to_string()];
        if let Some(file) = &self.replay {
            words.extend(["--replay".to_owned(), file.display().to_string()]);
        }
        words.extend(self.names.iter().cloned());
        words
    }
}

/// A package of the models of `tree`, to be built beside those of `root` and run with these words.
fn cargo(root: &Path, tree: &Path, package: &str, words: &[String]) -> Result<Command> {
    let target = root.canonicalize().context("there is no such tree")?.join("models").join("target");
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--locked", "--package", package, "--manifest-path"]);
    cargo.arg(tree.join("models").join("Cargo.toml")).env("CARGO_TARGET_DIR", target).arg("--").args(words);
    Ok(cargo)
}
