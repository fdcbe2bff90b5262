//! Limits hold while they change, and a pause starts nothing.

use dayfly::{Coordinator, CoordinatorOptions, SignalSink};

use dayfly_testing::settle;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new();

fn passing(limit: usize, doors: &Doors) -> Coordinator<usize> {
    let doors = doors.clone();
    Coordinator::spawn(
        WORK.max_concurrency(limit).queue_capacity(20_000),
        &SignalSink::default(),
        move |_, _| {
            let doors = doors.clone();
            async move { doors.pass().await }
        },
    )
}

async fn fill(work: &Coordinator<usize>, items: usize) {
    for number in 0..items {
        work.enqueue(number).await.unwrap();
    }
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn never_more_than_the_limit_run() {
    let doors = Doors::shut();
    let work = passing(2, &doors);
    fill(&work, 10).await;
    for left in (0..10).rev() {
        assert_eq!(doors.inside(), 2.min(left + 1));
        doors.let_out(1);
        settle().await;
    }
    assert_eq!((work.drain().await.completed, doors.most()), (10, 2));
}

#[tokio::test(start_paused = true)]
async fn a_lower_limit_holds_from_the_next_start_on() {
    let doors = Doors::shut();
    let work = passing(8, &doors);
    fill(&work, 50).await;
    assert_eq!(doors.inside(), 8);
    work.set_max_concurrency(2);
    for expected in [7, 6, 5, 4, 3, 2, 2, 2, 2] {
        doors.let_out(1);
        settle().await;
        assert_eq!(doors.inside(), expected);
    }
    work.set_max_concurrency(8);
    settle().await;
    assert_eq!(doors.inside(), 8);
    doors.let_out(50);
    assert_eq!((work.drain().await.completed, doors.most()), (50, 8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_to_two_to_eight_never_runs_nine() {
    let doors = Doors::shut();
    let body = doors.clone();
    let work = Coordinator::spawn(WORK.max_concurrency(8), &SignalSink::default(), move |_: u32, _| {
        let doors = body.clone();
        async move {
            let _inside = doors.enter();
            tokio::task::yield_now().await;
        }
    });
    for number in 0..2_000 {
        work.set_max_concurrency(if number % 7 < 3 { 2 } else { 8 });
        work.enqueue(number).await.unwrap();
    }
    assert_eq!(work.drain().await.completed, 2_000);
    assert!(doors.most() <= 8, "{}", doors.most());
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_one_is_strictly_first_in_first_out() {
    let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = order.clone();
    let work =
        Coordinator::spawn(WORK.max_concurrency(1), &SignalSink::default(), move |number: usize, _| {
            let seen = seen.clone();
            async move {
                tokio::task::yield_now().await;
                seen.lock().unwrap().push(number);
            }
        });
    fill(&work, 100).await;
    work.drain().await;
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_sleeping_bodies_run_at_once() {
    let doors = Doors::shut();
    let work = passing(10_000, &doors);
    fill(&work, 10_000).await;
    // A paused clock moves only when no task can run.
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert_eq!(doors.inside(), 10_000);
    doors.let_out(10_000);
    assert_eq!(work.drain().await.completed, 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_pause_starts_nothing_and_lets_running_work_finish() {
    let doors = Doors::shut();
    let work = passing(1, &doors);
    fill(&work, 6).await;
    work.pause();
    doors.let_out(6);
    settle().await;
    let stats = work.stats();
    assert_eq!((stats.completed, stats.running, stats.pending, stats.paused), (1, 0, 5, true));
    work.resume();
    assert_eq!(work.drain().await.completed, 6);
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_always_ready_let_other_tasks_run() {
    let work = Coordinator::spawn(
        WORK.max_concurrency(1).queue_capacity(10_000),
        &SignalSink::default(),
        |_: u32, _| async {},
    );
    work.pause();
    work.enqueue_many(0..10_000).await.unwrap();
    work.resume();
    tokio::task::yield_now().await;
    let completed = work.stats().completed;
    assert!((1..1_000).contains(&completed), "{completed}");
    assert_eq!(work.drain().await.completed, 10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_limit_of_one_over_keys_on_every_worker_starves_none_and_is_strictly_serial() {
    let doors = Doors::shut();
    let body = doors.clone();
    let options = WORK.max_concurrency(1).queue_capacity(10_000).max_queued_per_key(100);
    let signals = SignalSink::default();
    let work = dayfly::KeyedCoordinator::spawn(
        options,
        &signals,
        |key: &u32| *key,
        move |_, _| {
            let doors = body.clone();
            async move {
                let _inside = doors.enter();
                tokio::task::yield_now().await;
            }
        },
    );
    assert_eq!(work.enqueue_many((0..4_000).map(|number| number % 64)).await.unwrap(), 4_000);
    assert_eq!((work.drain().await.completed, doors.most()), (4_000, 1));
}
