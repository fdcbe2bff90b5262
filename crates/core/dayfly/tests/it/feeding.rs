//! Feeding and handing in many: whatever the bounds and whenever it ends, every item is somewhere and in its order.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::{CoordinatorOptions, FeedError, KeyedCoordinator, Operation, SignalSink};
use dayfly_testing::{drop_at_every_poll, settle};
use futures_util::{StreamExt, stream};
use proptest::prelude::*;
use tokio::task::yield_now;

/// A key, a number that rises within the stream, and whether the stream lets others go first.
type Item = (u8, u64, bool);

#[derive(Clone, Debug)]
struct Case {
    capacity: usize,
    per_key: usize,
    limit: usize,
    /// After how many turns of the runtime the coordinator is closed.
    close_after: Option<usize>,
    fails: bool,
    items: Vec<(u8, bool)>,
}

fn case() -> impl Strategy<Value = Case> {
    let items = prop::collection::vec((0..4_u8, any::<bool>()), 0..40);
    (1..5_usize, 1..7_usize, 1..4_usize, prop::option::of(0..60_usize), any::<bool>(), items).prop_map(
        |(capacity, per_key, limit, close_after, fails, items)| Case {
            capacity,
            per_key,
            limit,
            close_after,
            fails,
            items,
        },
    )
}

type Ran = Arc<Mutex<Vec<Item>>>;

/// Items of key 3 need another attempt, a second later.
fn slow(options: CoordinatorOptions, ran: &Ran) -> KeyedCoordinator<u8, Item> {
    let ran = Arc::clone(ran);
    KeyedCoordinator::spawn(
        options,
        &SignalSink::default(),
        |item: &Item| item.0,
        move |item: Item, op: Operation| {
            let ran = Arc::clone(&ran);
            async move {
                yield_now().await;
                if item.0 == 3 && op.attempt() == 1 {
                    return op.again(item, Duration::from_secs(1));
                }
                ran.lock().unwrap().push(item);
                op.done::<_, String>()
            }
        },
    )
}

async fn run(case: Case) -> Result<(), TestCaseError> {
    let ran = Ran::default();
    let options = CoordinatorOptions::new()
        .queue_capacity(case.capacity)
        .max_queued_per_key(case.per_key)
        .max_concurrency(case.limit);
    let work = slow(options, &ran);
    let yielded = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&yielded);
    let items: Vec<Item> = (0..).zip(&case.items).map(|(number, item)| (item.0, number, item.1)).collect();
    let end = case.fails.then_some(Err("over"));
    let stream = stream::iter(items).map(Ok).chain(stream::iter(end)).then(move |next| {
        let count = Arc::clone(&count);
        async move {
            if let Ok((_, _, true)) = next {
                yield_now().await;
            }
            count.fetch_add(u64::from(next.is_ok()), Ordering::SeqCst);
            next
        }
    });
    let closer = {
        let work = work.clone();
        async move {
            if let Some(turns) = case.close_after {
                for _ in 0..turns {
                    yield_now().await;
                }
                work.close();
            }
        }
    };
    let (fed, ()) = futures_util::join!(work.feed(stream), closer);
    let yielded = yielded.load(Ordering::SeqCst);
    let (accepted, rest) = match fed {
        Ok(accepted) => {
            prop_assert!(!case.fails);
            (accepted, Vec::new())
        }
        Err(FeedError::Stream { error, accepted }) => {
            prop_assert_eq!(error, "over");
            prop_assert_eq!(ran.lock().unwrap().len() as u64, accepted, "what went in has ended");
            (accepted, Vec::new())
        }
        Err(FeedError::Closed { rest, accepted }) => {
            prop_assert!(case.close_after.is_some());
            (accepted, rest)
        }
        Err(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
    };
    prop_assert_eq!(accepted + rest.len() as u64, yielded);
    prop_assert!(rest.len() <= case.capacity, "no more than allowed is aside: {:?}", rest);
    let report = work.drain().await;
    prop_assert_eq!((report.accepted, report.completed), (accepted, accepted));
    let mut of: HashMap<u8, Vec<u64>> = HashMap::new();
    for item in ran.lock().unwrap().iter().chain(&rest) {
        of.entry(item.0).or_default().push(item.1);
    }
    prop_assert!(of.values().all(|numbers| numbers.is_sorted()), "{:?}", of);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_item_is_somewhere_and_in_its_order(case in case()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let ended = tokio::time::timeout(Duration::from_secs(3_600), run(case)).await;
            ended.unwrap_or_else(|_| Err(TestCaseError::fail("it stands still")))
        })?;
    }
}

