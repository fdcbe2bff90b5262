//! Files that cannot be read, or not as what they are: a clear error, the last value stays, and mending mends.

use std::fs;
use std::time::Duration;

use dayfly::SignalSink;
use dayfly_config::{Sources, Watched};

use crate::support::{ASKED_ONLY, Folder, Settings, asked_only, limit_becomes, open, soon};

/// Breaks a file that was in force, looks for the reason, mends it, and expects it to be followed again.
async fn breaks_and_mends(reason: &str, break_it: impl Fn(&Folder), mend: impl Fn(&Folder)) {
    let folder = Folder::with("limit = 1");
    let watched = asked_only(folder.sources()).await;
    break_it(&folder);
    let error = watched.reload().await.unwrap_err().to_string();
    assert!(error.contains(reason), "{error}\nwanted {reason}");
    assert!(error.contains("app.toml"), "{error}");
    assert_eq!((watched.load().limit, watched.generation()), (1, 1));
    mend(&folder);
    folder.write("app.toml", "limit = 2");
    assert_eq!(watched.reload().await, Ok(2), "after {reason}");
}

fn nothing(_: &Folder) {}

#[tokio::test]
async fn a_directory_in_the_place_of_a_file() {
    let break_it = |folder: &Folder| {
        fs::remove_file(folder.app()).unwrap();
        fs::create_dir(folder.app()).unwrap();
    };
    breaks_and_mends("is a directory", break_it, |folder| fs::remove_dir(folder.app()).unwrap()).await;
}

#[tokio::test]
async fn what_is_no_utf8() {
    breaks_and_mends(
        ":2:9: is no UTF-8",
        |folder| folder.write("app.toml", b"limit = 1\nname = \"\xc3\x28\""),
        nothing,
    )
    .await;
    breaks_and_mends("is no UTF-8", |folder| folder.write("app.toml", b"\xff\xfel\0i\0"), nothing).await;
    breaks_and_mends("is no TOML", |folder| folder.write("app.toml", b"limit = 2\0"), nothing).await;
}

#[tokio::test]
async fn an_empty_file_that_was_none_and_a_huge_one() {
    breaks_and_mends("has become empty", |folder| folder.write("app.toml", ""), nothing).await;
    let huge = format!("name = \"{}\"", "x".repeat(2 * 1024 * 1024));
    breaks_and_mends("is larger than 1048576 bytes", move |folder| folder.write("app.toml", &huge), nothing)
        .await;
}

#[tokio::test]
async fn a_byte_order_mark_and_line_ends_of_other_systems_are_no_fault() {
    let folder = Folder::new();
    folder.write("app.toml", b"\xef\xbb\xbflimit = 1\r\nname = \"x\"\r\n");
    let watched = asked_only(folder.sources()).await;
    assert_eq!((watched.load().limit, watched.load().name.as_str()), (1, "x"));
    folder.write("b.json", b"\xef\xbb\xbf{\"limit\": 2}");
    assert_eq!(asked_only(Sources::new().file(folder.path("b.json"))).await.load().limit, 2);
}

#[tokio::test]
async fn a_file_that_is_empty_from_the_start_says_nothing() {
    let folder = Folder::with("");
    let watched = asked_only(folder.sources()).await;
    assert_eq!(*watched.load(), Settings::default());
    folder.write("app.toml", "limit = 2");
    assert_eq!(watched.reload().await, Ok(2));
    folder.write("app.toml", "# nothing any more");
    assert_eq!(watched.reload().await, Ok(3));
    assert_eq!(watched.load().limit, 0);
}

#[tokio::test]
async fn depth_without_end_is_refused() {
    for deep in ["[".repeat(100_000), "{a=".repeat(100_000), format!("{}=1", "a.".repeat(100_000))] {
        let text = format!("x = {deep}");
        breaks_and_mends("is no TOML", move |folder| folder.write("app.toml", &text), nothing).await;
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    #[tokio::test]
    async fn links_in_a_circle() {
        let break_it = |folder: &Folder| {
            fs::remove_file(folder.app()).unwrap();
            symlink("app.toml", folder.app()).unwrap();
        };
        breaks_and_mends("cannot be read", break_it, |folder| fs::remove_file(folder.app()).unwrap()).await;
    }

    #[tokio::test]
    async fn a_pipe_that_nobody_writes_into_does_not_hold_it_up() {
        let break_it = |folder: &Folder| {
            fs::remove_file(folder.app()).unwrap();
            let made = Command::new("mkfifo").arg(folder.app()).status().unwrap();
            assert!(made.success());
        };
        breaks_and_mends("is no regular file", break_it, |folder| fs::remove_file(folder.app()).unwrap())
            .await;
    }

    #[tokio::test]
    async fn a_permission_that_is_revoked_and_given_back() {
        let folder = Folder::with("limit = 1");
        let mode = |mode| fs::set_permissions(folder.app(), fs::Permissions::from_mode(mode)).unwrap();
        let watched = asked_only(folder.sources()).await;
        mode(0o000);
        // Who may do everything cannot be kept from reading.
        if fs::read(folder.app()).is_ok() {
            return;
        }
        let error = watched.reload().await.unwrap_err().to_string();
        assert!(error.contains("cannot be read: Permission denied"), "{error}");
        mode(0o644);
        assert_eq!(watched.reload().await, Ok(1));
        assert!(!watched.is_stale());
    }

    #[tokio::test]
    async fn a_link_to_nothing_is_a_file_that_is_missing() {
        let folder = Folder::new();
        symlink("nowhere.toml", folder.app()).unwrap();
        let opened = Watched::<Settings>::open(folder.sources(), ASKED_ONLY, &SignalSink::default()).await;
        assert!(opened.unwrap_err().to_string().contains("there is no such file"));
        folder.write("nowhere.toml", "limit = 1");
        assert_eq!(asked_only(folder.sources()).await.load().limit, 1);
    }
}

#[tokio::test]
async fn a_storm_of_other_files_in_the_folder_hides_no_change() {
    let folder = Folder::with("limit = 1");
    let watched = open(folder.sources(), &SignalSink::default()).await;
    for round in 0..2_000 {
        folder.write(&format!("other-{}", round % 50), "x");
    }
    folder.write("app.toml", "limit = 2");
    for round in 0..2_000 {
        fs::remove_file(folder.path(&format!("other-{}", round % 50))).ok();
        folder.write(&format!("other-{}", round % 50), "y");
    }
    limit_becomes(&watched, 2).await;
    assert_eq!(watched.generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn thousands_who_wait_are_all_woken() {
    let folder = Folder::with("limit = 1");
    let watched = asked_only(folder.sources()).await;
    let mut waiters = tokio::task::JoinSet::new();
    for _ in 0..5_000 {
        let watched = watched.clone();
        waiters.spawn(async move { watched.changed_since(1).await.limit });
    }
    dayfly_testing::settle().await;
    folder.write("app.toml", "limit = 2");
    assert_eq!(watched.reload().await, Ok(2));
    let seen = soon(waiters.join_all()).await;
    assert!(seen.len() == 5_000 && seen.iter().all(|limit| *limit == 2));
    // And thousands who ask at once are all answered.
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..5_000 {
        let watched = watched.clone();
        asking.spawn(async move { watched.reload().await });
    }
    let answers = tokio::time::timeout(Duration::from_secs(600), asking.join_all()).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == Ok(2)));
}
