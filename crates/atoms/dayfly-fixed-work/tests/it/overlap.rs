//! Bodies on threads overlap, and the runtime goes on.

use std::convert::Infallible;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use dayfly_fixed_work::{CoordinatorOptions, FixedWork, FixedWorkOptions, SignalSink, TicketError};
use tokio::runtime::Handle;

use crate::support::{Doors, in_time};

fn four() -> FixedWorkOptions {
    FixedWorkOptions::new().workers(4)
}

#[tokio::test]
async fn four_blocking_bodies_on_four_threads_overlap_while_the_one_thread_of_the_runtime_serves_timers() {
    let (meeting, doors) = (Barrier::new(4), Doors::default());
    let inside = doors.clone();
    let work = FixedWork::spawn_blocking(four(), &SignalSink::default(), move |(), _| {
        // Each waits for all the others.
        meeting.wait();
        inside.pass();
    });
    for () in [(); 4] {
        work.enqueue(()).await.unwrap();
    }
    doors.entered(4).await;
    // All four block now.
    tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await.unwrap_err();
    assert_eq!((work.stats().running, work.stats().completed), (4, 0));
    doors.let_out(4);
    assert_eq!(work.drain().await.completed, 4);
}

#[tokio::test]
async fn a_body_may_wait_for_what_only_the_runtime_does() {
    let (from_task, in_body) = mpsc::sync_channel::<u32>(1);
    let in_body = Mutex::new(in_body);
    let work = FixedWork::spawn_blocking(four(), &SignalSink::default(), move |(), _| {
        Ok::<_, Infallible>(in_body.lock().unwrap().recv().unwrap())
    });
    let ticket = work.submit(()).await.unwrap();
    let task = Handle::current().spawn(async move {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        from_task.send(7).unwrap();
    });
    assert_eq!(ticket.await, Ok(7));
    task.await.unwrap();
}

#[tokio::test]
async fn bodies_that_wait_for_each_other_come_through_a_queue_of_one() {
    let meeting = Arc::new(Barrier::new(4));
    let options = four().work(CoordinatorOptions::new().queue_capacity(1));
    let work = FixedWork::spawn_cpu(options, &SignalSink::default(), move |(), _| {
        meeting.wait();
    });
    in_time(futures_util::future::join_all((0..16).map(|_| work.enqueue(())))).await;
    assert_eq!(in_time(work.drain()).await.completed, 16);
}

#[tokio::test]
async fn a_producer_in_line_is_let_in_when_a_start_makes_room_though_the_body_blocks() {
    let doors = Doors::default();
    let inside = doors.clone();
    // One of eight places is too little to wake somebody for at once.
    let options = FixedWorkOptions::new().workers(1).work(CoordinatorOptions::new().queue_capacity(8));
    let work = FixedWork::spawn_blocking(options, &SignalSink::default(), move |(), _| inside.pass());
    work.pause();
    for () in [(); 8] {
        work.try_enqueue(()).unwrap();
    }
    let in_line = [(); 3].map(|()| {
        let producer = work.clone();
        Handle::current().spawn(async move { producer.enqueue(()).await })
    });
    tokio::task::yield_now().await;
    work.resume();
    // Start by start, also when one comes right after another.
    for (starts, producer) in (1..).zip(in_line) {
        in_time(producer).await.unwrap().unwrap();
        doors.entered(starts).await;
        assert_eq!((work.stats().running, work.stats().pending), (1, 8));
        doors.let_out(1);
    }
    doors.let_out(8);
    assert_eq!(work.drain().await.completed, 11);
}

#[tokio::test]
async fn there_are_never_more_bodies_than_workers_and_a_lower_limit_holds_at_once() {
    let doors = Doors::default();
    let inside = doors.clone();
    let work = FixedWork::spawn_blocking(four(), &SignalSink::default(), move |(), _| inside.pass());
    for _ in 0..20 {
        work.enqueue(()).await.unwrap();
    }
    doors.entered(4).await;
    assert_eq!((work.workers(), work.stats().pending), (4, 16));
    assert_eq!(work.set_max_concurrency(2), 2);
    doors.let_out(3);
    doors.entered(5).await;
    assert_eq!(doors.inside(), 2, "three left, and one came");
    assert_eq!(work.set_max_concurrency(100), 4, "there are no more threads");
    doors.entered(7).await;
    doors.let_out(17);
    assert_eq!(work.drain().await.completed, 20);
    assert_eq!(doors.most(), 4);
}

#[tokio::test]
async fn a_panic_costs_its_operation_and_the_thread_lives_on() {
    let work = FixedWork::spawn_cpu(
        FixedWorkOptions::new().workers(1),
        &SignalSink::default(),
        |panics: bool, _| {
            assert!(!panics, "as asked");
            Ok::<_, Infallible>(thread::current().id())
        },
    );
    let (before, broken, after) = (
        work.submit(false).await.unwrap(),
        work.submit(true).await.unwrap(),
        work.submit(false).await.unwrap(),
    );
    let thread = before.await.unwrap();
    assert_eq!(broken.await, Err(TicketError::Panicked));
    assert_eq!(after.await, Ok(thread));
    assert_eq!(work.failed()[0].error.as_deref(), Some("as asked"));
    assert_eq!(work.drain().await.panicked, 1);
}

#[tokio::test]
async fn a_thread_has_its_name_and_its_stack_and_finds_the_runtime() {
    let options =
        FixedWorkOptions::new().workers(1).thread_name("resize").stack_size(4 << 20).without_stack_size();
    let work = FixedWork::spawn_blocking(options.stack_size(8 << 20), &SignalSink::default(), |(), _| {
        #[expect(clippy::large_stack_arrays, reason = "more than a thread has unless it is asked for")]
        let mut large = [0_u8; 5 << 20];
        large[std::hint::black_box(7)] = 1;
        std::hint::black_box(&large);
        let answer = Handle::current().block_on(async {
            tokio::task::yield_now().await;
            7
        });
        Ok::<_, Infallible>((thread::current().name().unwrap().to_owned(), answer))
    });
    assert_eq!(work.submit(()).await.unwrap().await, Ok(("resize-0".to_owned(), 7)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_small_bodies_each_run_once() {
    let sum = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let adds = sum.clone();
    let work = FixedWork::spawn_cpu(
        four().work(CoordinatorOptions::new().queue_capacity(64)),
        &SignalSink::default(),
        move |number: u64, _| {
            adds.fetch_add(number, std::sync::atomic::Ordering::Relaxed);
        },
    );
    let producers = (0..4).map(|producer| {
        let work = work.clone();
        Handle::current().spawn(async move {
            for number in 0..2_500 {
                work.enqueue(producer * 2_500 + number).await.unwrap();
            }
        })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.unwrap();
    }
    assert_eq!(work.drain().await.completed, 10_000);
    assert_eq!(sum.load(std::sync::atomic::Ordering::Relaxed), 10_000 * 9_999 / 2);
}
