//! Whatever a body does, the item is still there.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dayfly::{CoordinatorOptions, Ended, Operation, OperationState, SignalSink};
use dayfly_keyed_sequential::{KeyedSequential, SequentialOptions};
use dayfly_testing::settle;

/// Not `Clone`, not `Debug`.
struct Job(u32);

/// Jobs of one key.
fn spawn<F, Fut, O>(body: F) -> KeyedSequential<u8, Job>
where
    F: Fn(Arc<Job>, Operation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = O> + Send + 'static,
    O: dayfly::Outcome<Arc<Job>>,
{
    let options = SequentialOptions::new().work(CoordinatorOptions::new().cancel_grace(Duration::ZERO));
    KeyedSequential::spawn(options, &SignalSink::default(), |_: &Job| 7, body)
}

#[tokio::test(start_paused = true)]
async fn a_panic_parks_the_key_wherever_it_happens() {
    struct Grenade;
    impl Drop for Grenade {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "when it is dropped");
        }
    }
    let work = spawn(|job: Arc<Job>, op: Operation| {
        let is_first = op.attempt() == 1;
        assert!(!(is_first && job.0 == 0), "when it is made");
        let grenade = (is_first && job.0 == 2).then(|| Grenade);
        async move {
            let _grenade = grenade;
            tokio::task::yield_now().await;
            assert!(!(is_first && job.0 == 1), "when it is polled");
        }
    });
    for number in 0..3 {
        work.enqueue(Job(number)).await.unwrap();
    }
    for text in ["when it is made", "when it is polled", "when it is dropped"] {
        settle().await;
        let parked = work.parked();
        assert_eq!((&*parked[0].error, parked[0].panicked), (text, true));
        assert!(work.retry(&7));
    }
    let report = work.drain().await;
    assert_eq!((report.figures.completed, report.figures.panicked), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_text_panics_or_never_ends_parks_all_the_same() {
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("more ")?;
            }
        }
    }
    struct Mute;
    impl fmt::Display for Mute {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("it has no text")
        }
    }
    let work = spawn(|_, _| async { Err::<(), _>(Endless) });
    work.enqueue(Job(0)).await.unwrap();
    settle().await;
    assert_eq!(work.parked()[0].error.len(), 510 + 2);
    let work = spawn(|_, _| async { Err::<(), _>(Mute) });
    work.enqueue(Job(0)).await.unwrap();
    settle().await;
    assert_eq!((&*work.parked()[0].error, work.parked()[0].panicked), ("it has no text", true));
    assert_eq!(work.skip(&7).unwrap().0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_without_a_text_is_parked_without_a_signal() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Mute;
    impl fmt::Display for Mute {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("it has no text")
        }
    }
    let signals = SignalSink::default();
    let work = KeyedSequential::spawn(
        SequentialOptions::new(),
        &signals,
        |_: &u32| Mute,
        |_, _| async { Err::<(), _>("broken") },
    );
    work.enqueue(0).await.unwrap();
    settle().await;
    assert_eq!((work.parked_count(), signals.is_raised("key.parked")), (1, false));
    assert!(work.skip(&Mute).is_some());
    work.drain().await;
}

thread_local! {
    /// Whether the next clone of a key panics.
    static NO_CLONE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Fragile(u8);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(!NO_CLONE.replace(false), "no clone");
        Self(self.0)
    }
}

