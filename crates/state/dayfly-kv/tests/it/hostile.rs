//! Code of users that panics or calls back: drops of values, clocks, wakers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, SystemTime};

use dayfly_kv::{Bytes, Clock, MemoryOptions, MemoryStore, Prefix, PutOptions, WatchFrom};

use crate::support::{bytes, key, memory, namespace};

const ANY: PutOptions = PutOptions::new();

/// Runs something in a thread of its own, and gives up on it when it hangs.
fn in_time(run: impl FnOnce() + Send + 'static) {
    let (done, waiting) = sync_channel(1);
    let thread = std::thread::spawn(move || {
        run();
        done.send(()).unwrap();
    });
    let ended = waiting.recv_timeout(Duration::from_secs(60));
    assert_ne!(ended, Err(RecvTimeoutError::Timeout), "it hangs");
    thread.join().unwrap();
}

/// Bytes whose drop looks into the store that had them, and then panics.
struct Spiteful(Arc<MemoryStore>);

impl AsRef<[u8]> for Spiteful {
    fn as_ref(&self) -> &[u8] {
        b"spite"
    }
}

impl Drop for Spiteful {
    fn drop(&mut self) {
        self.0.get_now(&key("a"));
        self.0.sweep_now();
        assert!(std::thread::panicking(), "spite");
    }
}

#[test]
fn a_value_whose_drop_calls_the_store_and_panics_locks_nobody_out() {
    in_time(|| {
        let store = memory();
        let spite = || Bytes::from_owner(Spiteful(Arc::clone(&store)));
        store.put_now(&key("a"), spite(), &ANY).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| store.put_now(&key("a"), bytes("1"), &ANY))).is_err());
        assert_eq!(store.get_now(&key("a")).unwrap().value, bytes("1"));
        store.put_now(&key("a"), spite(), &ANY).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| store.clear_now())).is_err());
        assert_eq!(store.get_now(&key("a")), None);
        store.put_now(&key("a"), bytes("2"), &ANY).unwrap();
    });
}

/// A clock that asks the store that asks it, and panics when told so.
#[derive(Debug, Default)]
struct Curious {
    store: std::sync::OnceLock<Arc<MemoryStore>>,
    is_asking: AtomicBool,
    panics: AtomicBool,
}

impl Clock for Curious {
    fn now(&self) -> SystemTime {
        assert!(!self.panics.load(Ordering::SeqCst), "no time");
        // Not again when the store asks back.
        if let Some(store) = self.store.get()
            && !self.is_asking.swap(true, Ordering::SeqCst)
        {
            store.get_now(&key("a"));
            self.is_asking.store(false, Ordering::SeqCst);
        }
        SystemTime::UNIX_EPOCH
    }
}

#[test]
fn a_clock_that_calls_the_store_or_panics_locks_nobody_out() {
    in_time(|| {
        let clock = Arc::new(Curious::default());
        let store = Arc::new(MemoryStore::with(namespace(), &MemoryOptions::new(), clock.clone()));
        clock.store.set(store.clone()).unwrap();
        let timed = ANY.time_to_live(Duration::from_secs(1));
        store.put_now(&key("a"), bytes("1"), &timed).unwrap();
        store.put_now(&key("a"), bytes("2"), &timed.clone().present()).unwrap();
        store.put_now(&key("for ever"), bytes("1"), &ANY).unwrap();
        clock.panics.store(true, Ordering::SeqCst);
        assert!(catch_unwind(AssertUnwindSafe(|| store.get_now(&key("a")))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| store.put_now(&key("a"), bytes("3"), &ANY))).is_err());
        // What has no deadline needs no clock.
        assert!(store.get_now(&key("for ever")).is_some());
        store.put_now(&key("for ever"), bytes("2"), &ANY.present()).unwrap();
        clock.panics.store(false, Ordering::SeqCst);
        assert_eq!(store.get_now(&key("a")).unwrap().value, bytes("2"));
    });
}

/// A waker that writes to the store that wakes it.
struct Writes(Arc<MemoryStore>, AtomicBool);

impl Wake for Writes {
    fn wake(self: Arc<Self>) {
        if !self.1.swap(true, Ordering::SeqCst) {
            self.0.put_now(&key("woken"), bytes("1"), &ANY).unwrap();
        }
    }
}

#[test]
fn a_waker_that_writes_to_the_store_is_called_without_its_locks() {
    in_time(|| {
        let store = memory();
        let mut watch = store.watch_now(&Prefix::all(), &WatchFrom::Now);
        let waker = Waker::from(Arc::new(Writes(store.clone(), AtomicBool::new(false))));
        let mut next = Box::pin(watch.next());
        assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(next);
        store.put_now(&key("a"), bytes("1"), &ANY).unwrap();
        assert!(store.get_now(&key("woken")).is_some());
    });
}
