//! Starts that change hands while waiters give up, sleep and are paused, and while the quota changes. The clock moves only
//! to where somebody sleeps until, so whoever is forgotten is seen to be stuck, or late.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use dayfly::{Reconfigure, SignalSink};
use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use futures_util::future::select;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::{spawn, yield_now};
use tokio::time::{Instant, advance, drive};

use super::handover::dropped_some_time;

const SECOND: Duration = Duration::from_secs(1);
const SLOW: RateOptions = RateOptions::per_second(1);

/// Time goes by until this is dropped; the task that moves it then ends, and not while somebody is being told of it.
struct Time(#[expect(dead_code, reason = "its drop is what is told")] oneshot::Sender<()>);

fn time() -> Time {
    let (end, ended) = oneshot::channel();
    drop(Handle::current().spawn(async move {
        drop(select(pin!(drive()), ended).await);
    }));
    Time(end)
}

fn rate() -> (SignalSink, AdaptiveRate) {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", SLOW, &signals);
    (signals, rate)
}

/// Whoever gives up at any moment, also when it has been woken, leaves nobody else waiting, and no start is counted for it.
pub(super) async fn giving_up() {
    let (_signals, rate) = rate();
    let _time = time();
    let begin = Instant::now();
    rate.check("a").expect("it is the first");
    let impatient = [(); 2].map(|()| {
        let rate = rate.clone();
        spawn(async move { dropped_some_time(rate.until_ready("a")).await })
    });
    let patient = [(); 2].map(|()| {
        let rate = rate.clone();
        spawn(async move { rate.until_ready("a").await })
    });
    for task in impatient.into_iter().chain(patient) {
        task.await.expect("a task comes to its end");
    }
    assert_eq!(rate.stats().waiting, 0);
    assert!(begin.elapsed() >= 2 * SECOND, "too early: {:?}", begin.elapsed());
    // Those who gave up may each have started before.
    assert!(begin.elapsed() < 5 * SECOND, "too late: {:?}", begin.elapsed());
}

/// Everybody starts whatever the quota and the pauses become meanwhile, and never more often than the highest allows.
pub(super) async fn changes() {
    let (_signals, rate) = rate();
    let _time = time();
    let begin = Instant::now();
    let tasks = [(); 3].map(|()| {
        let rate = rate.clone();
        spawn(async move { rate.until_ready("a").await })
    });
    for options in [RateOptions::per_minute(1), RateOptions::per_second(2).burst(1), SLOW] {
        rate.reconfigure(&options).expect("all of it can change");
        yield_now().await;
        rate.retry_after("a", SECOND);
        rate.retry_all_after(SECOND / 2);
        yield_now().await;
        rate.resume("a");
        yield_now().await;
        rate.resume_all();
    }
    for task in tasks {
        task.await.expect("a task comes to its end");
    }
    assert_eq!(rate.stats().waiting, 0);
    assert!(begin.elapsed() >= SECOND, "{:?}", begin.elapsed());
}

/// Futures that are never polled again hold up nobody for good, and keep their place.
pub(super) async fn sleepers() {
    let (_signals, rate) = rate();
    rate.check("a").expect("it is the first");
    let mut asleep = [(); 2].map(|()| Box::pin(rate.until_ready("a")));
    for future in &mut asleep {
        assert!(poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await);
    }
    let _time = time();
    let tasks = [(); 2].map(|()| {
        let rate = rate.clone();
        spawn(async move { rate.until_ready("a").await })
    });
    for task in tasks {
        task.await.expect("a task comes to its end");
    }
    let [first, second] = asleep;
    drop(first);
    second.await;
    assert_eq!(rate.stats().waiting, 0);
}

/// There is one alarm for all keys, and it rings for whoever is first, whoever set it last.
pub(super) async fn alarms() {
    let (_signals, rate) = rate();
    let parked = Arc::new(AtomicUsize::new(0));
    let tasks = [("late", 60 * SECOND), ("soon", SECOND), ("between", 9 * SECOND)].map(|(key, pause)| {
        let (rate, parked) = (rate.clone(), Arc::clone(&parked));
        spawn(async move {
            rate.retry_after(key, pause);
            let mut waits = pin!(rate.until_ready(key));
            assert!(poll_fn(|context| Poll::Ready(waits.as_mut().poll(context).is_pending())).await);
            parked.fetch_add(1, Ordering::SeqCst);
            waits.await;
        })
    });
    while parked.load(Ordering::SeqCst) < tasks.len() {
        yield_now().await;
    }
    let [late, soon, between] = tasks;
    for (task, pause) in [(soon, SECOND), (between, 8 * SECOND), (late, 51 * SECOND)] {
        advance(pause);
        // The clock stands still: whoever is not woken now waits for ever.
        task.await.expect("a task comes to its end");
    }
}

/// Whoever sets the alarm looks again when it is set: who came meanwhile leaves it to them, and is not asked a second time.
pub(super) async fn alarm_of_two() {
    let (_signals, rate) = rate();
    // The turns of the two are half a second apart, and each sets the alarm by waiting, once.
    rate.check("soon").expect("it is the first");
    advance(SECOND / 2);
    rate.check("late").expect("it is the first");
    let parked = Arc::new(AtomicUsize::new(0));
    let tasks = ["late", "soon"].map(|key| {
        let (rate, parked) = (rate.clone(), Arc::clone(&parked));
        spawn(async move {
            let mut waits = pin!(rate.until_ready(key));
            let mut is_parked = false;
            // Polled again only when it is woken: any other look would set the alarm right.
            poll_fn(|context| {
                let polled = waits.as_mut().poll(context);
                if !is_parked {
                    is_parked = polled.is_pending();
                    parked.fetch_add(1, Ordering::SeqCst);
                }
                polled
            })
            .await;
        })
    });
    while parked.load(Ordering::SeqCst) < tasks.len() {
        yield_now().await;
    }
    let [late, soon] = tasks;
    for task in [soon, late] {
        advance(SECOND / 2);
        task.await.expect("a task comes to its end");
    }
}

/// Who is told last of a pause is told how it is, and nothing is held that nobody lets go.
pub(super) async fn tells_how_it_is() {
    let (signals, rate) = rate();
    let _time = time();
    let tasks = [(); 2].map(|()| {
        let rate = rate.clone();
        spawn(async move {
            rate.retry_all_after(60 * SECOND);
            rate.retry_after("a", SECOND);
            yield_now().await;
            rate.resume_all();
        })
    });
    for task in tasks {
        task.await.expect("a task comes to its end");
    }
    rate.until_ready("a").await;
    assert!(!rate.stats().is_paused, "both have ended it");
    // Whoever tells may be on its way; if nobody is, this waits for ever.
    signals.cleared("rate.limited.api").await;
}
