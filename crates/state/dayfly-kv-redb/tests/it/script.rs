//! A script of operations, and what is there after each of them.

use std::collections::BTreeMap;

use dayfly_kv::{Bytes, Key, Precondition, PutOptions, Scan, Store};

use crate::support::key;

/// What is in a store.
pub(crate) type Content = BTreeMap<String, Bytes>;

/// An operation.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put(Key, Bytes),
    Delete(Key),
    Clear,
}

/// So many operations on twenty keys, with values of up to two kilobytes.
pub(crate) fn script(steps: usize, seed: u64) -> Vec<Step> {
    let mut random = fastrand::Rng::with_seed(seed);
    let step = |number: usize| {
        let name = key(&format!("key {:02}", random.usize(..20)));
        match random.usize(..100) {
            0..80 => {
                let mut value = format!("{number} ").into_bytes();
                value.resize(value.len() + random.usize(..2_000), b'.');
                Step::Put(name, value.into())
            }
            80..99 => Step::Delete(name),
            _ => Step::Clear,
        }
    };
    (0..steps).map(step).collect()
}

/// What is there after each step; the first is nothing.
pub(crate) fn contents(steps: &[Step]) -> Vec<Content> {
    let mut all = vec![Content::new()];
    for step in steps {
        let mut content = all[all.len() - 1].clone();
        step.happen(&mut content);
        all.push(content);
    }
    all
}

impl Step {
    pub(crate) fn happen(&self, content: &mut Content) {
        match self {
            Self::Put(key, value) => drop(content.insert(key.as_str().to_owned(), value.clone())),
            Self::Delete(key) => drop(content.remove(key.as_str())),
            Self::Clear => content.clear(),
        }
    }

    /// Does it; says whether it failed, and then whether it may have happened all the same.
    pub(crate) async fn run(&self, store: &dyn Store) -> Result<(), bool> {
        match self {
            Self::Put(key, value) => {
                let put = store.put(key, value.clone(), PutOptions::new()).await;
                put.map(drop).map_err(|error| matches!(error, dayfly_kv::PutError::Unknown(_)))
            }
            Self::Delete(key) => {
                let deleted = store.delete(key, Precondition::Any).await;
                deleted.map(drop).map_err(|error| matches!(error, dayfly_kv::DeleteError::Unknown(_)))
            }
            // A clearing that failed may have removed some.
            Self::Clear => store.clear().await.map(drop).map_err(|_| true),
        }
    }
}

/// What a store has.
pub(crate) async fn content(store: &dyn Store) -> Content {
    let (mut content, mut scan) = (Content::new(), Scan::all());
    loop {
        let page = store.scan(&scan).await.unwrap();
        assert_eq!(page.corrupt, []);
        content.extend(page.entries.into_iter().map(|(key, entry)| (key.as_str().to_owned(), entry.value)));
        match page.next {
            Some(next) => scan = scan.after(next),
            None => return content,
        }
    }
}
