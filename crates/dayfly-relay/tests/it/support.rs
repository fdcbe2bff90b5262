//! Repositories built with git in a temporary folder, and the demo run on them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use dayfly_relay::demo::{DemoOptions, Progress, Report, run};
use tempfile::TempDir;

/// A repository of its own, untouched by the settings of whoever runs the tests.
pub(crate) struct Repo {
    folder: TempDir,
}

impl Repo {
    pub(crate) fn new() -> Self {
        Self::with_format("sha1")
    }

    pub(crate) fn with_format(format: &str) -> Self {
        let repo = Self { folder: tempfile::tempdir().unwrap() };
        repo.git(&["init", "--quiet", "--initial-branch=main", &format!("--object-format={format}")]);
        repo
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = git(self.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=change"]);
    }

    /// Some paths that change again and again.
    pub(crate) fn busy() -> Self {
        let repo = Self::new();
        for round in 0..8 {
            for path in 0..4 {
                repo.write(&format!("path-{path}"), &format!("round {round}, path {path}"));
            }
            repo.commit();
        }
        repo
    }
}

/// Git with an identity, and without anybody's settings.
pub(crate) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    isolate(&mut command, folder);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
    }
    command
}

/// The program, run in a folder.
pub(crate) fn relay(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dayfly-relay"));
    isolate(&mut command, folder);
    command.args(arguments).output().unwrap()
}

/// Nothing outside of the folder counts: no settings, no repository further up.
fn isolate(command: &mut Command, folder: &Path) {
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap());
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn options(repo: &Path) -> DemoOptions {
    DemoOptions { repo: Some(repo.to_owned()), unordered: false, chaos: 0.0, seed: 1, concurrency: 8 }
}

/// Runs the demo without a process around it.
pub(crate) async fn demo(options: &DemoOptions) -> Report {
    run(options, Progress::Hidden).await.unwrap()
}

/// Runs the demo on a repository that has enough in it, and wants everything to hold.
pub(crate) async fn assert_rebuilt(repo: &Repo) -> Report {
    let report = demo(&options(repo.path())).await;
    assert_eq!(report.source.bundled_because, None);
    assert!(report.ok, "{report}");
    assert!(report.receivers.iter().all(|receiver| receiver.tree_equals_head && receiver.ids_equal));
    report
}
