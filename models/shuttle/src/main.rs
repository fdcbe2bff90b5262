//! Scenarios: the whole engine under shuttle's schedulers, half of the schedules random and half by PCT.
//!
//! `dayfly-shuttle [--schedules N] [--seed N] [--replay FILE] [SCENARIO...]`. Each scenario asserts its accounts;
//! shuttle itself finds the ones that are stuck. What fails leaves its schedule in a file that `--replay` takes.

mod arguments;
mod explore;
mod scenarios;
mod watched;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    if explore::run(&arguments) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
