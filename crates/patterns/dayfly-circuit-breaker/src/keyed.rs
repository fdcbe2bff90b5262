//! A breaker for each key.

use std::borrow::Borrow;
use std::fmt::{self, Display};
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use dayfly::{Fixed, Reconfigure};
use dayfly_signal::SignalSink;
use tokio::time::Instant;

use crate::breaker::CircuitBreaker;
use crate::error::CallError;
use crate::options::BreakerOptions;
use crate::sync::{Mutex, MutexGuard, PoisonError};

mod options;
mod table;

pub use options::KeyedBreakerOptions;
use table::Table;

/// A circuit breaker for each key, made when the key is first asked for: one for each host, tenant or shard.
///
/// What is kept is bounded: a key that nobody has asked for during [`time_to_idle`](KeyedBreakerOptions::time_to_idle)
/// goes when others come, and with [`max_keys`](KeyedBreakerOptions::max_keys) there the one that was asked for longest
/// ago makes room. Breakers that are not closed, or that somebody holds, are passed over as long as there are others;
/// what a hand has opened or closed stays also when it is idle. A look-up does a constant amount of work. So does
/// making room, but that each breaker that has opened, or is held, is passed over once.
///
/// Their signals carry the key, so `circuit.open.<name>` gates that key only in a keyed coordinator.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly::SignalSink;
/// use dayfly_circuit_breaker::{BreakerState, KeyedBreaker, KeyedBreakerOptions};
///
/// let hosts = KeyedBreaker::new("hosts", KeyedBreakerOptions::new(), &SignalSink::default());
/// for _ in 0..5 {
///     hosts.call("a.example", async { Err::<(), _>("no route") }).await.unwrap_err();
/// }
/// assert_eq!(hosts.breaker("a.example").state(), BreakerState::Open);
/// assert_eq!(hosts.breaker("b.example").state(), BreakerState::Closed);
/// # }
/// ```
///
/// Clones share their breakers.
pub struct KeyedBreaker<K> {
    shared: Arc<Shared<K>>,
}

struct Shared<K> {
    name: String,
    signals: SignalSink,
    table: Mutex<Table<K>>,
    /// Held while options change, so that no breaker is left with those of an earlier change.
    change: Mutex<()>,
}

impl<K: Eq + Hash + Clone + Display> KeyedBreaker<K> {
    /// A breaker for each key, all under one name.
    #[must_use]
    pub fn new(name: &str, options: KeyedBreakerOptions, signals: &SignalSink) -> Self {
        let table = Mutex::new(Table::new(options));
        let (name, signals, change) = (name.to_owned(), signals.clone(), Mutex::default());
        Self { shared: Arc::new(Shared { name, signals, table, change }) }
    }

    /// The breaker of this key. While somebody holds it, it is not forgotten for another key if there is any choice.
    pub fn breaker<Q>(&self, key: &Q) -> CircuitBreaker
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let mut table = self.table();
        let now = table.has_idle_time().then(Instant::now);
        if let Some(breaker) = table.find(key, now) {
            return breaker;
        }
        let options = table.options().breaker.clone();
        drop(table);
        // The key's text is foreign code, and so is what hears of the signals of those that go: no lock is held.
        let key = key.to_owned();
        let Shared { name, signals, .. } = &*self.shared;
        let made = CircuitBreaker::with_key(name, Some(key.to_string()), options, signals);
        let mut gone = Vec::new();
        let breaker = self.table().insert(key, made, now, &mut gone);
        drop(gone);
        breaker
    }

    /// Makes a call through the breaker of this key.
    ///
    /// # Errors
    /// As for [`CircuitBreaker::call`].
    ///
    /// # Cancel safety
    /// As for [`CircuitBreaker::call`].
    pub async fn call<Q, V, E>(
        &self,
        key: &Q,
        work: impl Future<Output = Result<V, E>>,
    ) -> Result<V, CallError<E>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let breaker = self.breaker(key);
        breaker.call(work).await
    }

    /// How many keys have a breaker.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// Whether no key has a breaker.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many breakers were forgotten although they were not closed, or somebody held them, since there were too many
    /// keys.
    #[must_use]
    pub fn displaced(&self) -> u64 {
        self.table().displaced()
    }

    /// Forgets the breaker of this key. Says whether there was one.
    pub fn forget<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let gone = self.table().remove(key);
        gone.is_some()
    }

    fn follow(&self, options: impl FnOnce(&KeyedBreakerOptions) -> KeyedBreakerOptions) {
        let one_at_a_time = self.shared.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = Vec::new();
        let mut table = self.table();
        let options = options(table.options());
        let breakers = table.follow(options.clone(), &mut gone);
        drop(table);
        for breaker in &breakers {
            breaker.follow(&options.breaker);
        }
        drop(one_at_a_time);
        drop(gone);
    }

    fn table(&self) -> MutexGuard<'_, Table<K>> {
        self.shared.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every option can be followed at once, by the breakers that exist too.
impl<K: Eq + Hash + Clone + Display + Send> Reconfigure<KeyedBreakerOptions> for KeyedBreaker<K> {
    fn check(&self, _: &KeyedBreakerOptions) -> Result<(), Fixed> {
        Ok(())
    }

    fn reconfigure(&self, options: &KeyedBreakerOptions) -> Result<(), Fixed> {
        self.follow(|_| options.clone());
        Ok(())
    }
}

/// The breakers' options, for who does not care how many keys there are.
impl<K: Eq + Hash + Clone + Display + Send> Reconfigure<BreakerOptions> for KeyedBreaker<K> {
    fn check(&self, _: &BreakerOptions) -> Result<(), Fixed> {
        Ok(())
    }

    fn reconfigure(&self, options: &BreakerOptions) -> Result<(), Fixed> {
        self.follow(|all| all.clone().breaker(options.clone()));
        Ok(())
    }
}

impl<K> Clone for KeyedBreaker<K> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K> fmt::Debug for KeyedBreaker<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBreaker").field("name", &self.shared.name).finish_non_exhaustive()
    }
}
