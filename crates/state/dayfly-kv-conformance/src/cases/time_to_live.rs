//! Deadlines.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dayfly_kv::{Clock, KeyValueStore, Precondition, Prefix, Scan, Store, UpdateOptions};

use super::{ANY, key, value};
use crate::case::{Broken, ensure, ensure_conflict, ensure_eq};
use crate::subject::Subject;

const MINUTE: Duration = Duration::from_secs(60);

/// How finely the store keeps deadlines.
fn step(store: &dyn Store) -> Duration {
    store.capabilities().time_to_live_step
}

pub(crate) async fn an_entry_is_there_at_its_deadline_and_gone_after_it(
    subject: &Subject,
) -> Result<(), Broken> {
    let (store, clock, a) = (subject.store().await?, subject.manual_clock()?, key("a")?);
    store.put(&a, value("1"), ANY.time_to_live(MINUTE)).await?;
    let deadline = store.get(&a).await?.and_then(|entry| entry.deadline);
    ensure!(deadline.is_some(), "the entry says no deadline");
    clock.advance(MINUTE);
    ensure_eq!(store.contains(&a).await?, true, "at the deadline");
    ensure_eq!(store.get(&a).await?.is_some(), true, "at the deadline");
    clock.advance(step(&*store));
    ensure_eq!(store.get(&a).await?, None, "after the deadline");
    clock.advance(MINUTE);
    ensure_eq!(store.get(&a).await?, None, "a minute after the deadline");
    Ok(())
}

pub(crate) async fn every_operation_agrees_on_what_has_expired(subject: &Subject) -> Result<(), Broken> {
    let (store, clock) = (subject.store().await?, subject.manual_clock()?);
    let (a, b) = (key("a")?, key("b")?);
    store.put(&a, value("1"), ANY.time_to_live(MINUTE)).await?;
    store.put(&b, value("1"), ANY).await?;
    for (moved, is_there) in [(Duration::ZERO, true), (MINUTE, true), (step(&*store), false)] {
        clock.advance(moved);
        ensure_eq!(store.get(&a).await?.is_some(), is_there, "get, {moved:?} later");
        ensure_eq!(store.contains(&a).await?, is_there, "contains, {moved:?} later");
        let many = store.get_many(&[a.clone(), b.clone()]).await?;
        ensure_eq!(many.iter().map(Option::is_some).collect::<Vec<_>>(), [is_there, true], "get_many");
        let listed = store.scan(&Scan::new(Prefix::all())).await?.entries;
        ensure_eq!(listed.iter().any(|(key, _)| *key == a), is_there, "scan, {moved:?} later");
        ensure_eq!(listed.iter().any(|(key, _)| *key == b), true, "scan of the other one");
    }
    Ok(())
}

pub(crate) async fn every_write_replaces_the_deadline_and_no_read_moves_it(
    subject: &Subject,
) -> Result<(), Broken> {
    let (store, clock, a) = (subject.store().await?, subject.manual_clock()?, key("a")?);
    let etag = store.put(&a, value("1"), ANY.time_to_live(MINUTE)).await?;
    clock.advance(MINUTE / 2);
    let etag = store.put(&a, value("2"), ANY.matches(etag).time_to_live(MINUTE)).await?;
    clock.advance(MINUTE);
    ensure_eq!(store.get(&a).await?.map(|entry| entry.etag), Some(etag), "at the second deadline");
    store.contains(&a).await?;
    clock.advance(step(&*store));
    ensure_eq!(store.get(&a).await?, None, "after the second deadline, in spite of reads");
    // A conflict is no write.
    store.put(&a, value("3"), ANY.time_to_live(MINUTE)).await?;
    clock.advance(MINUTE / 2);
    ensure!(store.put(&a, value("4"), ANY.absent()).await.is_err(), "put Absent of what is there");
    clock.advance(MINUTE);
    ensure_eq!(store.get(&a).await?, None, "after the deadline, in spite of a conflict");
    Ok(())
}

