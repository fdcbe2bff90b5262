//! Overlays of a profile come, change and go.

use std::fs;

use crate::support::{Folder, asked_only};

#[tokio::test]
async fn an_overlay_that_comes_later_counts_and_one_that_goes_says_what_it_said_last() {
    let folder = Folder::with("limit = 1\ntwice = 1");
    let watched = asked_only(folder.sources().profile("test")).await;
    assert_eq!((watched.load().limit, watched.exists()), (1, true));
    folder.write("app.test.toml", "limit = 10");
    assert_eq!(watched.reload().await, Ok(2));
    assert_eq!((watched.load().limit, watched.load().twice), (10, 1));
    // The file beneath has no say in what the overlay says, and in everything else.
    folder.write("app.toml", "limit = 2\ntwice = 2");
    assert_eq!(watched.reload().await, Ok(3));
    assert_eq!((watched.load().limit, watched.load().twice), (10, 2));
    fs::remove_file(folder.path("app.test.toml")).unwrap();
    assert_eq!(watched.reload().await, Ok(3));
    assert_eq!((watched.load().limit, watched.exists(), watched.is_stale()), (10, false, true));
    folder.write("app.test.toml", "# nothing");
    assert_eq!(watched.reload().await, Ok(4));
    assert_eq!((watched.load().limit, watched.exists(), watched.is_stale()), (2, true, false));
}

#[tokio::test]
async fn another_profile_is_another_overlay_and_an_invalid_one_is_named() {
    let folder = Folder::with("limit = 1\nname = \"base\"\n[other]\nsize = 1\nlabel = \"base\"");
    folder.write("app.test.toml", "limit = 10\nother = { size = 10 }");
    folder.write("app.production.toml", "limit = 100\nhosts = [\"a\"]");
    let of = async |profile: &str| asked_only(folder.sources().profile(profile)).await.snapshot();
    let (test, production, none) = (of("test").await, of("production").await, of("staging").await);
    assert_eq!((test.limit, test.other.size, test.other.label.as_str()), (10, 10, "base"));
    assert_eq!((production.limit, production.other.size, production.hosts.len()), (100, 1, 1));
    assert_eq!((none.limit, none.name.as_str()), (1, "base"));
    let watched = asked_only(folder.sources().profile("test")).await;
    folder.write("app.test.toml", "other = { size = \"ten\" }");
    let error = watched.reload().await.unwrap_err().to_string();
    assert!(error.ends_with("app.test.toml:1:18: other.size: expected u32, found string \"ten\""), "{error}");
    assert_eq!(watched.load().other.size, 10);
}
