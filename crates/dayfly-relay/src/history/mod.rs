//! The input: a real history, and what it must add up to.
//!
//! The events come from `git log`, the truth from `git ls-tree`, both of the same commit. Where there is no
//! repository, or too little in it, the history that ships with the crate takes its place and says why.

mod bundle;
mod git;
mod log;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use self::bundle::Bundle;
use self::git::Git;
use self::log::{Log, read_tree};
use crate::event::{Event, ObjectId, Tree};

pub use self::bundle::BundleError;
pub use self::git::GitError;

const BUNDLED: &str = include_str!("../../data/events.jsonl");

/// A run of events and the tree that they add up to.
#[derive(Debug)]
pub struct History {
    /// Where it comes from.
    pub source: Source,
    /// The commit whose tree is the truth.
    pub head: ObjectId,
    /// How many commits the events come from, those without a change included.
    pub commits: u64,
    /// All changes of all paths, oldest first.
    pub events: Vec<Arc<Event>>,
    /// How many paths ever were.
    pub paths: usize,
    /// How many of them changed more than once.
    pub paths_changed_again: usize,
    /// What `git ls-tree` says of HEAD.
    pub tree: Tree,
}

/// Where a history comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A repository on this machine.
    Repository(PathBuf),
    /// The events that ship with the crate.
    Bundled {
        /// Where they were recorded.
        recorded_from: String,
        /// Why no repository was used.
        reason: String,
    },
}

/// Why there is no history at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The folder that was asked for cannot be used.
    #[error("--repo {}", .path.display())]
    Repository {
        /// What was asked for.
        path: PathBuf,
        /// Why not.
        #[source]
        reason: Unusable,
    },
    /// The bundled file is damaged.
    #[error("the bundled data/events.jsonl is damaged")]
    Bundled(#[from] BundleError),
    /// A recording cannot be written.
    #[error("the recording cannot be written")]
    Written(#[from] io::Error),
}

/// Why a repository has nothing for the demo.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unusable {
    /// The path is not there, or it is no folder.
    #[error("there is no such folder")]
    NoFolder,
    /// Git does not know it, or cannot read it.
    #[error("there is no git repository that can be read here")]
    NoRepository(#[source] GitError),
    /// Git knows it, but its history is not readable.
    #[error("the history cannot be read")]
    Unreadable(#[source] GitError),
    /// Nothing was ever committed.
    #[error("the repository has no commits yet")]
    NoCommits,
    /// The beginning of the history is missing.
    #[error("the repository is a shallow clone, so the beginning of its history is missing")]
    Shallow,
    /// Any order gives the same tree.
    #[error("no path in this history changed more than once, so any order would do")]
    NothingChangedAgain,
}

impl Unusable {
    /// A repository that is merely too short has a substitute; what is none was a mistake to ask for.
    fn is_too_short(&self) -> bool {
        matches!(self, Self::NoCommits | Self::Shallow | Self::NothingChangedAgain)
    }
}

impl History {
    /// Loads the history of the repository around `asked`, or around the current folder.
    ///
    /// What is too short, and a current folder without a repository, is replaced by the bundled history.
    /// This runs git and blocks.
    ///
    /// # Errors
    /// When `asked` is no repository, or the bundled history is needed and damaged.
    pub fn load(asked: Option<&Path>) -> Result<Self, LoadError> {
        let path = asked.unwrap_or(Path::new("."));
        match Self::from_repository(path) {
            Ok(history) => Ok(history),
            Err(reason) if asked.is_some() && !reason.is_too_short() => {
                Err(LoadError::Repository { path: path.to_owned(), reason })
            }
            Err(reason) => Ok(Self::bundled(&format!("{:#}", anyhow::Error::new(reason)))?),
        }
    }

    /// The history that ships with the crate.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn bundled(reason: &str) -> Result<Self, BundleError> {
        let Bundle { source, head, log, tree } = Bundle::read(BUNDLED)?;
        let source = Source::Bundled { recorded_from: source, reason: reason.to_owned() };
        Ok(Self::new(source, head, log, tree))
    }

    /// Reads a repository.
    fn from_repository(path: &Path) -> Result<Self, Unusable> {
        let (head, log, tree) = read_repository(path)?;
        if log.paths_changed_again() == 0 {
            return Err(Unusable::NothingChangedAgain);
        }
        // Only a name for the report: where the system has none, the one that was given will do.
        let name = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Ok(Self::new(Source::Repository(name), head, log, tree))
    }

    fn new(source: Source, head: ObjectId, log: Log, tree: Tree) -> Self {
        let (paths, paths_changed_again) = (log.paths(), log.paths_changed_again());
        let events = log.events.into_iter().map(Arc::new).collect();
        Self { source, head, commits: log.commits, events, paths, paths_changed_again, tree }
    }
}

/// Writes the history of a repository in the form of the bundled file. This runs git and blocks.
///
/// # Errors
/// When the repository has no history to record, or the recording cannot be written.
pub fn record(path: &Path, name: Option<&str>, to: &mut impl Write) -> Result<(), LoadError> {
    let unusable = |reason| LoadError::Repository { path: path.to_owned(), reason };
    let (head, log, tree) = read_repository(path).map_err(unusable)?;
    if log.paths_changed_again() == 0 {
        return Err(unusable(Unusable::NothingChangedAgain));
    }
    let folder = path.canonicalize()?;
    let folder = folder.file_name().map_or_else(|| "a repository".into(), |name| name.to_string_lossy());
    let source = name.map_or_else(|| folder.into_owned(), str::to_owned);
    Ok(Bundle { source, head, log, tree }.write(to)?)
}

/// The events and the truth, both of the commit that HEAD is at the beginning.
fn read_repository(path: &Path) -> Result<(ObjectId, Log, Tree), Unusable> {
    if !path.is_dir() {
        return Err(Unusable::NoFolder);
    }
    let git = Git::new(path);
    let shallow = git.ask(&["rev-parse", "--is-shallow-repository"]).map_err(Unusable::NoRepository)?;
    if shallow == "true" {
        return Err(Unusable::Shallow);
    }
    let head = git.ask(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
    // An unborn branch has no commit, and git says so by its status alone.
    let head = head.ok().and_then(|name| ObjectId::parse(&name).ok()).ok_or(Unusable::NoCommits)?;

    let log = git.read(&LOG, &head, Log::read).map_err(Unusable::Unreadable)?;
    let tree = git.read(&TREE, &head, read_tree).map_err(Unusable::Unreadable)?;
    Ok((head, log, tree))
}

/// Every merge is compared with its first parent alone: that is the line of commits that leads to HEAD.
const LOG: [&str; 19] = [
    "log",
    "--first-parent",
    "--reverse",
    "-m",
    "--root",
    "--raw",
    "--no-renames",
    "--no-abbrev",
    "-z",
    "--format=%H",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-mailmap",
    "--no-notes",
    "--no-show-signature",
    "--no-relative",
    "--ignore-submodules=none",
    "-O/dev/null",
];

/// The whole tree, also when git runs in a folder below its root.
const TREE: [&str; 4] = ["ls-tree", "-r", "-z", "--full-tree"];
