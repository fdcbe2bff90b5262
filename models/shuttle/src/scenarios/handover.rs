//! Permits that change hands while the limit changes, while waiters give up, and while they sleep.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions, Limiter, LimiterOptions, Priority, Request};
use shuttle::rand::{Rng, thread_rng};
use tokio::task::{spawn, yield_now};

use crate::watched::Bodies;

/// How many others may have their turn between the last look at a future and its drop.
const PATIENCE: usize = 6;

/// Never are more inside than the highest limit in force, everybody has its turn, and everything comes back.
pub(super) async fn resize() {
    let (limiter, bodies) = (Limiter::with_limit(3), Bodies::default());
    let tasks: Vec<_> = (0..4_usize)
        .map(|task| {
            let (limiter, bodies) = (limiter.clone(), bodies.clone());
            spawn(async move {
                let priority = if task == 0 { Priority::High } else { Priority::Normal };
                for permits in [1, 2] {
                    let request = Request::new().permits(permits).priority(priority);
                    let _permit = limiter.acquire_with(request).await.expect("it is open and fits");
                    let _inside: Vec<_> = (0..permits).map(|_| bodies.enter()).collect();
                    yield_now().await;
                }
            })
        })
        .collect();
    for limit in [2, 3, 2] {
        limiter.set_limit(limit).expect("it is not zero");
        let mut before = limiter.stats().in_use;
        for _ in 0..3 {
            yield_now().await;
            let in_use = limiter.stats().in_use;
            assert!(in_use <= before.max(limit), "{in_use} after {before}, and the limit is {limit}");
            before = in_use;
        }
    }
    for task in tasks {
        task.await.expect("a task comes to its end");
    }
    assert!(bodies.most() <= 3, "{} at once", bodies.most());
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.waiting, bodies.started()), (0, 0, 12));
    assert!(limiter.try_acquire_many(2).is_ok());
}

/// Whoever gives up at any moment, also when it has been woken, leaves nobody else waiting.
pub(super) async fn giving_up() {
    let limiter = Limiter::new(never_passing(1));
    let impatient = [1, 1].map(|permits| {
        let limiter = limiter.clone();
        spawn(async move { dropped_some_time(limiter.acquire_many(permits)).await })
    });
    let patient = [(); 2].map(|()| {
        let limiter = limiter.clone();
        spawn(async move {
            for _ in 0..2 {
                let _permit = limiter.acquire().await.expect("it is open");
                yield_now().await;
            }
        })
    });
    for task in impatient.into_iter().chain(patient) {
        task.await.expect("a task comes to its end");
    }
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
    assert!(limiter.try_acquire().is_ok());
}

/// Futures that are never polled again hold up nobody for good: the timer passes them over.
pub(super) async fn sleepers() {
    drop(spawn(tokio::time::drive()));
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.expect("it is open");
    let mut asleep = [(); 2].map(|()| Box::pin(limiter.acquire()));
    for future in &mut asleep {
        assert!(poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await);
    }
    let tasks = [(); 2].map(|()| {
        let limiter = limiter.clone();
        spawn(async move { drop(limiter.acquire().await.expect("it is open")) })
    });
    drop(held);
    for task in tasks {
        task.await.expect("a task comes to its end");
    }
    let [first, second] = asleep;
    drop(first);
    drop(second.await.expect("it kept its place"));
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
}

/// Neither of both limits is exceeded, no wake-up is lost across keys, and the table empties.
pub(super) async fn keys() {
    let options = KeyedLimiterOptions::new().limit(2).claim_within(Duration::from_secs(3_600));
    let limiter = KeyedLimiter::new(options);
    let (all, each) = (Bodies::default(), [Bodies::default(), Bodies::default()]);
    let tasks: Vec<_> = (0..4_usize)
        .map(|task| {
            let (limiter, all, each) = (limiter.clone(), all.clone(), each.clone());
            spawn(async move {
                for round in 0..2 {
                    let key = (task + round) % 3;
                    let _permit = limiter.acquire(key).await.expect("it is open");
                    let _inside = all.enter();
                    let _of_key = each.get(key).map(Bodies::enter);
                    yield_now().await;
                }
            })
        })
        .collect();
    let impatient = {
        let limiter = limiter.clone();
        spawn(async move { dropped_some_time(limiter.acquire(0)).await })
    };
    for task in tasks.into_iter().chain([impatient]) {
        task.await.expect("a task comes to its end");
    }
    assert!(all.most() <= 2 && each.iter().all(|key| key.most() <= 1));
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.waiting, stats.keys), (0, 0, 0));
}

/// The clock stands still, so nobody is rescued by the timer: a wake-up that is lost stays lost.
fn never_passing(limit: usize) -> LimiterOptions {
    LimiterOptions::new().limit(limit).claim_within(Duration::from_secs(3_600))
}

/// Polls a future once or twice, and lets go of it some time later.
pub(super) async fn dropped_some_time<T>(future: impl Future<Output = T>) {
    let mut future = Box::pin(future);
    for _ in 0..thread_rng().gen_range(0..=2) {
        if poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await {
            return;
        }
        yield_now().await;
    }
    // What was kept for it meanwhile nobody comes for.
    for _ in 0..thread_rng().gen_range(0..=PATIENCE) {
        yield_now().await;
    }
}