#[test]
fn a_feed_that_is_dropped_leaves_its_places_to_others() {
    for (capacity, per_key) in [(1, 1), (2, 8), (4, 2)] {
        let options = CoordinatorOptions::new().max_concurrency(1).queue_capacity(capacity);
        let setup = || {
            let ran = Ran::default();
            (slow(options.clone().max_queued_per_key(per_key), &ran), ran)
        };
        drop_at_every_poll(
            setup,
            |(work, _)| async move {
                let items = stream::iter([3, 0, 3, 1, 0, 0, 3, 1])
                    .enumerate()
                    .map(|(number, key)| Ok::<_, String>((key, number as u64, false)));
                assert_eq!(work.feed(items).await.unwrap(), 8);
            },
            |(work, ran), _| async move {
                // The room is whole: others can fill it.
                work.idle().await;
                work.pause();
                let taken = (0..9_u8).take_while(|key| work.try_enqueue((key + 10, 9, false)).is_ok());
                assert_eq!(taken.count() as u64, work.stats().pending);
                work.resume();
                let report = work.drain().await;
                assert_eq!(
                    (report.completed, ran.lock().unwrap().len() as u64),
                    (report.accepted, report.accepted)
                );
            },
        );
    }
}

#[test]
fn handing_in_many_keeps_the_order_and_loses_nothing_that_went_in() {
    let setup = || {
        let ran = Ran::default();
        let options = CoordinatorOptions::new().max_concurrency(1).queue_capacity(5).max_queued_per_key(3);
        (slow(options, &ran), ran)
    };
    drop_at_every_poll(
        setup,
        |(work, _)| async move {
            let items = (0..40_u64).map(|number| (u8::try_from(number % 3).unwrap(), number, false));
            assert_eq!(work.enqueue_many(items).await.unwrap(), 40);
        },
        |(work, ran), _| async move {
            let report = work.drain().await;
            assert_eq!(report.completed, report.accepted);
            let mut numbers: Vec<u64> = ran.lock().unwrap().iter().map(|item| item.1).collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..report.accepted), "the first ones, without a gap");
        },
    );
}

#[tokio::test(start_paused = true)]
async fn items_that_panic_on_their_way_cost_nobody_a_place() {
    let ran = Ran::default();
    let work = slow(CoordinatorOptions::new().queue_capacity(8).max_queued_per_key(8), &ran);
    work.pause();
    let giver = work.clone();
    let task = tokio::runtime::Handle::current().spawn(async move {
        let items = (0..50_u64).map(|number| {
            assert!(number < 40, "no more of them");
            (0, number, false)
        });
        giver.enqueue_many(items).await
    });
    settle().await;
    work.resume();
    assert!(task.await.unwrap_err().is_panic());
    let report = work.drain().await;
    assert_eq!((report.accepted, report.completed), (32, 32), "a handful goes in as a whole");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_asked_for_once_per_item() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let work = KeyedCoordinator::spawn(
        CoordinatorOptions::new().max_concurrency(1).queue_capacity(2).max_queued_per_key(1),
        &SignalSink::default(),
        move |item: &u8| {
            count.fetch_add(1, Ordering::SeqCst);
            item % 2
        },
        |_, _| yield_now(),
    );
    work.feed(stream::iter((0..20_u8).map(Ok::<_, String>))).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 20);
    assert_eq!(work.drain().await.completed, 20);
}
