//! Being told of changes.

use std::collections::HashMap;
use std::time::Duration;

use dayfly_kv::{Change, Cursor, Etag, Key, Precondition, Prefix, Watch, WatchFrom, What};
use tokio::time::timeout;

use super::{ANY, key, value};
use crate::case::{Broken, ensure, ensure_eq};
use crate::subject::Subject;

/// How long a store may take to tell of a change. It bounds a hang, and is not waited for otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

async fn next(watch: &mut Watch) -> Result<Change, Broken> {
    match timeout(PATIENCE, watch.next()).await {
        Ok(Some(change)) => Ok(change?),
        Ok(None) => Err(Broken::new("the watch ended")),
        Err(_) => Err(Broken::new("a change was not told within 20 s")),
    }
}

/// What is told until a change of this key comes: of each key, the etags in order, with `None` for a deletion.
async fn told_until(
    watch: &mut Watch,
    last: &Key,
) -> Result<(HashMap<Key, Vec<Option<Etag>>>, Option<Cursor>, bool), Broken> {
    let (mut told, mut gap): (HashMap<Key, Vec<Option<Etag>>>, bool) = (HashMap::new(), false);
    loop {
        let change = next(watch).await?;
        match change.what {
            What::Put { key, etag } if key == *last => {
                told.entry(key).or_default().push(Some(etag));
                return Ok((told, change.cursor, gap));
            }
            What::Put { key, etag } => told.entry(key).or_default().push(Some(etag)),
            What::Deleted { key } => told.entry(key).or_default().push(None),
            What::Gap => gap = true,
            other => return Err(Broken::new(format!("{other:?} is unknown to this suite"))),
        }
    }
}

/// Whether what was told are some of the changes in their order, perhaps several times, with the last one at the end.
fn is_in_order(told: &[Option<Etag>], happened: &[Option<Etag>]) -> bool {
    let mut at = 0;
    for change in told {
        match happened.iter().position(|happened| happened == change) {
            Some(place) if place >= at => at = place,
            // Told again: at least once is the promise, so an older one may come first.
            Some(_) => {}
            None => return false,
        }
    }
    told.last() == happened.last()
}

pub(crate) async fn changes_are_told_in_order_per_key(subject: &Subject) -> Result<(), Broken> {
    let store = subject.store().await?;
    store.put(&key("before")?, value("1"), ANY).await?;
    let mut watch = store.watch(&Prefix::all(), WatchFrom::Now).await?;
    let mut happened: HashMap<Key, Vec<Option<Etag>>> = HashMap::new();
    for round in 0..10 {
        for name in ["a", "b"] {
            let key = key(name)?;
            let changes = happened.entry(key.clone()).or_default();
            // Deletions come in between.
            if round % 3 == 2 {
                store.delete(&key, Precondition::Any).await?;
                changes.push(None);
            } else {
                changes.push(Some(store.put(&key, value(name), ANY).await?));
            }
        }
    }
    // The last change of one key is a write, and of the other a deletion.
    store.delete(&key("b")?, Precondition::Any).await?;
    happened.entry(key("b")?).or_default().push(None);
    let end = key("end")?;
    store.put(&end, value("end"), ANY).await?;
    let (told, _, gap) = told_until(&mut watch, &end).await?;
    ensure!(gap || !told.contains_key(&key("before")?), "a change from before the watch was told");
    for (key, happened) in happened {
        let told = told.get(&key).map_or(&[][..], Vec::as_slice);
        ensure!(
            gap || is_in_order(told, &happened),
            "of {key:?}, {told:?} was told, and {happened:?} happened"
        );
    }
    Ok(())
}

pub(crate) async fn only_keys_of_the_prefix_are_told(subject: &Subject) -> Result<(), Broken> {
    let store = subject.store().await?;
    let mut watch = store.watch(&Prefix::new("a/")?, WatchFrom::Now).await?;
    for name in ["a", "b", "a/1", "a0"] {
        store.put(&key(name)?, value(name), ANY).await?;
    }
    let end = key("a/end")?;
    store.put(&end, value("end"), ANY).await?;
    let (told, _, gap) = told_until(&mut watch, &end).await?;
    let mut names: Vec<&str> = told.keys().map(Key::as_str).collect();
    names.sort_unstable();
    ensure!(gap || names == ["a/1", "a/end"], "with the prefix a/, changes of {names:?} were told");
    Ok(())
}

pub(crate) async fn each_who_watches_is_told_whoever_else_comes_and_goes(
    subject: &Subject,
) -> Result<(), Broken> {
    let store = subject.store().await?;
    let (mut stays, mut leaves) = (
        store.watch(&Prefix::all(), WatchFrom::Now).await?,
        store.watch(&Prefix::all(), WatchFrom::Now).await?,
    );
    let first = key("first")?;
    let etag = store.put(&first, value("1"), ANY).await?;
    for watch in [&mut stays, &mut leaves] {
        let (told, ..) = told_until(watch, &first).await?;
        ensure_eq!(
            told.get(&first).map(Vec::as_slice),
            Some(&[Some(etag.clone())][..]),
            "one of two who watch"
        );
    }
    drop(leaves);
    store.put(&key("second")?, value("1"), ANY).await?;
    let mut late = store.watch(&Prefix::all(), WatchFrom::Now).await?;
    let end = key("end")?;
    store.put(&end, value("end"), ANY).await?;
    let (told, _, gap) = told_until(&mut stays, &end).await?;
    ensure!(
        gap || told.contains_key(&key("second")?),
        "who stays was not told, after the other one has left"
    );
    let (told, _, gap) = told_until(&mut late, &end).await?;
    ensure!(gap || !told.contains_key(&first), "who comes late was told of what was before");
    Ok(())
}

pub(crate) async fn what_follows_a_cursor_is_told_or_a_gap(subject: &Subject) -> Result<(), Broken> {
    let store = subject.store().await?;
    let mut watch = store.watch(&Prefix::all(), WatchFrom::Now).await?;
    let (first, end) = (key("first")?, key("end")?);
    store.put(&first, value("1"), ANY).await?;
    let (_, cursor, _) = told_until(&mut watch, &first).await?;
    let Some(cursor) = cursor else {
        return Err(Broken::new("the store can go on from a cursor, and told none with a change"));
    };
    drop(watch);
    let etag = store.put(&key("missed")?, value("1"), ANY).await?;
    let cursor = Cursor::new(cursor.as_str());
    let mut watch = store.watch(&Prefix::all(), WatchFrom::After(cursor)).await?;
    store.put(&end, value("end"), ANY).await?;
    let (told, _, gap) = told_until(&mut watch, &end).await?;
    let missed = told.get(&key("missed")?).map(Vec::as_slice);
    ensure!(
        gap || missed == Some(&[Some(etag)]),
        "what followed the cursor was told as {told:?}, without a gap"
    );
    Ok(())
}

pub(crate) async fn a_cursor_that_is_none_is_a_gap(subject: &Subject) -> Result<(), Broken> {
    let store = subject.store().await?;
    let mut watch = store.watch(&Prefix::all(), WatchFrom::After(Cursor::new("no such cursor"))).await?;
    let (first, end) = (next(&mut watch).await?, key("end")?);
    ensure_eq!(first.what, What::Gap, "the first thing told after a cursor of nobody");
    store.put(&end, value("end"), ANY).await?;
    let (told, ..) = told_until(&mut watch, &end).await?;
    ensure!(told.contains_key(&end), "after the gap nothing was told");
    Ok(())
}