impl fmt::Display for Fragile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_whose_key_panics_when_it_is_parked_is_given_up_with_its_error() {
    let body = |job: Arc<Job>, _| async move {
        NO_CLONE.set(job.0 == 0);
        if job.0 == 0 { Err("as asked") } else { Ok(()) }
    };
    let options = SequentialOptions::new();
    let work = KeyedSequential::spawn(options, &SignalSink::default(), |_: &Job| Fragile(7), body);
    work.enqueue(Job(0)).await.unwrap();
    work.enqueue(Job(1)).await.unwrap();
    settle().await;
    assert!(!NO_CLONE.get() && work.parked_count() == 0);
    let report = work.drain().await;
    assert_eq!((report.figures.completed, report.figures.failed, report.figures.panicked), (1, 1, 0));
    assert_eq!((report.given_up[0].item.0, report.given_up[0].error.as_deref()), (0, Some("as asked")));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_killed_gives_its_item_up_and_the_key_goes_on() {
    let work = spawn(|job: Arc<Job>, _| async move {
        if job.0 == 0 {
            std::future::pending::<()>().await;
        }
    });
    let id = work.enqueue(Job(0)).await.unwrap();
    work.enqueue(Job(1)).await.unwrap();
    settle().await;
    assert!(work.kill(id));
    let report = work.drain().await;
    assert_eq!((report.figures.completed, report.figures.cancelled), (1, 1));
    let lost = &report.given_up[0];
    assert_eq!((lost.id, lost.key, lost.item.0, lost.attempts), (id, 7, 0, 1));
    assert_eq!((lost.state, lost.error.as_deref()), (OperationState::Cancelled, None));
}

#[tokio::test(start_paused = true)]
async fn a_parked_operation_that_is_killed_is_given_up_with_its_error_and_the_key_goes_on() {
    let work = spawn(|job: Arc<Job>, _| async move { if job.0 == 0 { Err("broken") } else { Ok(()) } });
    let id = work.enqueue(Job(0)).await.unwrap();
    let next = work.enqueue(Job(1)).await.unwrap();
    settle().await;
    assert!(work.kill(id));
    settle().await;
    assert_eq!(work.parked_count(), 0);
    assert!(!work.signals().is_raised("key.parked"));
    assert!(!work.retry(&7) && work.skip(&7).is_none());
    assert_eq!(work.get(next).unwrap().state, OperationState::Completed);
    let given_up = work.take_given_up();
    assert_eq!((given_up[0].id, given_up[0].error.as_deref()), (id, Some("broken")));
    assert!(work.given_up().is_empty());
    assert_eq!(work.drain().await.figures.cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_may_ask_for_another_attempt_by_itself_and_nothing_overtakes_it() {
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = order.clone();
    let work = spawn(move |job: Arc<Job>, op: Operation| {
        let log = log.clone();
        async move {
            log.lock().unwrap().push(job.0);
            if job.0 == 0 && op.attempt() < 3 {
                return op.again(job, Duration::from_secs(1));
            }
            op.done::<_, String>()
        }
    });
    for number in 0..2 {
        work.enqueue(Job(number)).await.unwrap();
    }
    assert_eq!(work.drain().await.figures.completed, 2);
    assert_eq!(*order.lock().unwrap(), [0, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_a_body_puts_in_the_place_of_its_item_is_what_goes_on() {
    let work = spawn(|job: Arc<Job>, op: Operation| async move {
        match op.attempt() {
            1 => Ended::<_, (), _>::Again { item: Arc::new(Job(job.0 + 1)), after: Duration::ZERO },
            _ => op.fail(format!("{}", job.0)),
        }
    });
    work.enqueue(Job(4)).await.unwrap();
    settle().await;
    assert_eq!(&*work.parked()[0].error, "5");
    assert_eq!(work.skip(&7).unwrap().0, 5);
}

#[tokio::test(start_paused = true)]
async fn every_item_is_dropped_once_whatever_becomes_of_it() {
    static ALIVE: AtomicU32 = AtomicU32::new(0);
    struct Counted(u32);
    impl Counted {
        fn new(number: u32) -> Self {
            ALIVE.fetch_add(1, Ordering::SeqCst);
            Self(number)
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let options = SequentialOptions::new();
    let work = KeyedSequential::spawn(
        options,
        &SignalSink::default(),
        |item: &Counted| item.0 % 4,
        |item: Arc<Counted>, _| async move { if item.0.is_multiple_of(3) { Err("broken") } else { Ok(()) } },
    );
    for number in 0..40 {
        work.enqueue(Counted::new(number)).await.unwrap();
    }
    settle().await;
    drop(work.skip(&0));
    drop(work.discard(&1));
    settle().await;
    drop(work.cancel().await);
    drop(work.take_given_up());
    assert!(work.parked().is_empty());
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
}
