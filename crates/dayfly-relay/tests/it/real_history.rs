//! Everything that real histories have in them is delivered, and adds up to HEAD.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Repo, assert_rebuilt, git, options};
use dayfly_relay::demo::{Progress, run};

/// A change of one path twice, without which there would be no order to keep.
fn change_twice(repo: &Repo) {
    for content in ["one", "two"] {
        repo.write("twice", content);
        repo.commit();
    }
}

#[tokio::test]
async fn deletions_renames_and_empty_commits() {
    let repo = Repo::new();
    change_twice(&repo);
    repo.write("gone", "soon gone");
    repo.write("old name", "moved without a change, and long enough that git would call it a rename\n");
    repo.commit();
    repo.git(&["mv", "old name", "new name"]);
    repo.git(&["rm", "--quiet", "gone"]);
    repo.commit();
    repo.commit();
    repo.write("gone", "back again");
    repo.commit();
    let report = assert_rebuilt(&repo).await;
    // Two changes, two new files, a rename in two halves, a deletion, a return; the empty commit has none.
    assert_eq!((report.source.commits, report.source.events), (6, 8));
}

#[tokio::test]
async fn merges_with_and_without_conflicts() {
    let repo = Repo::new();
    change_twice(&repo);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("twice", "as the side has it");
    repo.write("side only", "from the side");
    repo.commit();
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("twice", "as the main line has it");
    repo.commit();
    let merge = git(repo.path()).args(["merge", "--quiet", "side"]).output().unwrap();
    assert!(!merge.status.success(), "the merge was meant to conflict");
    repo.write("twice", "as both agreed");
    repo.commit();
    repo.git(&["checkout", "--quiet", "-b", "other", "main~1"]);
    repo.write("other", "no conflict here");
    repo.commit();
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-ff", "--message=merge", "other"]);
    let report = assert_rebuilt(&repo).await;
    assert_eq!(report.source.commits, 5, "only the line of first parents counts");
}

#[tokio::test]
async fn modes_symlinks_submodules_and_changes_of_type() {
    let repo = Repo::new();
    change_twice(&repo);
    let blob = repo.git(&["rev-parse", "HEAD:twice"]);
    let commit = repo.git(&["rev-parse", "HEAD"]);
    let earlier = repo.git(&["rev-parse", "HEAD~1"]);
    let entry = |mode: &str, object: &str, path: &str| {
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{object},{path}")]);
    };
    let commit_index = || repo.git(&["commit", "--quiet", "--message=change"]);
    entry("100644", &blob, "tool");
    entry("100644", &blob, "turns into a link");
    entry("160000", &earlier, "submodule");
    commit_index();
    entry("100755", &blob, "tool");
    entry("120000", &blob, "turns into a link");
    entry("160000", &commit, "submodule");
    commit_index();
    entry("160000", &commit, "tool");
    commit_index();
    assert_rebuilt(&repo).await;
}

#[tokio::test]
async fn a_file_becomes_a_folder_and_a_file_again() {
    let repo = Repo::new();
    repo.write("place", "a file");
    repo.commit();
    repo.git(&["rm", "--quiet", "place"]);
    repo.write("place/inside", "a folder");
    repo.commit();
    repo.git(&["rm", "-r", "--quiet", "place"]);
    repo.write("place", "a file again");
    repo.commit();
    assert_rebuilt(&repo).await;
}

#[tokio::test]
async fn paths_are_bytes() {
    let repo = Repo::new();
    let mut import =
        git(repo.path()).args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stream = import.stdin.take().unwrap();
    let paths: [&[u8]; 8] = [
        br#""tab\there""#,
        br#""line\nbreak""#,
        br#""a \"quoted\" name""#,
        b"--dashes",
        b":colon",
        br#""caf\351""#,
        br#""\377\376/\200""#,
        "grün/日本".as_bytes(),
    ];
    for round in ["one", "two"] {
        write!(stream, "commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\n")
            .unwrap();
        for (number, path) in paths.iter().enumerate() {
            stream.write_all(b"M 100644 inline ").unwrap();
            stream.write_all(path).unwrap();
            write!(stream, "\ndata 5\n{round} {number}\n").unwrap();
        }
    }
    drop(stream);
    assert!(import.wait().unwrap().success());
    let report = assert_rebuilt(&repo).await;
    assert_eq!((report.source.events, report.source.paths_changed_again), (16, 8));
}

#[tokio::test]
async fn a_repository_with_sha_256_names() {
    let repo = Repo::with_format("sha256");
    change_twice(&repo);
    let report = assert_rebuilt(&repo).await;
    assert_eq!(report.source.head.len(), 64);
}

#[tokio::test]
async fn a_repository_without_a_working_tree_and_a_folder_inside_one() {
    let repo = Repo::busy();
    repo.write("folder/inside", "x");
    repo.commit();
    for inside in ["folder", ".git"] {
        let report = run(&options(&repo.path().join(inside)), Progress::Hidden).await.unwrap();
        assert!(report.ok && report.source.bundled_because.is_none(), "{report}");
        assert_eq!((report.source.events, report.source.paths_of_head), (33, 5));
    }
}

#[tokio::test]
async fn nobodys_settings_change_what_is_read() {
    let repo = Repo::new();
    change_twice(&repo);
    let commit = repo.git(&["rev-parse", "HEAD"]);
    let earlier = repo.git(&["rev-parse", "HEAD~1"]);
    repo.write(".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = ./sub\n\tignore = all\n");
    repo.git(&["add", "--all"]);
    for object in [&commit, &earlier] {
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{object},sub")]);
        repo.git(&["commit", "--quiet", "--message=change"]);
    }
    repo.write("folder/renamed", "the same content under another name, so that it looks like a copy");
    repo.git(&["add", "folder"]);
    repo.git(&["commit", "--quiet", "--message=change"]);
    let head = repo.git(&["rev-parse", "HEAD"]);

    for setting in [
        "color.ui=always",
        "core.quotePath=true",
        "diff.external=false",
        "diff.ignoreSubmodules=all",
        "diff.noPrefix=true",
        "diff.orderFile=no-such-file",
        "diff.relative=true",
        "diff.renames=copies",
        "format.pretty=fuller",
        "log.abbrevCommit=true",
        "log.date=relative",
        "log.decorate=full",
        "log.diffMerges=off",
        "log.showRoot=false",
        "log.showSignature=true",
        "submodule.sub.ignore=all",
    ] {
        let (name, value) = setting.split_once('=').unwrap();
        repo.git(&["config", name, value]);
    }
    repo.git(&["replace", &head, &commit]);
    repo.git(&["notes", "add", "--message=a note", "HEAD~1"]);
    repo.write(".git/info/grafts", &format!("{head}\n"));

    let report = run(&options(&repo.path().join("folder")), Progress::Hidden).await.unwrap();
    assert!(report.ok && report.source.bundled_because.is_none(), "{report}");
    assert_eq!((report.source.commits, report.source.events), (5, 6));
}
