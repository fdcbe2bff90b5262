//! Every public future of the crate, dropped at every moment of its life: no change, no request and no wake-up is lost.
//!
//! Reading and judging take a thread of their own, which may be done before the future is polled again, or not. So each
//! judgement waits at a gate, which opens when the future has been polled and is pending.

use std::sync::{Arc, Condvar, Mutex};

use dayfly::SignalSink;
use dayfly_config::Watched;
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OnceCell};

use crate::support::{ASKED_ONLY, Folder, Settings, soon};

/// Lets as many judgements pass as it has been told to.
#[derive(Default)]
struct Gate {
    passes: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    /// Waits for a pass, on a thread for blocking work.
    fn pass(&self) {
        let mut passes = self.changed.wait_while(self.passes.lock().unwrap(), |passes| *passes == 0).unwrap();
        *passes -= 1;
    }

    fn allow(&self, passes: usize) {
        *self.passes.lock().unwrap() += passes;
        self.changed.notify_all();
    }

    /// One pass, given when whoever calls this has suspended.
    fn allow_later(self: &Arc<Self>) {
        let gate = Arc::clone(self);
        drop(Handle::current().spawn(async move { gate.allow(1) }));
    }
}

/// A configuration whose file has been changed since it was read.
struct Scene {
    folder: Folder,
    gate: Arc<Gate>,
    watched: OnceCell<Watched<Settings>>,
    /// Told when the check, and so whoever holds it, is let go of.
    gone: Arc<Notify>,
}

struct Tells(Arc<Notify>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Scene {
    fn new() -> Arc<Self> {
        let folder = Folder::with("limit = 1\nother = { size = 1 }");
        Arc::new(Self { folder, gate: Arc::default(), watched: OnceCell::new(), gone: Arc::default() })
    }

    fn check(&self) -> impl Fn(&Settings) -> Result<(), dayfly_config::Invalid> + Send + Sync + 'static {
        let (gate, tells) = (Arc::clone(&self.gate), Tells(Arc::clone(&self.gone)));
        move |_| {
            let _held = &tells;
            gate.pass();
            Ok(())
        }
    }

    /// One suspension, the first time.
    async fn open(&self) -> &Watched<Settings> {
        let open = || async {
            self.gate.allow_later();
            let (sources, signals) = (self.folder.sources(), SignalSink::default());
            let watched = Watched::open_validated(sources, ASKED_ONLY, &signals, self.check()).await.unwrap();
            self.folder.write("app.toml", "limit = 2\nother = { size = 2 }");
            watched
        };
        self.watched.get_or_init(open).await
    }

    /// As it is when the future is gone: every judgement passes.
    async fn after(&self) -> &Watched<Settings> {
        self.gate.allow(100);
        self.open().await
    }
}

#[test]
fn opening_leaves_nothing_behind() {
    let report = drop_at_every_poll(
        Scene::new,
        |scene| async move {
            scene.gate.allow_later();
            let (sources, signals) = (scene.folder.sources(), SignalSink::default());
            Watched::open_validated(sources, ASKED_ONLY, &signals, scene.check()).await.unwrap();
        },
        |scene, point| async move {
            if point != DropPoint::Before(1) {
                // The thread that reads lets go by itself, and so does a task.
                scene.gone.notified().await;
            }
        },
    );
    assert_eq!(report.polls, 2, "{report:?}");
}

#[test]
fn a_reload_that_nobody_waits_for_is_made() {
    let report = drop_at_every_poll(
        Scene::new,
        |scene| async move {
            let watched = scene.open().await;
            scene.gate.allow_later();
            assert_eq!(watched.reload().await, Ok(2));
        },
        |scene, point| async move {
            let watched = scene.after().await;
            // The first poll opens, the second asks.
            if matches!(point, DropPoint::After(2) | DropPoint::Before(3)) {
                assert_eq!(soon(watched.changed_since(1)).await.limit, 2);
            }
            // Asked or not before, asking again is answered, and the change was made once.
            assert_eq!(soon(watched.reload()).await, Ok(2));
            assert_eq!(watched.load().limit, 2);
        },
    );
    assert_eq!(report.polls, 3, "{report:?}");
}

#[test]
fn a_wait_for_a_change_that_is_given_up_costs_nobody_else_his() {
    let report = drop_at_every_poll(
        Scene::new,
        |scene| async move {
            let watched = scene.open().await;
            let changing = watched.clone();
            scene.gate.allow_later();
            drop(Handle::current().spawn(async move { changing.reload().await }));
            assert_eq!(watched.changed_since(1).await.limit, 2);
        },
        |scene, _| async move {
            let watched = scene.after().await;
            let waiting = watched.clone();
            let mut others = tokio::task::JoinSet::new();
            others.spawn(async move { waiting.changed_since(1).await.limit });
            settle().await;
            assert_eq!(soon(watched.reload()).await, Ok(2));
            assert_eq!(soon(others.join_all()).await, [2]);
        },
    );
    assert_eq!(report.polls, 3, "{report:?}");
}

#[test]
fn a_wait_for_a_section_that_is_given_up_misses_nothing() {
    let report = drop_at_every_poll(
        Scene::new,
        |scene| async move {
            let watched = scene.open().await;
            let section = watched.section("other", |settings: &Settings| &settings.other);
            let (seen, changing) = (watched.snapshot(), watched.clone());
            scene.gate.allow_later();
            drop(Handle::current().spawn(async move { changing.reload().await }));
            assert_eq!(section.changed_since(&seen).await.other.size, 2);
        },
        |scene, _| async move {
            let watched = scene.after().await;
            let section = watched.section("other", |settings: &Settings| &settings.other);
            let seen = watched.snapshot();
            scene.folder.write("app.toml", "other = { size = 3 }");
            watched.reload().await.unwrap();
            assert_eq!(soon(section.changed_since(&seen)).await.other.size, 3);
        },
    );
    assert_eq!(report.polls, 3, "{report:?}");
}

#[test]
fn a_wait_for_the_first_value_may_be_given_up_and_taken_up_again() {
    let report = drop_at_every_poll(
        || {
            let scene = Scene::new();
            let (sources, signals) = (scene.folder.sources(), SignalSink::default());
            let pending = Watched::spawn_validated(sources, ASKED_ONLY, &signals, scene.check()).unwrap();
            (scene, Arc::new(pending))
        },
        |(scene, pending)| async move {
            scene.gate.allow_later();
            assert_eq!(pending.first_valid().await.load().limit, 1);
        },
        |(scene, pending), _| async move {
            scene.gate.allow(100);
            assert_eq!(soon(pending.first_valid()).await.load().limit, 1);
        },
    );
    assert_eq!(report.polls, 2, "{report:?}");
}
