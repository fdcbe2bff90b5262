//! Every shape that a type may have is read as its own format reads it.

use std::collections::{BTreeMap, HashMap};

use dayfly::SignalSink;
use dayfly_config::Watched;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::support::{ASKED_ONLY, Folder};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Shapes {
    #[serde(skip_serializing_if = "Option::is_none")]
    maybe: Option<i64>,
    signed: i32,
    unsigned: u64,
    float: f64,
    letter: char,
    pair: (u8, String),
    new: New,
    kinds: Vec<Kind>,
    tagged: Tagged,
    either: Either,
    by_number: BTreeMap<u32, bool>,
    by_kind: HashMap<Plain, u8>,
    unit: Plain,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct New(String);

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Kind {
    Unit,
    Newtype(u32),
    Tuple(u8, u8),
    Struct { x: bool },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type")]
enum Tagged {
    One { x: u32 },
    Two { y: String },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
enum Either {
    Number(i64),
    Text(String),
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum Plain {
    A,
    B,
}

fn shapes() -> impl Strategy<Value = Shapes> {
    let kind = prop_oneof![
        Just(Kind::Unit),
        any::<u32>().prop_map(Kind::Newtype),
        any::<(u8, u8)>().prop_map(|(one, other)| Kind::Tuple(one, other)),
        any::<bool>().prop_map(|x| Kind::Struct { x }),
    ];
    let tagged = prop_oneof![
        any::<u32>().prop_map(|x| Tagged::One { x }),
        any::<String>().prop_map(|y| Tagged::Two { y })
    ];
    let either = prop_oneof![any::<i64>().prop_map(Either::Number), any::<String>().prop_map(Either::Text)];
    let plain = prop_oneof![Just(Plain::A), Just(Plain::B)];
    let float = any::<u64>()
        .prop_map(f64::from_bits)
        .prop_filter("JSON has no such number", |float| float.is_finite());
    let numbers = (any::<Option<i64>>(), any::<i32>(), 0..=i64::MAX.unsigned_abs(), float, any::<char>());
    let parts = (
        any::<(u8, String)>(),
        any::<String>(),
        proptest::collection::vec(kind, 0..4),
        tagged,
        either,
        proptest::collection::btree_map(any::<u32>(), any::<bool>(), 0..3),
        proptest::collection::hash_map(plain.clone(), any::<u8>(), 0..2),
        plain,
    );
    (numbers, parts).prop_map(|(numbers, parts)| Shapes {
        maybe: numbers.0,
        signed: numbers.1,
        unsigned: numbers.2,
        float: numbers.3,
        letter: numbers.4,
        pair: parts.0,
        new: New(parts.1),
        kinds: parts.2,
        tagged: parts.3,
        either: parts.4,
        by_number: parts.5,
        by_kind: parts.6,
        unit: parts.7,
    })
}

async fn read(folder: &Folder, name: &str) -> Shapes {
    let sources = dayfly_config::Sources::new().file(folder.path(name));
    let watched = Watched::<Shapes>::open(sources, ASKED_ONLY, &SignalSink::default()).await.unwrap();
    Shapes::clone(&watched.load())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_from_every_source(shapes in shapes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = Folder::new();
        folder.write("a.toml", toml::to_string(&shapes).unwrap());
        folder.write("a.json", serde_json::to_string(&shapes).unwrap());
        runtime.block_on(async {
            prop_assert_eq!(&read(&folder, "a.toml").await, &shapes);
            prop_assert_eq!(&read(&folder, "a.json").await, &shapes);
            let sources = dayfly_config::Sources::new().defaults(&shapes);
            let watched = Watched::<Shapes>::open(sources, ASKED_ONLY, &SignalSink::default()).await.unwrap();
            prop_assert_eq!(&*watched.load(), &shapes);
            Ok(())
        })?;
    }
}
