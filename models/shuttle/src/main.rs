//! Scenarios: the whole engine under shuttle's schedulers, half of the schedules random and half by PCT.
//!
//! `dayfly-shuttle [--schedules N] [--seed N] [--replay FILE] [SCENARIO...]`. Each scenario asserts its accounts;
//! shuttle itself finds the ones that are stuck. What fails leaves its schedule in a file that `--replay` takes.

mod arguments;
mod explore;
mod scenarios;
mod watched;

use std::process::ExitCode;

use arguments::{Alone, Arguments};

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let held = if words.next_if(|word| word == fan_out::ALONE).is_some() {
        Alone::read(words).map(|alone| explore::alone(&alone))
    } else {
        Arguments::read(words).map(|arguments| explore::run(&arguments))
    };
    match held {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
