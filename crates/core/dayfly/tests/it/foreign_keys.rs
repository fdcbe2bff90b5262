//! Keys are foreign code. Each of their methods is made to panic at each of its calls in turn, as bodies are dropped at each
//! of their polls: the item at hand may be lost to it, and nothing else.

use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dayfly::{CoordinatorOptions, DrainReport, KeyedCoordinator, Keys, Operation, SignalSink};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Clone,
    Eq,
    Hash,
    Drop,
    Weigh,
}

/// Burns at one call of one method, or at every one from then on.
struct Fuse {
    method: Method,
    calls: AtomicUsize,
    at: usize,
    is_lasting: bool,
}

impl Fuse {
    fn burn(&self, method: Method) {
        if self.method != method || std::thread::panicking() {
            return;
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(call != self.at && !(self.is_lasting && call > self.at), "burnt");
    }

    fn is_burnt(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > self.at
    }
}

/// A key whose methods panic when its fuse burns.
struct Key {
    number: u32,
    fuse: Arc<Fuse>,
}

impl Clone for Key {
    fn clone(&self) -> Self {
        self.fuse.burn(Method::Clone);
        Self { number: self.number, fuse: Arc::clone(&self.fuse) }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        // Of two that only share a place in a table either may be asked, which would be another key's panic.
        if self.number == other.number {
            self.fuse.burn(Method::Eq);
        }
        self.number == other.number
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fuse.burn(Method::Hash);
        self.number.hash(state);
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.fuse.burn(Method::Drop);
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.number)
    }
}

#[derive(Clone, Copy)]
enum Way {
    Done,
    Suspended,
    Again,
    Failed,
}

struct Item {
    key: u32,
    way: Way,
    /// Tells whether the item is still somewhere.
    _token: Arc<()>,
}

/// What a round of work has come to.
struct Outcome {
    report: DrainReport,
    accepted: u64,
    /// Completed items of the key that is never to panic.
    unharmed: usize,
    items_left: usize,
}

const SOUND: u32 = 7;

/// A panic of the caller's own call is the caller's.
fn own<R>(call: impl FnOnce() -> R) {
    drop(catch_unwind(AssertUnwindSafe(call)));
}

/// Work of three keys that goes every way that there is, twice, with somebody who looks at it and meddles.
async fn work(fuse: &Arc<Fuse>, per_key: usize) -> Outcome {
    let (safe, token, unharmed) = (sound(), Arc::new(()), Arc::new(AtomicUsize::new(0)));
    let key = {
        let fuse = Arc::clone(fuse);
        move |number| Key { number, fuse: Arc::clone(if number == SOUND { &safe } else { &fuse }) }
    };
    let weighed = Arc::clone(fuse);
    let keys = Keys::of({
        let key = key.clone();
        move |item: &Item| key(item.key)
    })
    .weight(move |key| {
        if key.number != SOUND {
            weighed.burn(Method::Weigh);
        }
        2
    });
    let options = CoordinatorOptions::new()
        .max_concurrency(3)
        .max_concurrency_per_key(per_key)
        .queue_capacity(64)
        .max_queued_per_key(32)
        .window_size(3);
    let done = Arc::clone(&unharmed);
    let body = move |item: Item, op: Operation| {
        let done = Arc::clone(&done);
        async move {
            match (item.way, op.attempt()) {
                (Way::Again, 1) => return op.again(item, Duration::from_secs(1)),
                (Way::Failed, _) => return op.fail("no"),
                (Way::Suspended, _) => tokio::time::sleep(Duration::from_secs(1)).await,
                _ => {}
            }
            if item.key == SOUND {
                done.fetch_add(1, Ordering::SeqCst);
            }
            op.done()
        }
    };
    let work =
        KeyedCoordinator::spawn_salvaging(options, &SignalSink::default(), keys, body, |item, _| drop(item));
    work.on_finish(|_| {});
    work.on_evict(|_| {});
    let mut accepted = 0;
    for _ in 0..2 {
        work.pause();
        let mut ids = Vec::new();
        for number in [1, SOUND, 2] {
            for way in [Way::Done, Way::Again, Way::Suspended, Way::Failed, Way::Done] {
                let item = Item { key: number, way, _token: Arc::clone(&token) };
                let enqueued = AssertUnwindSafe(work.enqueue(item)).catch_unwind().await;
                ids.extend(enqueued.ok().map(|accepted| (number, accepted.unwrap())));
            }
        }
        accepted += ids.len() as u64;
        own(|| work.take_queued(&key(2)).len());
        if let Some((1, id)) = ids.first() {
            work.kill(*id);
        }
        own(|| work.pause_key(key(1)));
        own(|| work.resume_key(&key(1)));
        work.resume();
        tokio::task::yield_now().await;
        own(|| work.window().len());
        own(|| work.key_stats(&key(1)));
        own(|| work.hottest(2).len());
        // A pause that its owner could not lift is nobody else's business.
        own(|| work.resume_key(&key(1)));
        assert!(timeout(Duration::from_secs(3_600), work.idle()).await.is_ok(), "it never became idle");
    }
    let report = timeout(Duration::from_secs(3_600), work.drain()).await.unwrap();
    own(|| drop(work));
    tokio::task::yield_now().await;
    let items_left = Arc::strong_count(&token) - 1;
    Outcome { report, accepted, unharmed: unharmed.load(Ordering::SeqCst), items_left }
}

