//! Locks of several keys, named in any order.

use dayfly_limit::KeyedLock;
use tokio::task::{spawn, yield_now};

use crate::watched::Bodies;

/// Nobody deadlocks, no key has two holders, and nothing is left.
pub(super) async fn several_keys() {
    let locks = KeyedLock::new();
    let each = [Bodies::default(), Bodies::default(), Bodies::default()];
    let wanted: [&[usize]; 5] = [&[0, 1], &[1, 0], &[1, 2, 1], &[2, 0], &[1]];
    let tasks = wanted.map(|keys| {
        let (locks, each) = (locks.clone(), each.clone());
        spawn(async move {
            for _ in 0..2 {
                let guard = locks.lock_many(keys.iter().copied()).await;
                let mut named = keys.to_vec();
                named.sort_unstable();
                named.dedup();
                assert_eq!(guard.keys(), named.len());
                let _inside: Vec<_> = named.into_iter().map(|key| each[key].enter()).collect();
                yield_now().await;
            }
        })
    });
    for task in tasks {
        task.await.expect("a task comes to its end");
    }
    assert!(each.iter().all(|key| key.most() == 1));
    assert!(locks.is_empty() && locks.holders() == 0);
    assert!(locks.try_lock_many([0, 1, 2]).is_ok());
}
