//! Runs git so that its answer depends on the repository alone, and on nobody's settings or environment.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use thiserror::Error;

use crate::event::ObjectId;

/// How much of git's complaint is kept.
const COMPLAINT_BYTES: u64 = 4 * 1024;

/// The most that the answer to a question can be.
const ANSWER_BYTES: u64 = 4 * 1024;

/// Settings that would change what is read here, set to what git does without them.
const SETTINGS: [&str; 7] = [
    "core.quotePath=false",
    "diff.ignoreSubmodules=none",
    "diff.relative=false",
    "diff.renames=false",
    "log.diffMerges=first-parent",
    "log.showRoot=true",
    "log.showSignature=false",
];

/// Of the environment: where git is installed and configured, and how far up it looks for a repository.
const KEPT: [&str; 4] =
    ["GIT_CONFIG_", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"];

/// Why git gave no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GitError {
    /// The program could not be started.
    #[error("git cannot be run")]
    NotRun(#[source] std::io::Error),
    /// Git ran and refused.
    #[error("git {command}: {complaint}")]
    Refused {
        /// The subcommand.
        command: String,
        /// The last line that git said about it.
        complaint: String,
    },
    /// The pipe from git broke.
    #[error("what git {command} says cannot be read")]
    Unread {
        /// The subcommand.
        command: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A repository, or what may turn out to be none, by a folder in it.
#[derive(Clone, Debug)]
pub(super) struct Git {
    folder: PathBuf,
}

/// A git process whose output is read while it runs.
struct Running {
    command: String,
    child: Child,
    output: BufReader<ChildStdout>,
    complaint: JoinHandle<String>,
}

impl Git {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The whole answer of a command that has a short one, as text without the newline at its end.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<String, GitError> {
        let mut running = self.start(arguments)?;
        let mut answer = Vec::new();
        let read = running.output.by_ref().take(ANSWER_BYTES).read_to_end(&mut answer);
        running.end(read)?;
        Ok(String::from_utf8_lossy(&answer).trim_end_matches('\n').to_owned())
    }

    /// Reads what a command says about a commit while it says it.
    pub(super) fn read<T>(
        &self,
        arguments: &[&str],
        commit: &ObjectId,
        reader: impl FnOnce(&mut BufReader<ChildStdout>) -> std::io::Result<T>,
    ) -> Result<T, GitError> {
        let mut running = self.start(&[arguments, &[commit.as_str(), "--"]].concat())?;
        let read = reader(&mut running.output);
        running.end(read)
    }

    fn start(&self, arguments: &[&str]) -> Result<Running, GitError> {
        let mut command = Command::new("git");
        command.arg("--no-pager").arg("-C").arg(&self.folder);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(arguments);
        // In a hook, GIT_DIR and its kin point to the hook's repository, which need not be the one that is asked for.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("GIT_") && !KEPT.iter().any(|kept| text.starts_with(kept)) {
                command.env_remove(&name);
            }
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_GRAFT_FILE", if cfg!(windows) { "NUL" } else { "/dev/null" })
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());

        let mut child = command.spawn().map_err(GitError::NotRun)?;
        let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(GitError::NotRun(std::io::Error::other("its output is not connected")));
        };
        let complaint = std::thread::spawn(move || last_line(errors));
        let command = arguments.first().copied().unwrap_or_default().to_owned();
        Ok(Running { command, child, output: BufReader::new(output), complaint })
    }
}

impl Running {
    /// Waits for git's end. What went wrong in reading comes second to what git itself says.
    fn end<T>(self, read: std::io::Result<T>) -> Result<T, GitError> {
        let Self { command, mut child, output, complaint } = self;
        // With the pipe closed, a git that still has something to say ends as well.
        drop(output);
        let status = child.wait().map_err(GitError::NotRun)?;
        let complaint = complaint.join().unwrap_or_default();
        match read {
            Err(source) if status.success() || complaint.is_empty() => {
                Err(GitError::Unread { command, source })
            }
            Ok(answer) if status.success() => Ok(answer),
            _ if complaint.is_empty() => Err(GitError::Refused { command, complaint: status.to_string() }),
            _ => Err(GitError::Refused { command, complaint }),
        }
    }
}

/// Reads to the end, so that git never waits for its complaints to be heard.
fn last_line(mut errors: impl Read) -> String {
    let mut kept = Vec::new();
    // Nobody could be told that git's complaint cannot be read; it is then empty.
    drop(errors.by_ref().take(COMPLAINT_BYTES).read_to_end(&mut kept));
    drop(std::io::copy(&mut errors, &mut std::io::sink()));
    let text = String::from_utf8_lossy(&kept);
    let lines = || text.lines().filter(|line| !line.is_empty());
    let fatal = lines().find(|line| line.starts_with("fatal: "));
    fatal.or_else(|| lines().next_back()).unwrap_or_default().trim_start_matches("fatal: ").to_owned()
}
