//! Following lasts as long as somebody has a handle, and no longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dayfly::SignalSink;
use dayfly_config::{Refusal, Reload, ReloadError, Watched};
use tokio::sync::oneshot;

use crate::support::{Folder, Other, Settings, WATCH, asked_only, open, soon};

/// Tells when the follower's task lets go of what it holds.
struct Tells(Option<oneshot::Sender<()>>);

impl Drop for Tells {
    fn drop(&mut self) {
        if let Some(ended) = self.0.take() {
            ended.send(()).ok();
        }
    }
}

async fn told(folder: &Folder, signals: &SignalSink) -> (Watched<Settings>, oneshot::Receiver<()>) {
    let (sender, ended) = oneshot::channel();
    let tells = Tells(Some(sender));
    let check = move |_: &Settings| {
        let _held = &tells;
        Ok(())
    };
    (Watched::open_validated(folder.sources(), WATCH, signals, check).await.unwrap(), ended)
}

struct Anyone;

impl Reload<Other> for Anyone {
    fn prepare(&self, _: &Other) -> Result<(), Refusal> {
        Ok(())
    }

    fn commit(&self, _: &Other) {}
}

/// With `kept` alone left of all handles a change is followed, and without it nothing is held any more.
async fn lasts_as_long_as<H>(kept: impl FnOnce(Watched<Settings>) -> H) {
    let folder = Folder::with("limit = 1");
    let signals = SignalSink::default();
    let (watched, ended) = told(&folder, &signals).await;
    let snapshot = watched.snapshot();
    let kept = kept(watched);
    let mut reloaded = signals.watch("config.reloaded");
    folder.replace("app.toml", "limit = 2");
    soon(reloaded.changed()).await;
    drop(kept);
    soon(ended).await.unwrap();
    assert_eq!(snapshot.limit, 1, "what was kept of the value is kept");
}

#[tokio::test]
async fn it_ends_with_the_last_handle_of_whatever_kind() {
    lasts_as_long_as(|watched| watched).await;
    lasts_as_long_as(|watched| watched.reader()).await;
    lasts_as_long_as(|watched| watched.section("other", |settings: &Settings| &settings.other)).await;
    lasts_as_long_as(|watched| {
        watched.section("other", |settings: &Settings| &settings.other).subscribe(Anyone).unwrap()
    })
    .await;
}

#[tokio::test]
async fn a_wait_that_nobody_waits_in_ends_too() {
    let (sender, ended) = oneshot::channel();
    let tells = Tells(Some(sender));
    let check = move |_: &Settings| {
        let _held = &tells;
        Ok(())
    };
    let folder = Folder::new();
    let pending = Watched::spawn_validated(folder.sources(), WATCH, &SignalSink::default(), check).unwrap();
    drop(pending);
    soon(ended).await.unwrap();
}

#[test]
fn when_the_runtime_ends_the_value_stays_and_a_reload_says_so() {
    let folder = Folder::with("limit = 1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let watched = runtime.block_on(asked_only(folder.sources()));
    drop(runtime);
    assert_eq!(watched.load().limit, 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(watched.reload()), Err(ReloadError::Stopped));
}

#[tokio::test]
async fn a_value_whose_drop_panics_costs_nobody_else_anything() {
    #[derive(serde::Deserialize)]
    struct Bomb {
        limit: u32,
    }
    static ARMED: AtomicBool = AtomicBool::new(true);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!ARMED.load(Ordering::SeqCst) || std::thread::panicking(), "it goes off");
        }
    }
    let folder = Folder::with("limit = 1");
    let watched: Watched<Bomb> =
        Watched::open(folder.sources(), WATCH, &SignalSink::default()).await.unwrap();
    for limit in 2..5 {
        folder.write("app.toml", format!("limit = {limit}"));
        assert_eq!(soon(watched.reload()).await, Ok(u64::from(limit)));
        assert_eq!(watched.load().limit, limit);
    }
    ARMED.store(false, Ordering::SeqCst);
}

#[tokio::test]
async fn signals_of_what_is_gone_are_gone() {
    let folder = Folder::with("limit = 1");
    let signals = SignalSink::default();
    let watched = open(folder.sources(), &signals).await;
    folder.write("app.toml", "limit = ");
    watched.reload().await.unwrap_err();
    assert!(signals.is_raised("config.stale"));
    let mut stale = signals.watch("config.stale");
    drop(Arc::new(watched));
    if signals.is_raised("config.stale") {
        soon(stale.changed()).await;
    }
    assert!(!signals.is_raised("config.stale"));
}
