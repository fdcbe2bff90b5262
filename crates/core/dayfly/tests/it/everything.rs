//! Everything at once, from several threads: whatever is done to a coordinator, it comes to its end and its figures
//! add up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dayfly::{CoordinatorOptions, KeyedCoordinator, Keys, Operation, OperationId, Reconfigure, SignalSink};
use futures_util::{StreamExt, poll, stream};
use tokio::task::{JoinSet, yield_now};

const KEYS: u64 = 3;

/// A source of numbers that is the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

type Work = KeyedCoordinator<u64, u64>;

fn options() -> CoordinatorOptions {
    CoordinatorOptions::new()
        .queue_capacity(6)
        .max_queued_per_key(3)
        .max_concurrency(2)
        .defer_on("wait")
        .burst(1)
}

fn spawn(per_key: usize, signals: &SignalSink) -> Work {
    let keys = Keys::of(|item: &u64| item % KEYS)
        .weight(|key| 1 + usize::try_from(*key).unwrap_or(0))
        .lanes(2, |item| usize::from(item % 2 == 0));
    let options = options().max_concurrency_per_key(per_key);
    KeyedCoordinator::spawn_with(options, signals, keys, |item: u64, op: Operation| async move {
        for _ in 0..item % 4 {
            yield_now().await;
        }
        if item.is_multiple_of(5) && op.attempt() < 3 {
            return op.again(item, Duration::ZERO);
        }
        op.done::<_, String>()
    })
}

/// Hands work in, in every way there is, and counts what went in.
async fn produce(work: Work, mut dice: Dice, went_in: Arc<AtomicU64>) {
    for _ in 0..40 {
        let item = dice.roll(100);
        let count = match dice.roll(6) {
            0 => u64::from(work.try_enqueue(item).is_ok()),
            1 => {
                let id = OperationId::from_u64(u64::MAX - dice.roll(3)).unwrap();
                u64::from(work.enqueue_as(id, item).await.is_ok())
            }
            2 => {
                let id = OperationId::from_u64(u64::MAX - dice.roll(3)).unwrap();
                u64::from(work.try_enqueue_as(id, item).is_ok())
            }
            3 => {
                let mut impatient = Box::pin(work.enqueue(item));
                let mut polled = poll!(&mut impatient);
                for _ in 0..dice.roll(3) {
                    if polled.is_pending() {
                        yield_now().await;
                        polled = poll!(&mut impatient);
                    }
                }
                u64::from(polled.is_ready())
            }
            4 => work.enqueue_many((0..dice.roll(9)).map(|more| item + more)).await.unwrap(),
            _ => {
                let items = stream::iter(0..dice.roll(9)).map(|more| Ok::<_, String>(item + more));
                work.feed(items).await.unwrap()
            }
        };
        went_in.fetch_add(count, Ordering::SeqCst);
    }
}

/// Turns everything that can be turned.
async fn disturb(work: Work, per_key: usize, mut dice: Dice) {
    for _ in 0..120 {
        match dice.roll(8) {
            0 => work.pause(),
            1 => work.pause_key(dice.roll(KEYS)),
            2 => {
                let capacity = [1, 2, 6, 1_000_000][usize::try_from(dice.roll(4)).unwrap()];
                let options = options().max_concurrency_per_key(per_key).queue_capacity(capacity);
                work.reconfigure(&options.max_concurrency(1 + usize::try_from(dice.roll(3)).unwrap()))
                    .unwrap();
            }
            3 => {
                work.kill(OperationId::from_u64(u64::MAX - dice.roll(3)).unwrap());
            }
            4 => {
                let running = work.running();
                running.first().map(|operation| work.kill(operation.id));
            }
            5 => {
                let hold = work.signals().hold("wait");
                yield_now().await;
                drop(hold);
            }
            6 => drop(work.hottest(2)),
            _ => {}
        }
        yield_now().await;
        work.resume();
        (0..KEYS).for_each(|key| _ = work.resume_key(&key));
        yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_done_it_ends_and_its_figures_add_up() {
    for round in 0..100 {
        let per_key = 1 + round % 2;
        let (work, went_in) = (spawn(per_key, &SignalSink::default()), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for seed in 1..=3 {
            let dice = Dice(0x9E37_79B9_7F4A_7C15 ^ (round as u64 * 8 + seed));
            tasks.spawn(produce(work.clone(), dice, Arc::clone(&went_in)));
        }
        tasks.spawn(disturb(work.clone(), per_key, Dice(77 + round as u64)));
        let ended = tokio::time::timeout(Duration::from_secs(20), async {
            while let Some(task) = tasks.join_next().await {
                task.unwrap();
            }
            work.idle().await;
            let (idle, hottest) = (work.stats(), work.hottest(9));
            (work.drain().await, idle, hottest)
        });
        let Ok((report, idle, hottest)) = ended.await else {
            panic!("round {round} stands still: {:?} {:?}", work.stats(), work.hottest(9));
        };
        assert_eq!(report.accepted, went_in.load(Ordering::SeqCst), "round {round}");
        assert_eq!(report.accepted, report.completed + report.cancelled, "round {round}: {report:?}");
        assert_eq!((idle.pending, idle.running, hottest.len()), (0, 0, 0), "round {round}");
    }
}
