//! Where there is no repository, or too little in it, the bundled events are used, and it is said why.

use crate::support::{Repo, demo, git, options, relay, text};

#[tokio::test]
async fn a_shallow_clone_has_too_short_a_history() {
    let repo = Repo::busy();
    let place = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repo.path().display());
    let clone = git(place.path()).args(["clone", "--quiet", "--depth=1", &url, "clone"]).output().unwrap();
    assert!(clone.status.success(), "{}", text(&clone.stderr));
    let report = demo(&options(&place.path().join("clone"))).await;
    assert!(report.ok, "{report}");
    assert!(report.source.bundled_because.unwrap().contains("shallow clone"));
}

#[tokio::test]
async fn a_repository_without_commits_has_too_short_a_history() {
    let report = demo(&options(Repo::new().path())).await;
    assert!(report.ok, "{report}");
    assert_eq!(report.source.bundled_because.as_deref(), Some("the repository has no commits yet"));
}

#[tokio::test]
async fn a_history_in_which_nothing_changed_again_has_no_order() {
    let repo = Repo::new();
    repo.write("a", "a");
    repo.write("b", "b");
    repo.commit();
    for unordered in [false, true] {
        let report = demo(&dayfly_relay::demo::DemoOptions { unordered, ..options(repo.path()) }).await;
        assert_eq!(report.ok, !unordered, "{report}");
        assert!(report.source.bundled_because.unwrap().contains("changed more than once"));
    }
}

#[test]
fn an_empty_folder_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let output = relay(folder.path(), &["demo"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let reason = "there is no git repository that can be read here";
    assert!(text(&output.stderr).starts_with(&format!("using the bundled events: {reason}")));
    assert!(text(&output.stdout).contains(reason));
}