/// A fuse that never burns.
fn sound() -> Arc<Fuse> {
    Arc::new(Fuse { method: Method::Drop, calls: AtomicUsize::new(0), at: usize::MAX, is_lasting: false })
}

fn check(outcome: &Outcome, what: &str) {
    let DrainReport { accepted, completed, failed, cancelled, skipped, panicked, .. } = outcome.report;
    assert_eq!(accepted, outcome.accepted, "{what}: what was handed in was accepted, and nothing else");
    assert_eq!(completed + failed + cancelled + skipped + panicked, accepted, "{what}: each ended once");
    assert_eq!(outcome.unharmed, 8, "{what}: another key's items were not touched");
    assert_eq!(outcome.items_left, 0, "{what}: an item was forgotten");
}

fn run(fuse: &Arc<Fuse>, per_key: usize) -> Outcome {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    let outcome = runtime.block_on(async {
        let began = Instant::now();
        let outcome = work(fuse, per_key).await;
        assert!(began.elapsed() < Duration::from_secs(60), "nobody waited for long");
        outcome
    });
    drop(runtime);
    outcome
}

/// Burns the fuse at every call of the method in turn. Says how many there are.
fn burn_at_each_call(method: Method, per_key: usize, is_lasting: bool) -> usize {
    let unburnt = run(&sound(), per_key).report;
    for at in 0.. {
        let fuse = Arc::new(Fuse { method, calls: AtomicUsize::new(0), at, is_lasting });
        let outcome = run(&fuse, per_key);
        if !fuse.is_burnt() {
            return at;
        }
        let what = format!("{method:?} panics at call {at}");
        check(&outcome, &what);
        if !is_lasting {
            let report = outcome.report;
            let ended = |report: DrainReport| report.completed + report.failed + report.cancelled;
            assert!(ended(unburnt) - ended(report) <= 1, "{what}: it cost one item, not {report:?}");
        }
    }
    unreachable!("a scenario has an end")
}

#[test]
fn a_key_that_panics_once_costs_one_item() {
    for per_key in [1, 2] {
        for method in [Method::Clone, Method::Eq, Method::Hash, Method::Drop, Method::Weigh] {
            let calls = burn_at_each_call(method, per_key, false);
            assert!(calls >= 4, "{method:?} was called {calls} times only");
        }
    }
}

#[test]
fn a_key_that_panics_for_ever_hurts_no_other_key() {
    for method in [Method::Clone, Method::Eq, Method::Hash, Method::Drop] {
        burn_at_each_call(method, 1, true);
    }
}
