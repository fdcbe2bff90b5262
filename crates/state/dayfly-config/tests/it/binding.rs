//! Who follows a section is asked first and told second, and all change together or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use dayfly::{Coordinator, CoordinatorOptions, Fixed, Reconfigure, SignalSink};
use dayfly_config::{Refusal, Reload, ReloadError, Watched};
use tokio::sync::{Semaphore, watch};

use crate::support::{Folder, Other, Settings, asked_only, limit_becomes, open, soon};

/// Writes down what it is asked and told, and refuses or panics on request.
#[derive(Clone, Default)]
struct Scribe {
    name: &'static str,
    book: Arc<Mutex<Vec<String>>>,
}

impl Scribe {
    fn named(name: &'static str, book: &Arc<Mutex<Vec<String>>>) -> Self {
        Self { name, book: Arc::clone(book) }
    }

    fn note(&self, what: &str, size: u32) {
        self.book.lock().unwrap().push(format!("{} {what} {size}", self.name));
    }
}

impl Reload<Other> for Scribe {
    fn prepare(&self, next: &Other) -> Result<(), Refusal> {
        self.note("asked", next.size);
        match next.label.strip_prefix(self.name) {
            Some(" refuses") => Err(Refusal::new("not that one")),
            Some(" panics when asked") => panic!("asked too much"),
            _ => Ok(()),
        }
    }

    fn commit(&self, next: &Other) {
        assert_ne!(next.label.strip_prefix(self.name), Some(" panics when told"), "told too much");
        self.note("told", next.size);
    }
}

fn taken(book: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *book.lock().unwrap())
}

async fn rejected(folder: &Folder, watched: &Watched<Settings>, text: &str) -> String {
    folder.write("app.toml", text);
    let Err(ReloadError::Rejected(rejection)) = watched.reload().await else { panic!("{text} was taken") };
    rejection.to_string().replace(folder.temp.path().to_str().unwrap(), "")
}

#[tokio::test]
async fn all_are_asked_before_anyone_is_told_and_an_equal_section_is_left_alone() {
    let folder = Folder::with("other = { size = 1 }");
    let watched = asked_only(folder.sources()).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    let book = Arc::default();
    let _one = section.subscribe(Scribe::named("one", &book)).unwrap();
    let _two = section.subscribe(Scribe::named("two", &book)).unwrap();
    assert_eq!(taken(&book), ["one asked 1", "one told 1", "two asked 1", "two told 1"]);
    folder.write("app.toml", "other = { size = 2 }");
    assert_eq!(watched.reload().await, Ok(2));
    assert_eq!(taken(&book), ["one asked 2", "two asked 2", "one told 2", "two told 2"]);
    folder.write("app.toml", "other = { size = 2 }\nlimit = 7");
    assert_eq!(watched.reload().await, Ok(3));
    assert!(taken(&book).is_empty(), "the section is equal");
}

#[tokio::test]
async fn one_refusal_and_nobody_changes() {
    let folder = Folder::with("other = { size = 1 }");
    let watched = asked_only(folder.sources()).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    let book = Arc::default();
    let _one = section.subscribe(Scribe::named("one", &book)).unwrap();
    let _two = section.subscribe(Scribe::named("two", &book)).unwrap();
    taken(&book);
    let why = rejected(&folder, &watched, "[other]\nsize = 2\nlabel = \"two refuses\"").await;
    assert_eq!(why, "/app.toml:1:1: other: not that one");
    assert_eq!(taken(&book), ["one asked 2", "two asked 2"]);
    let why = rejected(&folder, &watched, "[other]\nsize = 3\nlabel = \"one panics when asked\"").await;
    assert_eq!(why, "/app.toml:1:1: other: who follows it panicked: asked too much");
    assert_eq!(taken(&book), ["one asked 3", "two asked 3"]);
    assert_eq!((watched.load().other.size, watched.generation()), (1, 1));
}