pub(crate) async fn a_put_of_another_entry_for_ever_stays_for_ever(subject: &Subject) -> Result<(), Broken> {
    let (store, clock, a) = (subject.store().await?, subject.manual_clock()?, key("a")?);
    store.put(&a, value("1"), ANY.time_to_live(MINUTE)).await?;
    store.put(&a, value("2"), ANY).await?;
    ensure_eq!(store.get(&a).await?.and_then(|entry| entry.deadline), None, "a put without a time to live");
    clock.advance(1_000 * MINUTE);
    store.sweep().await?;
    ensure_eq!(store.get(&a).await?.map(|entry| entry.value), Some(value("2")), "long after");
    Ok(())
}

pub(crate) async fn what_has_expired_is_absent_for_preconditions(subject: &Subject) -> Result<(), Broken> {
    let (store, clock, a) = (subject.store().await?, subject.manual_clock()?, key("a")?);
    let old = store.put(&a, value("1"), ANY.time_to_live(MINUTE)).await?;
    clock.advance(2 * MINUTE);
    let put = store.put(&a, value("2"), ANY.matches(old.clone())).await;
    ensure_conflict!(put, PutError, None, "put Matches of what has expired");
    ensure_conflict!(store.put(&a, value("2"), ANY.present()).await, PutError, None, "put Present of that");
    let deleted = store.delete(&a, Precondition::Matches(old.clone())).await;
    ensure_conflict!(deleted, DeleteError, None, "delete Matches of what has expired");
    ensure_eq!(store.delete(&a, Precondition::Any).await?, false, "delete of what has expired");
    ensure_eq!(store.get(&a).await?, None, "nothing was resurrected");

    let old = store.put(&a, value("1"), ANY.time_to_live(MINUTE)).await?;
    clock.advance(2 * MINUTE);
    let new = store.put(&a, value("2"), ANY.absent()).await?;
    ensure!(new != old, "the etag of what has expired was given again");
    ensure_eq!(
        store.get(&a).await?.map(|entry| entry.value),
        Some(value("2")),
        "put Absent of what has expired"
    );
    Ok(())
}

pub(crate) async fn a_sweep_removes_what_has_expired_and_nothing_else(
    subject: &Subject,
) -> Result<(), Broken> {
    let (store, clock) = (subject.store().await?, subject.manual_clock()?);
    store.put(&key("gone")?, value("1"), ANY.time_to_live(MINUTE)).await?;
    store.put(&key("later")?, value("1"), ANY.time_to_live(10 * MINUTE)).await?;
    store.put(&key("for ever")?, value("1"), ANY).await?;
    store.put(&key("renewed")?, value("1"), ANY.time_to_live(MINUTE)).await?;
    store.put(&key("renewed")?, value("2"), ANY).await?;
    ensure_eq!(store.sweep().await?, 0, "a sweep before anything has expired");
    clock.advance(2 * MINUTE);
    ensure_eq!(store.sweep().await?, 1, "a sweep after one entry has expired");
    ensure_eq!(store.sweep().await?, 0, "the next sweep");
    for (name, is_there) in [("gone", false), ("later", true), ("for ever", true), ("renewed", true)] {
        ensure_eq!(store.contains(&key(name)?).await?, is_there, "`{name}` after the sweep");
    }
    Ok(())
}

pub(crate) async fn no_time_to_live_is_too_short_or_too_long(subject: &Subject) -> Result<(), Broken> {
    let (store, clock) = (subject.store().await?, subject.manual_clock()?);
    let (zero, most) = (key("zero")?, key("most")?);
    store.put(&zero, value("1"), ANY.time_to_live(Duration::ZERO)).await?;
    ensure_eq!(store.contains(&zero).await?, true, "of a time to live of zero, at once");
    store.put(&most, value("1"), ANY.time_to_live(Duration::MAX)).await?;
    clock.advance(step(&*store));
    ensure_eq!(store.contains(&zero).await?, false, "of a time to live of zero, later");
    clock.advance(Duration::from_secs(100 * 365 * 86_400));
    ensure_eq!(store.contains(&most).await?, true, "of the longest time to live, a century later");
    Ok(())
}

