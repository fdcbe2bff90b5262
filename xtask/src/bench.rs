//! Comparisons with other people's libraries, which live outside of the workspace.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

/// Runs one benchmark and prints its tables; without a name, every one. What else is given goes to the benchmark's own
/// command line: words of the titles that are wanted, and `--rounds N`.
///
/// # Errors
/// When cargo cannot be started.
pub fn run(root: &Path, name: Option<&str>, rest: &[String]) -> Result<ExitCode> {
    let manifest = root.join("benches").join("Cargo.toml");
    let mut cargo = Command::new("cargo");
    cargo.args(["bench", "--quiet", "--manifest-path"]).arg(manifest);
    match name {
        Some(name) => cargo.args(["--bench", name]),
        None => cargo.arg("--benches"),
    };
    cargo.arg("--").args(rest);
    let status = cargo.status().context("cannot start cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
