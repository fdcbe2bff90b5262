//! What does a get and a compare-and-swap cost in memory? (Section E)
//!
//! Each operation reads an entry and writes it back if nobody has changed it since: the etag, or the peer's counter, has
//! to be the one that was read. All peers keep 100 bytes that are shared and not copied, and a number that grows.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_kv::{Bytes, Entry, Key, KeyValueStore, MemoryStore, Namespace, PutOptions, Store, UpdateOptions};
use futures_util::FutureExt;

const OPERATIONS: u64 = 200_000;
const KEYS: u64 = 10_000;
const THREADS: u64 = 2;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    for threads in [1, THREADS] {
        get_and_swap(&mut runner, threads);
    }
    get(&mut runner);
    runner.end()
}

fn keys() -> Vec<Key> {
    // Met in an order that is not that in which they were put.
    (0..KEYS)
        .map(|key| Key::new(format!("order/{:05}", key * 7_919 % KEYS)).expect("these are keys"))
        .collect()
}

fn value() -> Bytes {
    Bytes::from(vec![7; 100])
}

fn memory() -> Arc<MemoryStore> {
    let namespace = Namespace::new("acme", "shop", "order").expect("this is a namespace");
    let store = Arc::new(MemoryStore::new(namespace));
    for key in keys() {
        store.put_now(&key, value(), &PutOptions::new()).expect("there is room");
    }
    store
}

/// What people write: a map with a counter per entry.
fn dash() -> DashMap<Key, (Bytes, u64)> {
    keys().into_iter().map(|key| (key, (value(), 0))).collect()
}

/// Runs so many operations on each of so many threads, each beginning at another key.
fn on_threads(threads: u64, operations: u64, work: impl Fn(&mut dyn Iterator<Item = usize>) + Sync) {
    let share = operations / threads;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let work = &work;
            let mut at = (0..share).map(move |number| ((number + thread * KEYS / threads) % KEYS) as usize);
            if thread + 1 == threads {
                work(&mut at);
            } else {
                scope.spawn(move || work(&mut at));
            }
        }
    });
}

fn get_and_swap(runner: &mut Runner, threads: u64) {
    let (keys, new) = (keys(), value());
    let (map, store, erased) = (dash(), memory(), memory());
    // Who meets another one tries again at once: there is no runtime here to wait on.
    let at_once = UpdateOptions::new().delay(Duration::ZERO);
    let typed = KeyValueStore::<Key, u64>::json(memory_of_numbers(&keys)).updates(at_once);
    let erased: Arc<dyn Store> = erased;
    runner.ask(
        Contest::new(format!("get and swap, {threads} threads"), OPERATIONS)
            .with("DashMap", |n| {
                on_threads(threads, n, |at| {
                    for at in at {
                        let found = map.get(&keys[at]).map(|found| found.value().clone());
                        let (read, number) = found.expect("it is there");
                        black_box(read);
                        let mut entry = map.get_mut(&keys[at]).expect("it is there");
                        if entry.1 == number {
                            *entry = (new.clone(), number + 1);
                        }
                    }
                });
            })
            .with("dayfly, without a future", |n| {
                on_threads(threads, n, |at| {
                    for at in at {
                        let Entry { value, etag, .. } = store.get_now(&keys[at]).expect("it is there");
                        black_box(value);
                        black_box(
                            store.put_now(&keys[at], new.clone(), &PutOptions::new().matches(etag)).is_ok(),
                        );
                    }
                });
            })
            .with("dayfly, dyn Store", |n| {
                on_threads(threads, n, |at| {
                    for at in at {
                        let entry = erased.get(&keys[at]).now_or_never().expect("memory never waits");
                        let Entry { value, etag, .. } =
                            entry.expect("memory never fails").expect("it is there");
                        black_box(value);
                        let options = PutOptions::new().matches(etag);
                        let put = erased.put(&keys[at], new.clone(), options).now_or_never();
                        black_box(put.is_some_and(|put| put.is_ok()));
                    }
                });
            })
            .with("dayfly, one update of a typed value (JSON)", |n| {
                on_threads(threads, n, |at| {
                    for at in at {
                        let updated = typed.update(&keys[at], |count| count.unwrap_or(0) + 1).now_or_never();
                        black_box(updated.is_some());
                    }
                });
            }),
    );
}

fn memory_of_numbers(keys: &[Key]) -> Arc<MemoryStore> {
    let store = memory();
    for key in keys {
        let zero = Bytes::from_static(br#"{"version":1,"value":0}"#);
        store.put_now(key, zero, &PutOptions::new()).expect("there is room");
    }
    store
}

fn get(runner: &mut Runner) {
    let (keys, map, store) = (keys(), dash(), memory());
    runner.ask(
        Contest::new("get, 1 thread", OPERATIONS)
            .with("DashMap", |n| {
                for at in 0..n {
                    black_box(map.get(&keys[(at % KEYS) as usize]).map(|found| found.value().clone()));
                }
            })
            .with("dayfly, without a future", |n| {
                for at in 0..n {
                    black_box(store.get_now(&keys[(at % KEYS) as usize]));
                }
            }),
    );
}
