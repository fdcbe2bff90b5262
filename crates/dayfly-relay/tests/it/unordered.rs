//! Without the order of each path the check fails: that is how one knows that it can.

use crate::support::{Repo, relay, text};

#[test]
fn a_shuffle_leaves_wrong_paths_and_they_are_named() {
    let repo = Repo::busy();
    let output = relay(repo.path(), &["demo", "--unordered"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    assert!(report.contains("FAILED: 3 of 3 receivers") && report.contains("paths are wrong"), "{report}");
    assert!(report.contains("    path-"), "{report}");
}
