//! Options that are followed at work.

use dayfly::{Fixed, Reconfigure};
use dayfly_fixed_work::{CoordinatorOptions, FixedWork, FixedWorkOptions, SignalSink};

#[tokio::test]
async fn what_can_be_followed_is_and_threads_are_not() {
    let options = FixedWorkOptions::new().workers(2);
    let work = FixedWork::spawn_cpu(options.clone(), &SignalSink::default(), |(), _| ());
    let larger = options.clone().work(CoordinatorOptions::new().queue_capacity(1).max_concurrency(7));
    work.reconfigure(&larger).unwrap();
    assert_eq!(work.stats().max_concurrency, 2, "workers are the limit");
    work.pause();
    work.try_enqueue(()).unwrap();
    assert!(work.try_enqueue(()).is_err());
    work.resume();
    for (changed, option) in [
        (options.clone().workers(3), "workers"),
        (options.clone().thread_name("other"), "thread_name"),
        (options.clone().stack_size(1 << 20), "stack_size"),
        (options.clone().work(CoordinatorOptions::new().cancel_on("stop")), "cancel_on"),
    ] {
        assert_eq!(work.check(&changed), Err(Fixed::new(option)));
        assert_eq!(work.reconfigure(&changed), Err(Fixed::new(option)));
    }
    assert_eq!(work.options(), &options);
    assert_eq!(work.drain().await.completed, 1);
}

#[tokio::test]
async fn cpu_bound_work_has_as_many_threads_as_there_are_cores() {
    let work = FixedWork::spawn_cpu(FixedWorkOptions::new(), &SignalSink::default(), |(), _| ());
    assert_eq!(work.workers(), std::thread::available_parallelism().map_or(1, usize::from));
    work.drain().await;
}

#[test]
#[should_panic(expected = "workers must be at least 1")]
fn a_pool_of_nobody_is_a_programmers_error() {
    let _ = FixedWorkOptions::new().workers(0);
}

#[test]
#[should_panic(expected = "thread_name must not contain a NUL")]
fn a_name_that_no_thread_can_have_is_a_programmers_error() {
    let _ = FixedWorkOptions::new().thread_name("a\0b");
}

#[test]
#[should_panic(expected = "no reactor running")]
fn outside_of_a_runtime_there_is_no_pool() {
    drop(FixedWork::spawn_cpu(FixedWorkOptions::new(), &SignalSink::default(), |(), _| ()));
}

#[test]
fn handles_go_anywhere() {
    fn anywhere<A: Send + Sync + std::fmt::Debug + Clone>() {}
    anywhere::<FixedWork<String, std::cell::Cell<u32>, String>>();
    anywhere::<FixedWorkOptions>();
}
