//! Has one of our own paths become slower? Criterion compares with what it measured before:
//!
//! ```sh
//! cargo xtask bench regressions -- --save-baseline before
//! cargo xtask bench regressions -- --baseline before
//! ```
//!
//! Comparisons with other libraries stand in the other files; a figure from here says nothing about them.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dayfly::{Coordinator, CoordinatorOptions, KeyedCoordinator, Operation, ResultCoordinator, SignalSink};
use dayfly_batching::{Batch, Batcher, BatcherOptions};
use dayfly_benches::runtimes::ct;
use dayfly_circuit_breaker::{BreakerOptions, CircuitBreaker};
use dayfly_kv::{Bytes, Key, MemoryStore, Namespace, PutOptions};
use dayfly_limit::{Limiter, LimiterOptions};
use dayfly_retry::{Retry, RetryOptions};

/// Operations of one round of whatever runs in the background.
const ROUND: u64 = 4_096;
const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(64).queue_capacity(1_024);

fn signals(criterion: &mut Criterion) {
    let sink = SignalSink::default();
    let handle = sink.handle("api.failure");
    let counter = sink.counter("api.*", Duration::from_secs(60));
    criterion
        .bench_function("signal: raise through a handle", |bench| bench.iter(|| black_box(handle.raise())));
    criterion
        .bench_function("signal: raise by name", |bench| bench.iter(|| black_box(sink.raise("api.failure"))));
    criterion.bench_function("signal: read a counter", |bench| bench.iter(|| black_box(counter.count())));
}

fn coordinators(criterion: &mut Criterion) {
    let runtime = ct();
    let mut group = criterion.benchmark_group("coordinator");
    group.throughput(Throughput::Elements(ROUND));
    group.bench_function("first come, first served", |bench| {
        bench.iter(|| {
            runtime.block_on(async {
                let work = Coordinator::spawn(WORK, &SignalSink::default(), |_: u64, _: Operation| async {});
                for item in 0..ROUND {
                    work.enqueue(item).await.expect("it is open");
                }
                assert_eq!(work.drain().await.completed, ROUND);
            });
        });
    });
    group.bench_function("in order per key, 64 keys", |bench| {
        bench.iter(|| {
            runtime.block_on(async {
                let key = |item: &u64| item % 64;
                let work = KeyedCoordinator::spawn(
                    WORK,
                    &SignalSink::default(),
                    key,
                    |_: u64, _: Operation| async {},
                );
                for item in 0..ROUND {
                    work.enqueue(item).await.expect("it is open");
                }
                assert_eq!(work.drain().await.completed, ROUND);
            });
        });
    });
    group.bench_function("submit and wait", |bench| {
        bench.iter(|| {
            runtime.block_on(async {
                let work = ResultCoordinator::spawn(
                    WORK,
                    &SignalSink::default(),
                    |item: u64, op: Operation| async move { op.done_with::<u64, u64, &str>(item) },
                );
                for item in 0..ROUND {
                    let ticket = work.submit(item).await.expect("it is open");
                    assert_eq!(ticket.await, Ok(item));
                }
            });
        });
    });
    group.finish();
}

fn atoms(criterion: &mut Criterion) {
    let runtime = ct();
    let mut group = criterion.benchmark_group("batching");
    group.throughput(Throughput::Elements(ROUND));
    group.bench_function("push, 64 at once", |bench| {
        const ROWS: BatcherOptions = BatcherOptions::new().max_items(64).max_delay(Duration::from_millis(20));
        bench.iter(|| {
            runtime.block_on(async {
                let rows = Batcher::spawn(ROWS, &SignalSink::default(), |_: Batch<u64>| async {});
                for item in 0..ROUND {
                    rows.push(item).await.expect("it is open");
                }
                assert_eq!(rows.drain().await.completed, ROUND);
            });
        });
    });
    group.finish();

    let limiter = Limiter::new(LimiterOptions::new().limit(8));
    criterion.bench_function("limit: acquire and release", |bench| {
        bench.iter(|| drop(black_box(limiter.try_acquire().expect("there are eight"))));
    });
    let retry = Retry::on_every_error(RetryOptions::new());
    criterion.bench_function("retry: success at once", |bench| {
        bench.iter(|| runtime.block_on(retry.call(|_| async { Ok::<_, &str>(black_box(1)) })));
    });
    let breaker = {
        let _inside = runtime.enter();
        CircuitBreaker::new("bank", BreakerOptions::new(), &SignalSink::default())
    };
    criterion.bench_function("circuit breaker: permit and success", |bench| {
        bench.iter(|| breaker.try_acquire().expect("it is closed").success());
    });
}

fn state(criterion: &mut Criterion) {
    let store = MemoryStore::new(Namespace::new("acme", "shop", "stock").expect("a namespace"));
    let key = Key::new("apples").expect("a key");
    let value = Bytes::from_static(b"3");
    store.put_now(&key, value.clone(), &PutOptions::new()).expect("there is room");
    criterion.bench_function("kv, in memory: get", |bench| bench.iter(|| black_box(store.get_now(&key))));
    criterion.bench_function("kv, in memory: get and swap", |bench| {
        bench.iter(|| {
            let entry = store.get_now(&key).expect("it is there");
            store
                .put_now(&key, value.clone(), &PutOptions::new().matches(entry.etag))
                .expect("nobody else writes")
        });
    });
}

criterion_group!(all, signals, coordinators, atoms, state);
criterion_main!(all);