/// The clock of a machine is set back, set forward, or not set at all.
pub(crate) async fn a_clock_that_jumps_takes_nothing_away_that_stays(
    subject: &Subject,
) -> Result<(), Broken> {
    let (store, clock) = (subject.store().await?, subject.manual_clock()?);
    let start = clock.now();
    let (early, late, stays) = (key("early")?, key("late")?, key("stays")?);
    store.put(&late, value("1"), ANY.time_to_live(MINUTE)).await?;
    store.put(&stays, value("1"), ANY).await?;
    clock.set(start - 60 * MINUTE);
    let old = store.put(&early, value("1"), ANY.time_to_live(MINUTE)).await?;
    for key in [&early, &late, &stays] {
        ensure_eq!(store.contains(key).await?, true, "{key:?}, an hour before it was written");
    }
    clock.advance(MINUTE + step(&*store));
    ensure_eq!(store.sweep().await?, 1, "a sweep after the deadline that was set in the past");
    ensure_eq!(store.get(&early).await?, None, "what was written while the clock was slow, after its minute");
    ensure_eq!(store.contains(&late).await?, true, "what was written before the clock was set back");
    // What was swept is gone for good, whatever the clock says then.
    clock.set(start - 60 * MINUTE);
    let back = store.put(&early, value("2"), ANY.matches(old)).await;
    ensure_conflict!(back, PutError, None, "put Matches of what was swept, before it would have expired");
    let far = SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::MAX);
    for moment in [SystemTime::UNIX_EPOCH, start + MINUTE, start + MINUTE + step(&*store), far] {
        clock.set(moment);
        let is_there = moment <= start + MINUTE;
        ensure_eq!(store.contains(&late).await?, is_there, "at {moment:?}");
        ensure_eq!(store.contains(&stays).await?, true, "without a deadline, at {moment:?}");
        let short = store.put(&early, value("3"), ANY.time_to_live(Duration::ZERO)).await?;
        ensure_eq!(
            store.get(&early).await?.map(|entry| entry.etag),
            Some(short),
            "what was put at {moment:?}"
        );
        store.put(&early, value("4"), ANY.time_to_live(Duration::MAX)).await?;
        ensure_eq!(store.contains(&early).await?, true, "what stays for the longest time, at {moment:?}");
    }
    Ok(())
}

/// What stands at the end of an update is not what stood there when it began, if that has expired meanwhile.
pub(crate) async fn an_update_of_what_has_expired_begins_anew(subject: &Subject) -> Result<(), Broken> {
    let (store, clock) = (subject.store().await?, subject.manual_clock()?);
    let counts = KeyValueStore::<String, u64>::json(Arc::clone(&store));
    let leases = counts.clone().updates(UpdateOptions::new().time_to_live(MINUTE));
    let count = |found: Option<u64>| found.unwrap_or(0) + 1;
    ensure_eq!(leases.update("n", count).await?.value, 1, "the first update");
    clock.advance(MINUTE);
    ensure_eq!(leases.update("n", count).await?.value, 2, "an update at the deadline");
    clock.advance(MINUTE + step(&*store));
    ensure_eq!(leases.update("n", count).await?.value, 1, "an update after the deadline");
    // The time passes while the change is being thought about.
    let (mut calls, late) = (0, clock.clone());
    let passed = 2 * MINUTE;
    let slow = leases
        .update("n", |found| {
            calls += 1;
            if calls == 1 {
                late.advance(passed);
            }
            found.map_or(100, |found| found + 1)
        })
        .await?;
    ensure_eq!((calls, slow.value), (2, 100), "an update whose entry has expired before its write");
    ensure_eq!(counts.get_required("n").await?.value, 100, "what it left");
    Ok(())
}
