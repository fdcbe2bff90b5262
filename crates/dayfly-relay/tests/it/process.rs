//! The program as it is called: exit status, messages, and what stands on which stream.

use crate::support::{Repo, relay, text};

#[test]
fn a_history_is_rebuilt_and_the_status_says_so() {
    let repo = Repo::busy();
    let output = relay(repo.path(), &["demo"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("OK: all 3 receivers rebuilt HEAD, 4 paths"));
    assert!(text(&output.stderr).contains("healthy: 100 % delivered"));
    assert!(text(&output.stderr).contains("down: circuit open"));
}

#[test]
fn a_repo_that_is_none_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("plain")).unwrap();
    std::fs::write(folder.path().join("file"), "x").unwrap();
    for (path, why) in [
        ("plain", "there is no git repository that can be read here: git rev-parse: not a git repository"),
        ("missing", "there is no such folder"),
        ("file", "there is no such folder"),
    ] {
        for command in ["demo", "record"] {
            let output = relay(folder.path(), &[command, "--repo", path]);
            assert_eq!(output.status.code(), Some(2));
            assert_eq!(text(&output.stdout), "");
            let error = text(&output.stderr);
            assert!(error.starts_with(&format!("error: --repo {path}: {why}")), "{error}");
            assert_eq!(error.matches(why).count(), 1, "each cause is told once: {error}");
        }
    }
}

#[test]
fn figures_out_of_range_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [
        "--chaos=1.5",
        "--chaos=-0.1",
        "--chaos=NaN",
        "--chaos=",
        "--concurrency=0",
        "--concurrency=1025",
        "--concurrency=1.5",
        "--seed=x",
        "--seed=-1",
        "--seed=18446744073709551616",
    ] {
        let output = relay(folder.path(), &["demo", wrong]);
        let error = text(&output.stderr);
        let option = wrong.split('=').next().unwrap();
        assert!(output.status.code() == Some(2) && error.contains(option), "{wrong}: {error}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn json_is_the_only_thing_on_standard_output() {
    let repo = Repo::busy();
    let output = relay(repo.path(), &["demo", "--json", "--seed=7", "--chaos=0.2"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["ok"], &report["order"], &report["seed"]),
        (&true.into(), &"keyed".into(), &7.into())
    );
    assert_eq!((&report["source"]["events"], &report["source"]["commits"]), (&32.into(), &8.into()));
    let receivers = report["receivers"].as_array().unwrap();
    let names: Vec<_> = receivers.iter().map(|receiver| receiver["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["healthy", "flaky", "down"]);
    for receiver in receivers {
        assert_eq!((&receiver["delivered"], &receiver["failed"]), (&32.into(), &0.into()));
        assert_eq!((&receiver["tree_equals_head"], &receiver["ids_equal"]), (&true.into(), &true.into()));
        let figures =
            ["attempts", "retries", "duplicates_suppressed", "signatures_verified", "circuit_openings"];
        assert!(figures.iter().all(|figure| receiver[figure].is_u64()), "{receiver}");
        assert!((1..=32).contains(&receiver["peak_backlog"].as_u64().unwrap()));
    }
}

#[test]
fn a_hooks_environment_does_not_redirect_the_demo() {
    let (repo, other) = (Repo::busy(), Repo::new());
    let hook = other.path().join(".git");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dayfly-relay"));
    command
        .env("GIT_DIR", &hook)
        .env("GIT_WORK_TREE", other.path())
        .env("GIT_INDEX_FILE", hook.join("index"));
    let output = command.current_dir(repo.path()).args(["demo", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["ok"], &report["source"]["events"]), (&true.into(), &32.into()));
}

#[test]
fn a_recording_says_what_follows() {
    let repo = Repo::busy();
    let output = relay(repo.path(), &["record", "--name", "a test"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let recording = text(&output.stdout);
    let header: serde_json::Value = serde_json::from_str(recording.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&header["source"], &header["events"], &header["paths_of_head"]),
        (&"a test".into(), &32.into(), &4.into())
    );
    assert_eq!(recording.lines().count(), 1 + 32 + 4);
}
