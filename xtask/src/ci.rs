//! Everything that a change has to pass, in order.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result};

/// One step: its name, its arguments for cargo, and what it adds to the environment.
struct Step {
    name: &'static str,
    arguments: &'static str,
    environment: &'static [(&'static str, &'static str)],
}

/// The test step is the command of the README, word for word.
///
/// The lean step builds the crates as who takes them without their features does. The relay, the complete crate and the
/// book are left out because they turn features on, for themselves and their tests. The bare step builds the crate that is
/// made of features, and the relay, without any.
const STEPS: [Step; 8] = [
    Step { name: "fmt", arguments: "fmt --all --check", environment: &[] },
    Step {
        name: "clippy",
        arguments: "clippy --workspace --all-targets --all-features -- -D warnings",
        environment: &[],
    },
    Step {
        name: "lean",
        arguments: "clippy --workspace --exclude dayfly-relay --exclude dayfly-complete --exclude docs --all-targets -- -D warnings",
        environment: &[],
    },
    Step {
        name: "bare",
        arguments: "check -p dayfly-complete -p dayfly-relay --no-default-features",
        environment: &[],
    },
    Step {
        name: "doc",
        arguments: "doc --workspace --no-deps --all-features",
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Step { name: "tidy", arguments: "xtask tidy", environment: &[] },
    Step { name: "test", arguments: "test --workspace", environment: &[] },
    Step { name: "models", arguments: "xtask models --quick", environment: &[] },
];

/// Runs the steps and stops at the first that fails; with `list`, only says what they are.
///
/// # Errors
/// When cargo cannot be started.
pub fn run(root: &Path, list: bool) -> Result<ExitCode> {
    for step in STEPS {
        println!("== {}: cargo {}", step.name, step.arguments);
        if list {
            continue;
        }
        // A wall clock is good enough to tell a person how long a step took.
        let start = SystemTime::now();
        let status = Command::new("cargo")
            .args(step.arguments.split(' '))
            .envs(step.environment.iter().copied())
            .current_dir(root)
            .status()
            .context("cannot start cargo")?;
        let seconds = start.elapsed().unwrap_or_default().as_secs();
        if !status.success() {
            println!("== {} failed after {seconds} s", step.name);
            return Ok(ExitCode::FAILURE);
        }
        println!("== {} passed in {seconds} s", step.name);
    }
    Ok(ExitCode::SUCCESS)
}
