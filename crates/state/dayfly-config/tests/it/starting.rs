//! The first value: an error when there is none, or a wait for it.

use std::time::Duration;

use dayfly::SignalSink;
use dayfly_config::{Sources, Watched};

use crate::support::{Folder, Settings, WATCH, soon};

#[tokio::test]
async fn an_invalid_start_is_an_error_that_says_everything() {
    let signals = SignalSink::default();
    let folder = Folder::with("limit = \"many\"");
    let error = Watched::<Settings>::open(folder.sources(), WATCH, &signals).await.unwrap_err();
    assert_eq!(error.problems().len(), 1);
    assert!(
        error.to_string().ends_with("app.toml:1:9: limit: expected u32, found string \"many\""),
        "{error}"
    );

    let folder = Folder::new();
    let error = Watched::<Settings>::open(folder.sources(), WATCH, &signals).await.unwrap_err();
    assert!(error.to_string().ends_with("app.toml: there is no such file"), "{error}");

    let sources = Sources::new().file("a.ini").profile("a/b");
    let error = Watched::<Settings>::open(sources, WATCH, &signals).await.unwrap_err();
    assert_eq!(error.problems().len(), 2);
    assert!(signals.history("config.*").is_empty(), "who is told by an error needs no signal");
}

#[tokio::test]
async fn no_source_at_all_is_what_the_type_makes_of_it() {
    let watched = Watched::<Settings>::open(Sources::new(), WATCH, &SignalSink::default()).await.unwrap();
    assert_eq!(*watched.load(), Settings::default());
    assert!(watched.exists() && !watched.is_stale());
    assert_eq!((watched.generation(), watched.reload().await), (1, Ok(1)));
}

#[tokio::test]
async fn who_would_rather_wait_gets_the_first_valid_value_and_the_reasons_meanwhile() {
    let folder = Folder::new();
    let signals = SignalSink::default();
    let mut rejected = signals.watch("config.rejected");
    let pending = Watched::<Settings>::spawn(folder.sources(), WATCH, &signals).unwrap();
    soon(rejected.changed()).await;
    assert!(pending.last_rejection().unwrap().to_string().ends_with("there is no such file"));
    rejected.mark_seen();
    folder.write("app.toml", "limit = ");
    soon(rejected.changed()).await;
    assert!(pending.last_rejection().unwrap().to_string().contains("is no TOML"));
    folder.replace("app.toml", "limit = 7");
    let watched = soon(pending.first_valid()).await;
    assert_eq!((watched.load().limit, watched.generation()), (7, 1));
    assert!(watched.last_rejection().is_some() && !watched.is_stale());
    let heard: Vec<String> =
        signals.history("config.*").iter().map(|signal| signal.name().to_owned()).collect();
    assert_eq!(heard, ["config.rejected", "config.rejected", "config.reloaded"]);
    // And it is followed like any other, by everybody who asked.
    let same = pending.first_valid().await;
    drop((watched, pending));
    folder.replace("app.toml", "limit = 8");
    assert_eq!(soon(same.changed_since(1)).await.limit, 8);
}

#[tokio::test]
async fn a_valid_start_needs_no_wait() {
    let folder = Folder::with("limit = 7");
    let pending = Watched::<Settings>::spawn(folder.sources(), WATCH, &SignalSink::default()).unwrap();
    assert_eq!(soon(pending.first_valid()).await.load().limit, 7);
    let wrong = Watched::<Settings>::spawn(Sources::new().file("a.ini"), WATCH, &SignalSink::default());
    assert!(wrong.is_err(), "no change of a file can mend that");
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_by_the_poll_where_there_are_no_events() {
    let folder = Folder::new();
    let options = WATCH.without_watch().poll_every(Duration::from_secs(30));
    let pending = Watched::<Settings>::spawn(folder.sources(), options, &SignalSink::default()).unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(pending.last_rejection().is_some());
    folder.write("app.toml", "limit = 7");
    assert_eq!(pending.first_valid().await.load().limit, 7);
}
