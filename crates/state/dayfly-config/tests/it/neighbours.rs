//! Several who follow, one who is slow, and one who is never asked.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use dayfly::SignalSink;
use dayfly_config::{Invalid, Refusal, Reload, Sources, Watched};
use tokio::task::JoinSet;

use crate::support::{ASKED_ONLY, Folder, Settings, limit_becomes, open, soon};

#[tokio::test]
async fn two_who_follow_one_folder_see_their_own_files_and_end_by_themselves() {
    let folder = Folder::with("limit = 1");
    folder.write("other.toml", "limit = 10");
    let signals = SignalSink::default();
    let app = folder.open().await;
    let same = folder.open().await;
    let other = open(Sources::new().file(folder.path("other.toml")), &signals).await;
    folder.replace("app.toml", "limit = 2");
    for watched in [&app, &same] {
        limit_becomes(watched, 2).await;
    }
    drop(app);
    folder.replace("app.toml", "limit = 3");
    folder.replace("other.toml", "limit = 30");
    limit_becomes(&same, 3).await;
    limit_becomes(&other, 30).await;
    assert_eq!((same.generation(), other.generation()), (3, 2), "nobody was told of what is another's");
    // What is wrong with one file is nothing to the other.
    folder.replace("other.toml", "limit = wrong");
    soon(async {
        while !other.is_stale() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!same.is_stale() && same.last_rejection().is_none());
    fs::remove_file(folder.app()).unwrap();
    soon(async {
        while same.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(other.exists() && same.load().limit == 3);
}

/// Says that it is asked, and then waits until it is let go.
struct Slow {
    asked: tokio::sync::mpsc::Sender<u32>,
    go: Mutex<Receiver<()>>,
    told: Arc<AtomicUsize>,
}

impl Reload<Settings> for Slow {
    fn prepare(&self, next: &Settings) -> Result<(), Refusal> {
        if next.limit > 1 {
            self.asked.try_send(next.limit).unwrap();
            self.go.lock().unwrap().recv().unwrap();
        }
        Ok(())
    }

    fn commit(&self, _: &Settings) {
        self.told.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn who_is_slow_to_answer_holds_up_the_change_and_no_reader() {
    let folder = Folder::with("limit = 1");
    let watched: Watched<Settings> =
        Watched::open(folder.sources(), ASKED_ONLY, &SignalSink::default()).await.unwrap();
    let (asked, mut was_asked) = tokio::sync::mpsc::channel(4);
    let (let_go, go) = sync_channel(4);
    let told = Arc::new(AtomicUsize::new(0));
    let _bound = watched.subscribe(Slow { asked, go: Mutex::new(go), told: Arc::clone(&told) }).unwrap();
    folder.write("app.toml", "limit = 2");
    let mut changes = JoinSet::new();
    let asking = watched.clone();
    changes.spawn(async move { asking.reload().await });
    assert_eq!(soon(was_asked.recv()).await, Some(2));
    for _ in 0..1_000 {
        assert_eq!((watched.load().limit, watched.generation()), (1, 1));
    }
    // What happens meanwhile waits its turn, and the last content wins.
    folder.write("app.toml", "limit = 3");
    let asking = watched.clone();
    changes.spawn(async move { asking.reload().await });
    let_go.send(()).unwrap();
    assert_eq!(soon(changes.join_next()).await.unwrap().unwrap(), Ok(2));
    assert_eq!(soon(was_asked.recv()).await, Some(3));
    assert_eq!(watched.load().limit, 2);
    let_go.send(()).unwrap();
    assert_eq!(soon(changes.join_next()).await.unwrap().unwrap(), Ok(3));
    assert_eq!((watched.load().limit, told.load(Ordering::SeqCst)), (3, 3));
}

#[tokio::test]
async fn what_the_check_refuses_nobody_who_follows_is_asked_about() {
    struct Asked(Arc<AtomicUsize>);
    impl Reload<Settings> for Asked {
        fn prepare(&self, _: &Settings) -> Result<(), Refusal> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
        fn commit(&self, _: &Settings) {}
    }
    let folder = Folder::with("limit = 1");
    let check = |settings: &Settings| match settings.limit {
        0..10 => Ok(()),
        _ => Err(Invalid::at("limit", "must be below 10").and(Invalid::at("name", "goes with it"))),
    };
    let signals = SignalSink::default();
    let watched = Watched::open_validated(folder.sources(), ASKED_ONLY, &signals, check).await.unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let _bound = watched.subscribe(Asked(Arc::clone(&asked))).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1, "about the value in force");
    for text in ["limit = 10", "limit = -1", "limit =", "limits = 1"] {
        folder.write("app.toml", text);
        watched.reload().await.unwrap_err();
    }
    assert_eq!((asked.load(Ordering::SeqCst), watched.generation()), (1, 1));
    folder.write("app.toml", "limit = 11");
    let problems = watched.reload().await.unwrap_err().to_string();
    assert!(problems.contains("app.toml:1:9: limit: must be below 10; name: goes with it"), "{problems}");
}
