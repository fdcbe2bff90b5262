//! Stores by settings and by types.

use std::sync::Arc;

use dayfly_kv::{
    Cache, CacheOptions, MemoryBackend, NamespaceError, NamespacePart, OpenError, Place, Provider,
    PutOptions, State,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Invoice(u64);

impl State for Invoice {
    const ENTITY: &'static str = "invoice";
}

fn provider(defaults: Place) -> Provider {
    Provider::new(Arc::new(MemoryBackend::new()), defaults)
}

#[tokio::test]
async fn what_the_place_does_not_say_the_defaults_do() {
    let provider = provider(Place::new().database("everybody").container("shop").entity("order"));
    for (place, wanted) in [
        (Place::new(), "everybody/shop/order"),
        (Place::new().database("acme"), "acme/shop/order"),
        (Place::new().container("archive").entity("x"), "everybody/archive/x"),
    ] {
        assert_eq!(provider.open(&place).await.unwrap().namespace().to_string(), wanted);
    }
}

#[tokio::test]
async fn a_missing_tenant_is_an_error_and_an_empty_one_does_not_mean_the_default() {
    let without = provider(Place::new().container("shop").entity("order"));
    let with = provider(Place::new().database("everybody").container("shop").entity("order"));
    for missing in [without.open(&Place::new()).await, with.open(&Place::new().database("")).await] {
        let Err(OpenError::Namespace(NamespaceError::Missing { part })) = missing else {
            panic!("{missing:?}")
        };
        assert_eq!(part, NamespacePart::Database);
    }
}

#[tokio::test]
async fn a_type_declares_its_entity() {
    let provider = provider(Place::new().database("acme").container("shop").entity("not this one"));
    let invoices = provider.open_state::<u64, Invoice>(&Place::new()).await.unwrap();
    assert_eq!(invoices.store().namespace().entity(), "invoice");
    invoices.put(&1, &Invoice(5), PutOptions::new()).await.unwrap();
    let same = provider.open_state::<u64, Invoice>(&Place::new()).await.unwrap();
    assert_eq!(same.get_required(&1).await.unwrap().value, Invoice(5));
    let other = provider.open_state::<u64, Invoice>(&Place::new().entity("draft")).await.unwrap();
    assert_eq!(other.get(&1).await.unwrap(), None);
}

#[tokio::test]
async fn layers_wrap_every_store_that_is_opened() {
    let cache = Cache::new(&CacheOptions::new());
    let shared = cache.clone();
    let provider = provider(Place::new().database("a").container("b").entity("c"))
        .layer(move |store| shared.over(store));
    let numbers = provider.open_state::<u64, Invoice>(&Place::new()).await.unwrap();
    numbers.put(&1, &Invoice(1), PutOptions::new()).await.unwrap();
    numbers.get(&1).await.unwrap();
    assert_eq!(cache.len(), 1);
}