#[tokio::test]
async fn who_fails_when_told_undoes_it_for_all() {
    let folder = Folder::with("other = { size = 1 }");
    let watched = asked_only(folder.sources()).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    let book = Arc::default();
    let _one = section.subscribe(Scribe::named("one", &book)).unwrap();
    let _two = section.subscribe(Scribe::named("two", &book)).unwrap();
    let _three = section.subscribe(Scribe::named("three", &book)).unwrap();
    taken(&book);
    rejected(&folder, &watched, "other = { size = 2, label = \"two panics when told\" }").await;
    let told = ["one asked 2", "two asked 2", "three asked 2", "one told 2", "two told 1", "one told 1"];
    assert_eq!(taken(&book), told);
    assert_eq!((watched.load().other.size, watched.generation()), (1, 1));
    folder.write("app.toml", "other = { size = 4 }");
    assert_eq!(watched.reload().await, Ok(2), "and life goes on");
}

#[tokio::test]
async fn a_dropped_binding_is_asked_no_more() {
    let folder = Folder::with("other = { size = 1 }");
    let watched = asked_only(folder.sources()).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    let book = Arc::default();
    let one = section.subscribe(Scribe::named("one", &book)).unwrap();
    taken(&book);
    drop(one);
    folder.write("app.toml", "other = { size = 2, label = \"one refuses\" }");
    assert_eq!(watched.reload().await, Ok(2));
    assert!(taken(&book).is_empty());
    // Who refuses what is in force is not bound, and comes back.
    let error = section.subscribe(Scribe::named("one", &book)).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.target.name), ("not that one", "one"));
    folder.write("app.toml", "other = { size = 3 }");
    assert_eq!(watched.reload().await, Ok(3));
    assert_eq!(taken(&book), ["one asked 2"]);
}

/// Binds another one, drops a binding and reads, all from within a change.
#[tokio::test]
async fn who_is_told_may_use_the_configuration_from_within() {
    type Bindings = Arc<Mutex<Vec<dayfly_config::Binding>>>;
    struct Busy(Watched<Settings>, Arc<Mutex<Vec<String>>>, Bindings);
    impl Reload<Other> for Busy {
        fn prepare(&self, next: &Other) -> Result<(), Refusal> {
            if self.0.load().other != *next {
                let section = self.0.section("other", |settings: &Settings| &settings.other);
                let late = section.subscribe(Scribe::named("late", &self.1)).unwrap();
                self.2.lock().unwrap().push(late);
            }
            Ok(())
        }
        fn commit(&self, _: &Other) {
            drop(self.0.report());
        }
    }
    let folder = Folder::with("other = { size = 1 }");
    let watched = asked_only(folder.sources()).await;
    let section = watched.section("other", |settings: &Settings| &settings.other);
    let (book, late) = (Arc::default(), Bindings::default());
    let binding = section.subscribe(Busy(watched.clone(), Arc::clone(&book), Arc::clone(&late))).unwrap();
    folder.write("app.toml", "other = { size = 2 }");
    assert_eq!(soon(watched.reload()).await, Ok(2));
    // Who came in meanwhile followed the old value first, and then was taken along.
    assert_eq!(taken(&book), ["late asked 1", "late told 1", "late asked 2", "late told 2"]);
    drop((binding, std::mem::take(&mut *late.lock().unwrap())));
}

