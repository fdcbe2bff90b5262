//! Etags, preconditions and namespaces.

use std::collections::HashSet;

use dayfly_kv::{Etag, Nonce, Precondition, PutOptions};

use super::{ANY, key, value};
use crate::case::{Broken, ensure, ensure_conflict, ensure_eq};
use crate::subject::Subject;

pub(crate) async fn put_absent_gives_an_etag_that_is_not_blank(subject: &Subject) -> Result<(), Broken> {
    let (store, a) = (subject.store().await?, key("a")?);
    ensure_eq!(store.get(&a).await?, None, "a new store is empty");
    ensure_eq!(store.contains(&a).await?, false, "a new store contains nothing");
    let etag = store.put(&a, value("1"), ANY.absent()).await?;
    ensure!(!etag.to_string().trim().is_empty(), "the etag is blank");
    ensure_eq!(Etag::new(etag.to_string()), etag, "an etag that is read from its text");
    ensure_eq!(store.get(&a).await?.map(|entry| entry.value), Some(value("1")), "what was put");
    Ok(())
}

pub(crate) async fn put_absent_of_what_is_there_conflicts_and_changes_nothing(
    subject: &Subject,
) -> Result<(), Broken> {
    let (store, a) = (subject.store().await?, key("a")?);
    let etag = store.put(&a, value("1"), ANY.absent()).await?;
    let before = store.get(&a).await?;
    let again = store.put(&a, value("2"), ANY.absent()).await;
    ensure_conflict!(again, PutError, Some(&etag), "put Absent of what is there");
    ensure_eq!(store.get(&a).await?, before, "after a conflict");
    Ok(())
}

pub(crate) async fn put_matches_takes_the_current_etag_and_no_older_one(
    subject: &Subject,
) -> Result<(), Broken> {
    let (store, a) = (subject.store().await?, key("a")?);
    let first = store.put(&a, value("1"), ANY).await?;
    let second = store.put(&a, value("2"), ANY.matches(first.clone())).await?;
    ensure!(first != second, "two writes have the etag {first}");
    let before = store.get(&a).await?;
    let old = store.put(&a, value("3"), ANY.matches(first)).await;
    ensure_conflict!(old, PutError, Some(&second), "put Matches(old)");
    let never = store.put(&a, value("3"), ANY.matches(Etag::new("no such etag"))).await;
    ensure_conflict!(never, PutError, Some(&second), "put Matches(an etag of nobody)");
    ensure_eq!(store.get(&a).await?, before, "after conflicts");
    Ok(())
}

pub(crate) async fn put_present_needs_something_to_be_there(subject: &Subject) -> Result<(), Broken> {
    let (store, a) = (subject.store().await?, key("a")?);
    ensure_conflict!(
        store.put(&a, value("1"), ANY.present()).await,
        PutError,
        None,
        "put Present of nothing"
    );
    ensure_eq!(store.get(&a).await?, None, "after the conflict");
    store.put(&a, value("1"), ANY).await?;
    store.put(&a, value("2"), ANY.present()).await?;
    ensure_eq!(store.get(&a).await?.map(|entry| entry.value), Some(value("2")), "after put Present");
    Ok(())
}

pub(crate) async fn deleting_what_is_not_there_is_false_and_with_a_wrong_etag_a_conflict(
    subject: &Subject,
) -> Result<(), Broken> {
    let (store, a) = (subject.store().await?, key("a")?);
    ensure_eq!(store.delete(&a, Precondition::Any).await?, false, "delete of nothing");
    ensure_eq!(store.delete(&a, Precondition::Absent).await?, false, "delete Absent of nothing");
    let present = store.delete(&a, Precondition::Present).await;
    ensure_conflict!(present, DeleteError, None, "delete Present of nothing");
    let etag = store.put(&a, value("1"), ANY).await?;
    let wrong = store.delete(&a, Precondition::Matches(Etag::new("no such etag"))).await;
    ensure_conflict!(wrong, DeleteError, Some(&etag), "delete Matches(an etag of nobody)");
    let absent = store.delete(&a, Precondition::Absent).await;
    ensure_conflict!(absent, DeleteError, Some(&etag), "delete Absent of something");
    ensure_eq!(store.contains(&a).await?, true, "after conflicts");
    ensure_eq!(store.delete(&a, Precondition::Matches(etag)).await?, true, "delete Matches(current)");
    ensure_eq!(store.get(&a).await?, None, "after the deletion");
    ensure_eq!(store.contains(&a).await?, false, "after the deletion");
    Ok(())
}

pub(crate) async fn the_etag_of_a_put_is_that_of_the_next_get(subject: &Subject) -> Result<(), Broken> {
    let (store, a) = (subject.store().await?, key("a")?);
    for round in 0..3 {
        let etag = store.put(&a, value("1"), ANY).await?;
        let found = store.get(&a).await?.map(|entry| entry.etag);
        ensure_eq!(found.as_ref(), Some(&etag), "get after put {round}");
        let found = store.get(&a).await?.map(|entry| entry.etag);
        ensure_eq!(found.as_ref(), Some(&etag), "the second get after put {round}");
    }
    Ok(())
}

