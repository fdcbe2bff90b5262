//! Keys are foreign code: their text, their hash and their drop may do what they like.

use std::cell::Cell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{BreakerOptions, BreakerState, KeyedBreaker, KeyedBreakerOptions};
use dayfly_signal::SignalSink;

/// Two keys with one number are equal, whatever they do.
#[derive(Clone)]
struct Key {
    number: u32,
    hosts: Option<KeyedBreaker<Key>>,
}

thread_local! {
    /// How many hashes are left before one panics.
    static HASHES: Cell<Option<u32>> = const { Cell::new(None) };
}

impl Key {
    const fn plain(number: u32) -> Self {
        Self { number, hosts: None }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(left) = HASHES.get() {
            HASHES.set(left.checked_sub(1));
            assert!(left > 0, "this hash panics");
        }
        self.number.hash(state);
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(hosts) = &self.hosts {
            hosts.reconfigure(&STRICT).map_err(|_| fmt::Error)?;
        }
        write!(f, "{}", self.number)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        if let Some(hosts) = &self.hosts {
            assert!(hosts.len() <= 2);
        }
    }
}

const STRICT: BreakerOptions = BreakerOptions::new().failure_threshold(1);

fn hosts() -> KeyedBreaker<Key> {
    KeyedBreaker::new("hosts", KeyedBreakerOptions::new().max_keys(2), &SignalSink::default())
}

#[tokio::test(start_paused = true)]
async fn options_that_change_while_a_breaker_is_made_are_its_options() {
    let hosts = hosts();
    // Its text, which is asked for while it is made, changes the options.
    let key = Key { number: 1, hosts: Some(hosts.clone()) };
    assert_eq!(hosts.breaker(&key).options(), STRICT);
    hosts.breaker(&key).try_acquire().unwrap().failure();
    assert_eq!(hosts.breaker(&key).state(), BreakerState::Open);
    hosts.forget(&key);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_uses_the_table_when_it_is_dropped_is_dropped_without_its_lock() {
    let hosts = hosts();
    for number in 0..6 {
        hosts.breaker(&Key { number, hosts: Some(hosts.clone()) });
    }
    assert!(hosts.forget(&Key::plain(4)) && hosts.forget(&Key::plain(5)));
    assert!(hosts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hash_that_panics_leaves_a_sound_table() {
    for hashes in 0..12 {
        let hosts = hosts();
        hosts.breaker(&Key::plain(0)).force_open();
        hosts.breaker(&Key::plain(1));
        HASHES.set(Some(hashes));
        let asked = catch_unwind(AssertUnwindSafe(|| {
            (2..5).for_each(|number| drop(hosts.breaker(&Key::plain(number))));
            hosts.forget(&Key::plain(4));
        }));
        HASHES.set(None);
        assert!(asked.is_err(), "{hashes} hashes were enough");
        for number in 0..20 {
            let is_open = hosts.breaker(&Key::plain(number)).state() == BreakerState::ForcedOpen;
            assert!(!is_open || number == 0, "{number} got another key's breaker");
            assert!(hosts.len() <= 2);
        }
        for number in 0..20 {
            hosts.forget(&Key::plain(number));
        }
        assert!(hosts.is_empty(), "{} are left of {hashes}", hosts.len());
    }
}
