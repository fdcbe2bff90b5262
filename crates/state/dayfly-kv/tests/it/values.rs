//! Values of types: codecs, versions, lists, and errors that say which entry it was.

use std::sync::Arc;

use dayfly_kv::{
    Bytes, Codec, DecodeError, EncodeError, Json, KeyError, KeyValueStore, LoadError, Precondition, Prefix,
    PutOptions, RequireError, SaveError, Scan, State, Store, Upcasts,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{bytes, key, memory};

const ANY: PutOptions = PutOptions::new();

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    total: u64,
    currency: String,
}

impl State for Order {
    const ENTITY: &'static str = "order";
    const VERSION: u32 = 3;

    fn upcasts() -> Upcasts {
        let renamed = |mut order: serde_json::Value| {
            let total = order["sum"].take();
            Ok(json!({ "total": total }))
        };
        Upcasts::new().from(1, renamed).from(2, |mut order| {
            order["currency"] = "EUR".into();
            Ok(order)
        })
    }
}

#[tokio::test]
async fn older_values_are_brought_up_to_date_when_read_and_newer_ones_refused() {
    let store = memory();
    let orders = KeyValueStore::<u32, Order>::of_state(store.clone());
    store.put_now(&key("1"), bytes(r#"{"version":1,"value":{"sum":5}}"#), &ANY).unwrap();
    store.put_now(&key("4"), bytes(r#"{"version":4,"value":{}}"#), &ANY).unwrap();
    let wanted = Order { total: 5, currency: "EUR".into() };
    assert_eq!(orders.get_required(&1).await.unwrap().value, wanted);
    let Err(LoadError::Undecodable { key, source }) = orders.get(&4).await else { panic!("it was read") };
    assert_eq!(key.as_str(), "4");
    assert!(matches!(source, DecodeError::Newer { version: 4, newest: 3 }));
    orders.put(&1, &wanted, ANY).await.unwrap();
    let written = store.get_now(&key).is_some() && store.get_now(&crate::support::key("1")).is_some();
    assert!(written);
    let text = store.get_now(&crate::support::key("1")).unwrap().value;
    assert_eq!(text, bytes(r#"{"version":3,"value":{"total":5,"currency":"EUR"}}"#));
}

#[tokio::test]
async fn what_has_to_be_there_is_named_when_it_is_not() {
    let orders = KeyValueStore::<String, Order>::json(memory());
    let missing = orders.get_required("no such order").await.unwrap_err();
    assert!(matches!(&missing, RequireError::Missing { key } if key.as_str() == "no such order"));
    assert_eq!(missing.to_string(), "there is no entry `no such order`");
}

#[tokio::test]
async fn many_are_read_in_order_with_empty_slots() {
    let numbers = KeyValueStore::<u32, u32>::json(memory());
    for number in [1, 2, 3] {
        numbers.put(&number, &(number * 10), ANY).await.unwrap();
    }
    let found = numbers.get_many([3, 9, 1, 3]).await.unwrap();
    let values: Vec<_> = found.into_iter().map(|found| found.map(|found| found.value)).collect();
    assert_eq!(values, [Some(30), None, Some(10), Some(30)]);
}

#[tokio::test]
async fn a_list_has_the_values_and_says_which_entries_are_none() {
    let store = memory();
    let numbers = KeyValueStore::<u32, u32>::json(store.clone());
    for number in [1, 2, 30] {
        numbers.put(&number, &number, ANY).await.unwrap();
    }
    store.put_now(&key("2"), bytes("garbage"), &ANY).unwrap();
    store.put_now(&key("x"), bytes(r#"{"version":1,"value":1}"#), &ANY).unwrap();
    let listed = numbers.scan(&Scan::new(Prefix::all())).await.unwrap();
    assert_eq!(
        listed.values.iter().map(|(key, found)| (*key, found.value)).collect::<Vec<_>>(),
        [(1, 1), (30, 30)]
    );
    let failed: Vec<_> = listed.failed.iter().map(|(key, _)| key.as_ref().unwrap().as_str()).collect();
    assert_eq!(failed, ["2", "x"]);
    assert!(matches!(listed.failed[1].1, LoadError::ForeignKey { .. }));
}

#[tokio::test]
async fn what_is_invalid_is_refused_before_the_store_hears_of_it() {
    let (store, _) = crate::support::scripted();
    let numbers = KeyValueStore::<String, f64>::json(Arc::new(store.clone()));
    assert!(matches!(numbers.get("").await, Err(LoadError::InvalidKey(KeyError::Empty))));
    assert!(matches!(numbers.put("a\n", &1.0, ANY).await, Err(SaveError::InvalidKey(_))));
    assert!(matches!(numbers.put("a", &f64::NAN, ANY).await, Err(SaveError::Encode(_))));
    assert!(numbers.delete("", Precondition::Any).await.is_err());
    assert!(numbers.watch("\0", dayfly_kv::WatchFrom::Now).await.is_err());
    assert!(numbers.update("a", |_| f64::INFINITY).await.is_err());
    assert_eq!(store.calls().len(), 1, "the update reads before it writes: {:?}", store.calls());
}

struct Plain;

impl Codec<String> for Plain {
    fn encode(&self, value: &String) -> Result<Bytes, EncodeError> {
        Ok(Bytes::copy_from_slice(value.as_bytes()))
    }

    fn decode(&self, bytes: &[u8]) -> Result<String, DecodeError> {
        String::from_utf8(bytes.to_vec()).map_err(DecodeError::malformed)
    }
}

#[tokio::test]
async fn a_codec_of_ones_own_writes_what_it_likes() {
    let store = memory();
    let texts = KeyValueStore::<String, String>::with_codec(store.clone(), Plain);
    texts.put("a", &"plain".to_owned(), ANY).await.unwrap();
    assert_eq!(store.get_now(&key("a")).unwrap().value, bytes("plain"));
    store.put_now(&key("a"), Bytes::from_static(b"\xff"), &ANY).unwrap();
    assert!(matches!(texts.get("a").await, Err(LoadError::Undecodable { .. })));
    assert!(texts.contains("a").await.unwrap());
}

#[test]
fn everything_public_can_be_sent_and_shared() {
    fn both<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    both::<KeyValueStore<String, std::cell::Cell<u8>>>();
    both::<Arc<dyn Store>>();
    both::<Json<String>>();
    both::<dayfly_kv::MemoryStore>();
    both::<dayfly_kv::MemoryBackend>();
    both::<dayfly_kv::Provider>();
    both::<dayfly_kv::Cache>();
    both::<dayfly_kv::ScriptedStore>();
    both::<dayfly_kv::InstrumentedStore>();
    both::<dayfly_kv::FallbackStore>();
    both::<dayfly_kv::RetryStore>();
    both::<dayfly_kv::BreakerStore>();
    both::<dayfly_kv::PutError>();
    both::<dayfly_kv::UpdateError>();
    sent::<dayfly_kv::Migration>();
    sent::<dayfly_kv::Watch>();
}
