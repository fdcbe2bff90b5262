//! Every public future of the crate, dropped at every moment of its life: no change, no request and no wake-up is lost.

use std::sync::Arc;

use dayfly::SignalSink;
use dayfly_config::{Sources, Watched};
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};
use tokio::sync::Notify;

use crate::support::{ASKED_ONLY, Folder, Settings, asked_only, soon};

/// Tells when it is let go of.
struct Tells(Arc<Notify>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[test]
fn opening_leaves_nothing_behind() {
    let report = drop_at_every_poll(
        || (Arc::new(Folder::with("limit = 1")), Arc::new(Notify::new())),
        |(folder, gone)| async move {
            let tells = Tells(gone);
            let check = move |_: &Settings| {
                let _held = &tells;
                Ok(())
            };
            let signals = SignalSink::default();
            Watched::open_validated(folder.sources(), ASKED_ONLY, &signals, check).await.unwrap();
        },
        |(_, gone), point| async move {
            if point != DropPoint::Before(1) {
                // The thread that reads lets go by itself, and so does a task.
                gone.notified().await;
            }
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

/// A configuration whose file has been changed since it was read.
async fn changed() -> (Folder, Watched<Settings>) {
    let folder = Folder::with("limit = 1\nother = { size = 1 }");
    let watched = asked_only(folder.sources()).await;
    folder.write("app.toml", "limit = 2\nother = { size = 2 }");
    (folder, watched)
}

type Setup = Arc<tokio::sync::OnceCell<(Folder, Watched<Settings>)>>;

#[test]
fn a_reload_that_nobody_waits_for_is_made() {
    let report = drop_at_every_poll(
        Setup::default,
        |setup| async move {
            let (_, watched) = setup.get_or_init(changed).await;
            assert_eq!(watched.reload().await, Ok(2));
        },
        |setup, _| async move {
            let (_, watched) = setup.get_or_init(changed).await;
            // Asked or not before, asking again is answered, and the change was made once.
            assert_eq!(soon(watched.reload()).await, Ok(2));
            assert_eq!(watched.load().limit, 2);
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn a_wait_for_a_change_that_is_given_up_costs_nobody_else_his() {
    let report = drop_at_every_poll(
        Setup::default,
        |setup| async move {
            let (_, watched) = setup.get_or_init(changed).await;
            let changing = watched.clone();
            let mut tasks = tokio::task::JoinSet::new();
            tasks.spawn(async move { changing.reload().await });
            assert_eq!(watched.changed_since(1).await.limit, 2);
        },
        |setup, _| async move {
            let (_, watched) = setup.get_or_init(changed).await;
            let waiting = watched.clone();
            let mut others = tokio::task::JoinSet::new();
            others.spawn(async move { waiting.changed_since(1).await.limit });
            settle().await;
            assert_eq!(soon(watched.reload()).await, Ok(2));
            assert_eq!(soon(others.join_all()).await, [2]);
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn a_wait_for_a_section_that_is_given_up_misses_nothing() {
    let report = drop_at_every_poll(
        Setup::default,
        |setup| async move {
            let (_, watched) = setup.get_or_init(changed).await;
            let section = watched.section("other", |settings: &Settings| &settings.other);
            let seen = watched.snapshot();
            let changing = watched.clone();
            let mut tasks = tokio::task::JoinSet::new();
            tasks.spawn(async move { changing.reload().await });
            assert_eq!(section.changed_since(&seen).await.other.size, 2);
        },
        |setup, _| async move {
            let (folder, watched) = setup.get_or_init(changed).await;
            let section = watched.section("other", |settings: &Settings| &settings.other);
            let seen = watched.snapshot();
            folder.write("app.toml", "other = { size = 3 }");
            watched.reload().await.unwrap();
            assert_eq!(soon(section.changed_since(&seen)).await.other.size, 3);
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn a_wait_for_the_first_value_may_be_given_up_and_taken_up_again() {
    let report = drop_at_every_poll(
        || {
            let folder = Folder::with("limit = 7");
            let sources = Sources::new().file(folder.app());
            let pending = Watched::<Settings>::spawn(sources, ASKED_ONLY, &SignalSink::default()).unwrap();
            Arc::new((folder, pending))
        },
        |setup| async move { assert_eq!(setup.1.first_valid().await.load().limit, 7) },
        |setup, point| async move {
            assert_eq!(soon(setup.1.first_valid()).await.load().limit, 7);
            assert!(matches!(point, DropPoint::Before(_) | DropPoint::After(_) | DropPoint::Completed));
        },
    );
    assert!(report.drops >= 2, "{report:?}");
}