#[tokio::test]
async fn the_whole_can_be_followed_too() {
    struct Whole(Arc<AtomicUsize>);
    impl Reconfigure<Settings> for Whole {
        fn check(&self, options: &Settings) -> Result<(), Fixed> {
            assert!(options.limit < 5);
            Ok(())
        }
        fn reconfigure(&self, options: &Settings) -> Result<(), Fixed> {
            self.0.store(options.limit as usize, Ordering::SeqCst);
            Ok(())
        }
    }
    let folder = Folder::with("limit = 1");
    let watched = asked_only(folder.sources()).await;
    let limit = Arc::new(AtomicUsize::new(0));
    let _binding = watched.bind(Whole(Arc::clone(&limit))).unwrap();
    assert_eq!(limit.load(Ordering::SeqCst), 1);
    folder.write("app.toml", "limit = 2");
    assert_eq!(watched.reload().await, Ok(2));
    assert_eq!(limit.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_coordinator_follows_its_section_and_refuses_what_it_cannot() {
    let folder = Folder::with("[orders]\nmax_concurrency = 8");
    let watched = asked_only(folder.sources()).await;
    let section = watched.section("orders", |settings: &Settings| &settings.orders);
    let options = section.load().clone();
    let work = Coordinator::spawn(options, &SignalSink::default(), |_: u32, _| async {});
    let _binding = section.bind(work.clone()).unwrap();
    folder.write("app.toml", "[orders]\nmax_concurrency = 2");
    assert_eq!(watched.reload().await, Ok(2));
    assert_eq!(work.stats().max_concurrency, 2);
    let why = rejected(&folder, &watched, "[orders]\nmax_concurrency = 4\nburst = 3").await;
    assert_eq!(why, "/app.toml:1:1: orders: burst holds from the start on and cannot be changed");
    assert_eq!(work.stats().max_concurrency, 2);
    let other =
        Coordinator::spawn(CoordinatorOptions::new().burst(1), &SignalSink::default(), |(), _| async {});
    assert!(section.bind(other).is_err(), "it cannot follow what is in force");
}

/// What bodies have done, for who waits for it.
#[derive(Clone, Copy, Default)]
struct Bodies {
    running: usize,
    most: usize,
    finished: usize,
}

/// Case 61: 8 to 2 to 16 under load, by a real file, and not a permit is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_coordinator_is_resized_under_load_and_loses_no_permit() {
    let folder = Folder::with("limit = 8\n[orders]\nmax_concurrency = 8\nqueue_capacity = 10_000");
    let watched = open(folder.sources(), &SignalSink::default()).await;
    let section = watched.section("orders", |settings: &Settings| &settings.orders);
    let (bodies, mut seen) = watch::channel(Bodies::default());
    let (bodies, steps) = (Arc::new(bodies), Arc::new(Semaphore::new(0)));
    let (noted, taken) = (Arc::clone(&bodies), Arc::clone(&steps));
    let work = Coordinator::spawn(section.load().clone(), &SignalSink::default(), move |_: u32, _| {
        let (bodies, steps) = (Arc::clone(&noted), Arc::clone(&taken));
        async move {
            bodies.send_modify(|bodies| {
                bodies.running += 1;
                bodies.most = bodies.most.max(bodies.running);
            });
            steps.acquire().await.unwrap().forget();
            bodies.send_modify(|bodies| {
                bodies.running -= 1;
                bodies.finished += 1;
            });
        }
    });
    let _binding = section.bind(work.clone()).unwrap();
    for item in 0..3_000 {
        work.try_enqueue(item).unwrap();
    }
    let mut finished = 0;
    for limit in [8, 2, 16, 1, 5, 2, 16_usize] {
        let text = format!("limit = {limit}\n[orders]\nmax_concurrency = {limit}\nqueue_capacity = 10_000");
        folder.replace("app.toml", &text);
        limit_becomes(&watched, u32::try_from(limit).unwrap()).await;
        assert_eq!(work.stats().max_concurrency, limit);
        // What ran under the old limit ends; from then on the new one is used to the full, and never exceeded.
        for (step, counts) in [(16, false), (100, true)] {
            bodies.send_modify(|bodies| bodies.most = 0);
            steps.add_permits(step);
            finished += step;
            let full = |bodies: &Bodies| bodies.finished == finished && bodies.running == limit;
            let most = soon(seen.wait_for(full)).await.unwrap().most;
            assert!(!counts || most <= limit, "{most} at once, and {limit} are allowed");
        }
    }
    steps.add_permits(3_000);
    let report = soon(work.drain()).await;
    assert_eq!((report.completed, report.accepted), (3_000, 3_000));
}
