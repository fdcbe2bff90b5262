//! A store keeps the contract behind every decorator, in whatever order they stand.

use std::sync::Arc;

use dayfly_circuit_breaker::{BreakerOptions, CircuitBreaker};
use dayfly_kv::{
    Backend, BreakerStore, Cache, CacheOptions, FallbackStore, InstrumentedStore, ManualClock, MemoryBackend,
    MemoryOptions, Namespace, OpenError, RetryStore, ScriptedStore, Store, async_trait,
};
use dayfly_kv_conformance::{Subject, examine};
use dayfly_retry::RetryOptions;
use dayfly_signal::SignalSink;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Layer {
    Cached,
    WithFallback,
    Instrumented,
    Scripted,
    Retried,
    Guarded,
}

const LAYERS: [Layer; 6] = [
    Layer::Cached,
    Layer::WithFallback,
    Layer::Instrumented,
    Layer::Scripted,
    Layer::Retried,
    Layer::Guarded,
];

/// Opens stores in memory behind these layers, the last one outermost.
#[derive(Debug)]
struct Layered {
    memory: MemoryBackend,
    /// Empty: whoever reads of it when nothing has failed finds nothing.
    second: MemoryBackend,
    cache: Cache,
    signals: SignalSink,
    breaker: CircuitBreaker,
    layers: Vec<Layer>,
}

#[async_trait]
impl Backend for Layered {
    async fn open(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, OpenError> {
        let mut store = self.memory.open(namespace).await?;
        for layer in &self.layers {
            store = match layer {
                Layer::Cached => self.cache.over(store),
                Layer::WithFallback => {
                    Arc::new(FallbackStore::new(store, self.second.open(namespace).await?))
                }
                Layer::Instrumented => Arc::new(InstrumentedStore::new(store, &self.signals)),
                Layer::Scripted => Arc::new(ScriptedStore::new(store)),
                Layer::Retried => Arc::new(RetryStore::new(store, RetryOptions::new())),
                Layer::Guarded => Arc::new(BreakerStore::new(store, self.breaker.clone())),
            };
        }
        Ok(store)
    }
}

fn subject(layers: &[Layer]) -> Subject {
    let clock = ManualClock::new();
    let memory = || MemoryBackend::with(MemoryOptions::new(), Arc::new(clock.clone()));
    let (memory, second) = (memory(), memory());
    let cache = Cache::new(&CacheOptions::new());
    let signals = SignalSink::default();
    let breaker = CircuitBreaker::new("store", BreakerOptions::new(), &signals);
    let layered = Layered { memory, second, cache, signals, breaker, layers: layers.to_vec() };
    Subject::new(Arc::new(layered)).clock(clock)
}

/// Every order of these layers.
fn orders(layers: &[Layer]) -> Vec<Vec<Layer>> {
    if layers.is_empty() {
        return vec![Vec::new()];
    }
    let first = layers.iter().flat_map(|first| {
        let rest: Vec<Layer> = layers.iter().copied().filter(|layer| layer != first).collect();
        orders(&rest).into_iter().map(move |rest| [&[*first][..], &rest].concat())
    });
    first.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_decorators_keep_the_whole_contract_in_any_order() {
    // One in so many of all orders, in which each decorator stands at each place.
    let orders: Vec<Vec<Layer>> = orders(&LAYERS).into_iter().step_by(31).collect();
    for layer in LAYERS {
        for place in 0..LAYERS.len() {
            assert!(orders.iter().any(|layers| layers[place] == layer), "{layer:?} at {place}");
        }
    }
    for layers in orders {
        let report = examine(|| std::future::ready(subject(&layers))).await;
        assert!(report.broken().is_empty() && report.excluded().is_empty(), "behind {layers:?}:\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_of_its_own_for_each_opening_is_found_to_break_it() {
    let report = examine(|| async {
        let clock = ManualClock::new();
        let memory = MemoryBackend::with(MemoryOptions::new(), Arc::new(clock.clone()));
        Subject::new(Arc::new(CachedApart(memory))).clock(clock)
    })
    .await;
    assert!(report.broken().contains(&"a_namespace_that_is_opened_twice_is_the_same"), "{report}");
}

/// What two caches remember of one store they do not tell each other.
#[derive(Debug)]
struct CachedApart(MemoryBackend);

#[async_trait]
impl Backend for CachedApart {
    async fn open(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, OpenError> {
        Ok(Cache::new(&CacheOptions::new()).over(self.0.open(namespace).await?))
    }
}
