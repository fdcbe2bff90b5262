//! A folder with files in it, and a configuration to be read from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dayfly::{CoordinatorOptions, SignalSink};
use dayfly_config::{Snapshot, Sources, WatchOptions, Watched};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// How long a test waits for an event before it calls it missing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) limit: u32,
    pub(crate) twice: u32,
    pub(crate) hosts: Vec<String>,
    pub(crate) orders: CoordinatorOptions,
    pub(crate) other: Other,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Other {
    pub(crate) size: u32,
    pub(crate) label: String,
}

pub(crate) struct Folder {
    pub(crate) temp: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { temp: tempfile::tempdir().unwrap() }
    }

    /// A folder with `app.toml` in it.
    pub(crate) fn with(text: &str) -> Self {
        let folder = Self::new();
        folder.write("app.toml", text);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    pub(crate) fn app(&self) -> PathBuf {
        self.path("app.toml")
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes beside the file and renames over it, as careful programs do.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        replace(&self.path(name), text);
    }

    pub(crate) fn sources(&self) -> Sources {
        Sources::new().file(self.app())
    }

    pub(crate) async fn open(&self) -> Watched<Settings> {
        open(self.sources(), &SignalSink::default()).await
    }
}

pub(crate) fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("tmp");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

/// Settles quickly, and polls only when nothing else is left to hope for.
pub(crate) const WATCH: WatchOptions =
    WatchOptions::new().settle(Duration::from_millis(20)).poll_every(Duration::from_secs(3_600));

/// Neither events nor time: whoever wants the files read asks for it.
pub(crate) const ASKED_ONLY: WatchOptions = WatchOptions::new().without_watch().without_poll();

pub(crate) async fn open(sources: Sources, signals: &SignalSink) -> Watched<Settings> {
    Watched::open(sources, WATCH, signals).await.unwrap()
}

pub(crate) async fn asked_only(sources: Sources) -> Watched<Settings> {
    Watched::open(sources, ASKED_ONLY, &SignalSink::default()).await.unwrap()
}

/// What `event` brings, unless it does not come.
pub(crate) async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, event).await.expect("the event comes")
}

/// Waits until the limit is this one, whatever comes before.
pub(crate) async fn limit_becomes(watched: &Watched<Settings>, limit: u32) -> Snapshot<Settings> {
    soon(async {
        let mut snapshot = watched.snapshot();
        while snapshot.limit != limit {
            snapshot = watched.changed_since(snapshot.generation()).await;
        }
        snapshot
    })
    .await
}
