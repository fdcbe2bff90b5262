//! `cargo xtask <command>`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::tree::Tree;
use xtask::{bench, ci, codegen, models, release, rules, scaffold};

/// The developer's and the release's commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    /// The workspace; the one that this program was built in unless given.
    #[arg(long, global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that a change has to pass, in order, stopping at the first failure.
    Ci {
        /// Only say what would be run.
        #[arg(long)]
        list: bool,
    },
    /// Comparisons with other libraries: prints the tables.
    Bench {
        /// The question: a file in `benches/benches`; all of them unless given.
        name: Option<String>,
        /// After `--`: words of the titles that are wanted, and `--rounds N`.
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// Hand-overs under loom and the whole engine under shuttle: says how many orders and schedules held.
    Models(models::Options),
    /// The house rules that no compiler checks.
    Tidy,
    /// Writes crate READMEs, the crate table and the floor diagram.
    Codegen {
        /// Write nothing; fail if something is stale.
        #[arg(long)]
        check: bool,
    },
    /// What a release needs: the version, the changelog's section, crates that can be packed.
    #[command(subcommand)]
    Release(release::Step),
    /// Makes a new crate in house style.
    New {
        /// The folder under `crates/`: core, atoms, patterns, state.
        family: String,
        /// The package, and so the folder: `dayfly-something`.
        name: String,
        /// The floor it stands on; it may import lower floors only.
        #[arg(long)]
        floor: u32,
    },
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    match cli.command {
        Command::Ci { list } => ci::run(&cli.root, list),
        Command::Bench { name, rest } => bench::run(&cli.root, name.as_deref(), &rest),
        Command::Models(options) => models::run(&cli.root, &options),
        Command::Tidy => {
            let report = rules::check_all(&Tree::load(&cli.root)?);
            println!("{report}");
            Ok(if report.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Codegen { check } => {
            let tree = Tree::load(&cli.root)?;
            let stale = codegen::stale(&tree)?;
            if check {
                for file in &stale {
                    println!("stale: {}", file.path.display());
                }
                return Ok(if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            for file in stale {
                file.write(&tree.root)?;
                println!("wrote {}", file.path.display());
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Release(step) => release::run(&cli.root, &step),
        Command::New { family, name, floor } => {
            let made = scaffold::new_crate(&Tree::load(&cli.root)?, &family, &name, floor)?;
            println!("made {}; run `cargo xtask codegen` whenever its docs have changed", made.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}
