//! Many at once.

use std::sync::Arc;

use dayfly_kv::{DeleteError, KeyValueStore, Precondition, PutError, Store};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{ANY, key, value};
use crate::case::{Broken, ensure_eq};
use crate::subject::Subject;

const MANY: usize = 50;
const ROUNDS: usize = 8;

/// Runs one task each for so many numbers, which all begin when the last one is there; gives what came of all.
async fn at_once<T: Send + 'static, F>(many: usize, task: impl Fn(usize) -> F) -> Result<Vec<T>, Broken>
where
    F: Future<Output = Result<T, Broken>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let start = Arc::new(Barrier::new(many));
    for number in 0..many {
        let (task, start) = (task(number), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            task.await
        });
    }
    let mut results = Vec::with_capacity(many);
    while let Some(result) = tasks.join_next().await {
        results.push(result??);
    }
    Ok(results)
}

/// Puts with these options, many at once; how many of them won.
async fn winners(
    store: &Arc<dyn Store>,
    name: &str,
    options: dayfly_kv::PutOptions,
) -> Result<usize, Broken> {
    let key = key(name)?;
    let won = at_once(MANY, |number| {
        let (store, key, options) = (Arc::clone(store), key.clone(), options.clone());
        async move {
            match store.put(&key, value(&number.to_string()), options).await {
                Ok(etag) => Ok(Some((number, etag))),
                Err(PutError::Conflict(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
    })
    .await?;
    let won: Vec<_> = won.into_iter().flatten().collect();
    if let [(number, etag)] = &won[..] {
        let found = store.get(&key).await?.map(|entry| (entry.value, entry.etag));
        ensure_eq!(found, Some((value(&number.to_string()), etag.clone())), "what the winner put");
    }
    Ok(won.len())
}

pub(crate) async fn one_of_many_who_put_absent_wins(subject: &Subject) -> Result<(), Broken> {
    let store = subject.store().await?;
    for round in 0..ROUNDS {
        let won = winners(&store, &round.to_string(), ANY.absent()).await?;
        ensure_eq!(won, 1, "of {MANY} who put Absent of one key at once, so many were told that they did");
    }
    Ok(())
}

pub(crate) async fn one_of_many_who_swap_the_same_etag_wins(subject: &Subject) -> Result<(), Broken> {
    let store = subject.store().await?;
    for round in 0..ROUNDS {
        let name = round.to_string();
        let etag = store.put(&key(&name)?, value("first"), ANY).await?;
        let won = winners(&store, &name, ANY.matches(etag)).await?;
        ensure_eq!(won, 1, "of {MANY} who put Matches of one etag at once, so many were told that they did");
    }
    Ok(())
}

pub(crate) async fn a_counter_that_many_update_counts_each(subject: &Subject) -> Result<(), Broken> {
    let counts = KeyValueStore::<String, u64>::json(subject.store().await?);
    at_once(100, |_| {
        let counts = counts.clone();
        async move { Ok(counts.update("count", |count| count.unwrap_or(0) + 1).await.map(drop)?) }
    })
    .await?;
    ensure_eq!(counts.get_required("count").await?.value, 100, "a counter that 100 tasks have incremented");
    Ok(())
}

pub(crate) async fn one_of_many_who_claim_gets_it(subject: &Subject) -> Result<(), Broken> {
    let owners = KeyValueStore::<usize, usize>::json(subject.store().await?);
    for job in 0..ROUNDS {
        let claims = at_once(MANY, |number| {
            let owners = owners.clone();
            async move { Ok(owners.try_update(&job, |owner| owner.is_none().then_some(number)).await?) }
        })
        .await?;
        let owner = owners.get_required(&job).await?.value;
        let claimed: Vec<usize> = claims.into_iter().flatten().map(|claimed| claimed.value).collect();
        ensure_eq!(claimed, [owner], "those who were told that they own it");
    }
    Ok(())
}

pub(crate) async fn one_of_many_who_delete_the_same_etag_does(subject: &Subject) -> Result<(), Broken> {
    let store = subject.store().await?;
    for round in 0..ROUNDS {
        let key = key(&round.to_string())?;
        let etag = store.put(&key, value("1"), ANY).await?;
        let deleted = at_once(MANY, |_| {
            let (store, key, etag) = (Arc::clone(&store), key.clone(), etag.clone());
            async move {
                match store.delete(&key, Precondition::Matches(etag)).await {
                    Ok(deleted) => Ok(deleted),
                    Err(DeleteError::Conflict(_)) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
        })
        .await?;
        let deleted = deleted.into_iter().filter(|deleted| *deleted).count();
        ensure_eq!(deleted, 1, "of {MANY} who delete one etag at once, so many were told that they did");
    }
    Ok(())
}