pub(crate) async fn no_etag_is_ever_given_twice(subject: &Subject) -> Result<(), Broken> {
    let (store, a, b) = (subject.store().await?, key("a")?, key("b")?);
    let mut given = HashSet::new();
    // The same values again and again, by overwriting, by deleting, and under another key.
    for round in 0..4 {
        for (key, text) in [(&a, "A"), (&a, "B"), (&a, "A"), (&b, "A")] {
            let etag = store.put(key, value(text), ANY).await?;
            ensure!(
                given.insert(etag.clone()),
                "round {round}: the etag {etag} was given to another write before"
            );
        }
        store.delete(&a, Precondition::Any).await?;
        store.delete(&b, Precondition::Any).await?;
    }
    Ok(())
}

pub(crate) async fn what_was_deleted_is_not_resurrected(subject: &Subject) -> Result<(), Broken> {
    let (store, a) = (subject.store().await?, key("a")?);
    let etag = store.put(&a, value("1"), ANY).await?;
    store.delete(&a, Precondition::Any).await?;
    let put = store.put(&a, value("2"), ANY.matches(etag.clone())).await;
    ensure_conflict!(put, PutError, None, "put Matches of what was deleted");
    let deleted = store.delete(&a, Precondition::Matches(etag)).await;
    ensure_conflict!(deleted, DeleteError, None, "delete Matches of what was deleted");
    ensure_eq!(store.get(&a).await?, None, "after the conflicts");
    Ok(())
}

pub(crate) async fn the_mark_of_a_write_is_kept_and_replaced_by_the_next(
    subject: &Subject,
) -> Result<(), Broken> {
    let (store, a, nonce) = (subject.store().await?, key("a")?, Nonce::unique());
    store.put(&a, value("1"), PutOptions::new().nonce(nonce)).await?;
    ensure_eq!(store.get(&a).await?.and_then(|entry| entry.nonce), Some(nonce), "the mark of the write");
    store.put(&a, value("1"), ANY).await?;
    ensure_eq!(store.get(&a).await?.and_then(|entry| entry.nonce), None, "the mark of a write without one");
    Ok(())
}

pub(crate) async fn many_are_read_in_order_with_empty_slots(subject: &Subject) -> Result<(), Broken> {
    let store = subject.store().await?;
    for name in ["a", "b", "c"] {
        store.put(&key(name)?, value(name), ANY).await?;
    }
    let asked = [key("c")?, key("none")?, key("a")?, key("c")?];
    let found = store.get_many(&asked).await?;
    let texts: Vec<_> = found.into_iter().map(|entry| entry.map(|entry| entry.value)).collect();
    ensure_eq!(texts, [Some(value("c")), None, Some(value("a")), Some(value("c"))], "get_many");
    ensure_eq!(store.get_many(&[]).await?, [], "get_many of nothing");
    Ok(())
}

pub(crate) async fn each_namespace_has_its_own_entries(subject: &Subject) -> Result<(), Broken> {
    let places = [
        ("acme", "shop", "order"),
        ("other", "shop", "order"),
        ("acme", "other", "order"),
        ("acme", "shop", "other"),
    ];
    let a = key("a")?;
    for (database, container, entity) in places {
        let store = subject.store_at(database, container, entity).await?;
        ensure_eq!(store.get(&a).await?, None, "{database}/{container}/{entity} before its own put");
        store.put(&a, value(&format!("{database}/{container}/{entity}")), ANY).await?;
    }
    for (database, container, entity) in places {
        let place = format!("{database}/{container}/{entity}");
        let store = subject.store_at(database, container, entity).await?;
        ensure_eq!(store.get(&a).await?.map(|entry| entry.value), Some(value(&place)), "{place}");
    }
    Ok(())
}

pub(crate) async fn clearing_empties_one_namespace_and_no_other(subject: &Subject) -> Result<(), Broken> {
    let (store, other) = (subject.store().await?, subject.store_at("acme", "shop", "other").await?);
    for name in ["a", "b"] {
        store.put(&key(name)?, value(name), ANY).await?;
        other.put(&key(name)?, value(name), ANY).await?;
    }
    ensure_eq!(store.clear().await?, 2, "clear of two entries");
    for name in ["a", "b"] {
        ensure_eq!(store.get(&key(name)?).await?, None, "after clear");
        ensure_eq!(other.contains(&key(name)?).await?, true, "the other namespace");
    }
    ensure_eq!(store.clear().await?, 0, "clear of nothing");
    store.put(&key("a")?, value("again"), ANY.absent()).await?;
    ensure_eq!(store.contains(&key("a")?).await?, true, "a put after clear");
    Ok(())
}

pub(crate) async fn a_namespace_that_is_opened_twice_is_the_same(subject: &Subject) -> Result<(), Broken> {
    let (one, other, a) = (subject.store().await?, subject.store().await?, key("a")?);
    let etag = one.put(&a, value("1"), ANY).await?;
    for store in [&one, &other] {
        let found = store.get(&a).await?.map(|entry| entry.etag);
        ensure_eq!(found, Some(etag.clone()), "what one of the two wrote, by both");
    }
    other.put(&a, value("2"), ANY.matches(etag.clone())).await?;
    drop(other);
    ensure_eq!(
        one.get(&a).await?.map(|entry| entry.value),
        Some(value("2")),
        "what the other one wrote then"
    );
    let stale = one.put(&a, value("3"), ANY.matches(etag)).await;
    ensure!(stale.is_err(), "the other store's write was overwritten");
    Ok(())
}
