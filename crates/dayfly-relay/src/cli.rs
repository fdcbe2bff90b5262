//! The command line: what can be asked, and what the exit status means.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use dayfly::SignalSink;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::demo::{self, DemoOptions, Progress};
use crate::history;
use crate::send::{self, SendOptions, Sent, Why};
use crate::serve::log::Log;
use crate::serve::service::{self, Service};

/// A webhook relay that keeps order per key.
#[derive(Debug, Parser)]
#[command(name = "dayfly-relay", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Deliver a git history to three receivers, and check that each rebuilds HEAD from it.
    ///
    /// The exit status is 0 when every check holds, 1 when one fails, and 2 when the demo cannot run.
    Demo(DemoArguments),
    /// Take events in over HTTP and deliver them to the endpoints of a file, which is followed while it runs.
    ///
    /// SIGTERM and Ctrl-C end it: deliveries under way may finish, the rest stays in the store. The exit status is 0 then,
    /// and 2 when it cannot start.
    Serve(ServeArguments),
    /// Hand in events from a file, one JSON object a line, in their order.
    ///
    /// An event without an id gets one that follows from its line, so that sending the same file again sends only what the
    /// relay does not know. The exit status is 0 when the relay has everything, 1 when it has not, and 2 when nothing could
    /// be read.
    Send(SendArguments),
    /// Write the history of a repository in the form of the bundled events.
    #[command(hide = true)]
    Record {
        /// The repository to record.
        #[arg(long, value_name = "PATH", default_value = ".")]
        repo: PathBuf,
        /// What to call it; its folder's name if not given.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
struct ServeArguments {
    /// What to listen on, where to keep events, and whom to deliver to.
    #[arg(value_name = "FILE", default_value = "relay.toml")]
    file: PathBuf,
    /// Check the file, say what is wrong with it, and end.
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Args)]
struct SendArguments {
    /// The file; `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the relay listens, such as `http://127.0.0.1:8080`.
    #[arg(long, value_name = "URL")]
    to: reqwest::Url,
    /// Events of one request.
    #[arg(long, value_name = "NUMBER", default_value_t = 500, value_parser = batch)]
    batch: usize,
    /// How often a request is tried that the relay has no room for, or that does not reach it.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    attempts: u32,
}

#[derive(Debug, Args)]
struct DemoArguments {
    /// The repository whose history is delivered, instead of the current folder's.
    #[arg(long, value_name = "PATH")]
    repo: Option<PathBuf>,
    /// Deliver in a shuffled order. The check must then fail.
    #[arg(long)]
    unordered: bool,
    /// How much more goes wrong at the receivers, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    chaos: f64,
    /// What all chance depends on: faults, jitter and the shuffle.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Deliveries at once, for each endpoint.
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = concurrency)]
    concurrency: usize,
    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Does what the process was asked to do.
pub async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo(arguments) => demo(arguments).await,
        Command::Serve(arguments) => serve(arguments).await,
        Command::Send(arguments) => send(arguments).await,
        Command::Record { repo, name } => record(repo, name).await,
    };
    done.unwrap_or_else(|error| {
        // Without standard error there is nobody to tell; the status still says it.
        drop(writeln!(io::stderr(), "error: {error:#}"));
        ExitCode::from(2)
    })
}

async fn demo(arguments: DemoArguments) -> anyhow::Result<ExitCode> {
    let DemoArguments { repo, unordered, chaos, seed, concurrency, json } = arguments;
    let options = DemoOptions { repo, unordered, chaos, seed, concurrency };
    let report = demo::run(&options, Progress::Shown).await?;
    let text = if json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
    io::stdout().write_all(text.as_bytes()).context("the report cannot be written")?;
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn serve(arguments: ServeArguments) -> anyhow::Result<ExitCode> {
    let ServeArguments { file, check } = arguments;
    if check {
        service::read(&file, &SignalSink::default()).await?;
        return Ok(ExitCode::SUCCESS);
    }
    // Listened for before anything starts, so that no request to end is missed.
    let mut asked = Asked::new().context("signals cannot be listened for")?;
    let service = Service::start(&file, Log::Stderr).await?;
    asked.once().await;
    Log::Stderr.info("asked to end: deliveries under way may finish; asked again, they may not");
    tokio::select! {
        () = service.drain() => {
            Log::Stderr.info("ended");
            Ok(ExitCode::SUCCESS)
        }
        () = asked.once() => Ok(ExitCode::from(1)),
    }
}

async fn send(arguments: SendArguments) -> anyhow::Result<ExitCode> {
    let SendArguments { file, to, batch, attempts } = arguments;
    match send::send(&SendOptions { file, to, batch, attempts }).await {
        Ok(Sent { accepted, duplicates }) => {
            let line = format!("{accepted} events taken in, {duplicates} known already\n");
            io::stdout().write_all(line.as_bytes()).context("the result cannot be written")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(stopped)
            if matches!(stopped.why, Why::Input { .. } | Why::Client(_))
                && stopped.sent == Sent::default() =>
        {
            Err(stopped.why.into())
        }
        Err(stopped) => {
            drop(writeln!(io::stderr(), "error: {stopped}"));
            Ok(ExitCode::from(1))
        }
    }
}

/// What asks a service to end.
struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn once(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn record(repo: PathBuf, name: Option<String>) -> anyhow::Result<ExitCode> {
    let record = move || history::record(&repo, name.as_deref(), &mut io::BufWriter::new(io::stdout()));
    tokio::task::spawn_blocking(record).await??;
    Ok(ExitCode::SUCCESS)
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a number from 0 to 1 is wanted".to_owned())
}

fn batch(text: &str) -> Result<usize, String> {
    let batch = text.parse().ok().filter(|number| (1..=100_000).contains(number));
    batch.ok_or_else(|| "a whole number from 1 to 100000 is wanted".to_owned())
}

fn concurrency(text: &str) -> Result<usize, String> {
    let concurrency = text.parse().ok().filter(|number| (1..=1024).contains(number));
    concurrency.ok_or_else(|| "a whole number from 1 to 1024 is wanted".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn figures_out_of_their_range_are_refused() {
        assert_eq!(share("0.5"), Ok(0.5));
        assert!(["-0.1", "1.1", "NaN", "inf", "much"].iter().all(|text| share(text).is_err()));
        assert!(["0", "1025", "-1", "many"].iter().all(|text| concurrency(text).is_err()));
    }
}
