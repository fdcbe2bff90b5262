//! Moving entries, again and again, in parts, and while others write.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{
    Bytes, Call, Clock, DecodeError, Fault, Json, Key, MemoryOptions, MemoryStore, Migration,
    MigrationOptions, OnExisting, Prefix, PutOptions, Scan, Store, Unavailable, Upcasts,
};

use crate::support::{bytes, key, memory, namespace, on_a_manual_clock, scripted};

const ANY: PutOptions = PutOptions::new();

fn filled(entries: u32) -> Arc<MemoryStore> {
    let store = memory();
    for number in 0..entries {
        store.put_now(&key(&format!("{number:03}")), bytes(&number.to_string()), &ANY).unwrap();
    }
    store
}

fn names(store: &MemoryStore) -> Vec<String> {
    store.scan_now(&Scan::all().limit(10_000)).entries.iter().map(|(key, _)| key.to_string()).collect()
}

#[tokio::test]
async fn a_migration_that_is_stopped_anywhere_goes_on_there_and_does_nothing_twice() {
    let from = filled(50);
    let (to, target) = scripted();
    let mut after: Option<Key> = None;
    let (mut written, mut done_again) = (0, 0);
    for _ in 0..20 {
        let options = MigrationOptions::new().page(7).after(after.clone());
        let mut migration = Migration::copy(from.clone(), Arc::new(to.clone()), &options);
        // Each process does two pages and dies; the report of the second is lost.
        migration.step().await.unwrap();
        after = migration.report().after.clone();
        written += migration.report().written;
        done_again += migration.report().same;
        if !migration.step().await.unwrap() {
            break;
        }
    }
    assert_eq!(names(&target), names(&from));
    // The first page was reported by who wrote it, and every other one by who found it done.
    assert_eq!((written, done_again, to.count(Call::Put)), (7, 42, 50));
    let again = Migration::copy(from, target, &MigrationOptions::new()).run().await.unwrap().clone();
    assert_eq!((again.read, again.same, again.written), (50, 50, 0));
}

#[tokio::test]
async fn a_dry_run_counts_and_writes_nothing() {
    let (from, to) = (filled(5), memory());
    to.put_now(&key("001"), bytes("other"), &ANY).unwrap();
    to.put_now(&key("002"), bytes("2"), &ANY).unwrap();
    let before = names(&to);
    let mut migration = Migration::copy(from, to.clone(), &MigrationOptions::new().dry_run());
    let report = migration.run().await.unwrap();
    assert_eq!((report.read, report.written, report.kept, report.same), (5, 3, 1, 1));
    assert_eq!(names(&to), before);
}

#[tokio::test]
async fn another_entry_is_kept_or_replaced_as_told_and_a_prefix_leaves_out_the_others() {
    let (from, to) = (filled(120), memory());
    to.put_now(&key("111"), bytes("other"), &ANY).unwrap();
    let options = MigrationOptions::new().prefix(Prefix::new("11").unwrap());
    let kept = Migration::copy(from.clone(), to.clone(), &options).run().await.unwrap().clone();
    assert_eq!((kept.read, kept.written, kept.kept), (10, 9, 1));
    assert_eq!(to.get_now(&key("111")).unwrap().value, bytes("other"));
    let replace = options.on_existing(OnExisting::Replace);
    let report = Migration::copy(from, to.clone(), &replace).run().await.unwrap().clone();
    assert_eq!((report.written, report.same), (1, 9));
    assert_eq!(to.get_now(&key("111")).unwrap().value, bytes("111"));
}

#[tokio::test]
async fn values_are_brought_up_to_date_where_they_are_and_a_second_run_finds_nothing_to_do() {
    let store = memory();
    store.put_now(&key("old"), bytes(r#"{"version":1,"value":5}"#), &ANY).unwrap();
    store.put_now(&key("new"), bytes(r#"{"version":2,"value":[6]}"#), &ANY).unwrap();
    store.put_now(&key("wrong"), bytes("garbage"), &ANY).unwrap();
    let run = || {
        let upcasts = Upcasts::new().from(1, |value| Ok(serde_json::json!([value])));
        Migration::up_to_date(
            store.clone(),
            &MigrationOptions::new(),
            Json::<Vec<u32>>::versioned(2, upcasts),
        )
    };
    let report = run().run().await.unwrap().clone();
    assert_eq!((report.written, report.left_out, report.failed), (1, 1, 1));
    assert_eq!(report.failures[0].0.as_ref().unwrap().as_str(), "wrong");
    assert_eq!(store.get_now(&key("old")).unwrap().value, bytes(r#"{"version":2,"value":[5]}"#));
    let report = run().run().await.unwrap().clone();
    assert_eq!((report.written, report.left_out), (0, 2));
}

#[tokio::test]
async fn what_others_write_meanwhile_is_changed_and_not_overwritten() {
    let store = memory();
    store.put_now(&key("a"), bytes("1"), &ANY).unwrap();
    let other = store.clone();
    let mut first = true;
    let change = move |key: &Key, value: &Bytes| {
        if std::mem::take(&mut first) {
            other.put_now(key, bytes("2"), &ANY).unwrap();
        }
        Ok::<_, DecodeError>(Some(bytes(&format!("{}!", str::from_utf8(value).unwrap()))))
    };
    let report =
        Migration::in_place(store.clone(), &MigrationOptions::new(), change).run().await.unwrap().clone();
    assert_eq!((report.read, report.written), (1, 1));
    assert_eq!(store.get_now(&key("a")).unwrap().value, bytes("2!"));
}

#[tokio::test]
async fn what_is_left_of_a_time_to_live_is_kept() {
    let (from, clock) = on_a_manual_clock();
    let to = Arc::new(MemoryStore::with(namespace(), &MemoryOptions::new(), Arc::new(clock.clone())));
    let minute = Duration::from_secs(60);
    from.put_now(&key("a"), bytes("1"), &ANY.time_to_live(minute)).unwrap();
    clock.advance(minute / 2);
    let clock_too: Arc<dyn Clock> = Arc::new(clock.clone());
    let mut migration = Migration::copy(from.clone(), to.clone(), &MigrationOptions::new()).clock(clock_too);
    assert_eq!(migration.run().await.unwrap().written, 1);
    assert_eq!(to.get_now(&key("a")).unwrap().deadline, from.get_now(&key("a")).unwrap().deadline);
}

#[tokio::test]
async fn a_store_that_is_away_stops_it_and_the_next_run_goes_on() {
    let (to, memory) = scripted();
    let to: (dayfly_kv::ScriptedStore, Arc<dyn Store>) = (to.clone(), Arc::new(to));
    let mut migration = Migration::copy(filled(30), to.1, &MigrationOptions::new().page(10));
    to.0.nth(Call::Put, 15, Fault::Fail(Unavailable::new("it is away")));
    migration.run().await.unwrap_err();
    assert_eq!((migration.report().written, memory.scan_now(&Scan::all()).entries.len()), (14, 14));
    assert_eq!(
        migration.report().after,
        Some(key("013")),
        "up to there all is done, in the middle of a page"
    );
    let report = migration.run().await.unwrap();
    assert_eq!((report.read, report.written, report.same), (30, 30, 0));
    assert_eq!(names(&memory).len(), 30);
}

/// Appends a mark each time: done twice, it shows.
#[expect(clippy::unnecessary_wraps, reason = "a change may fail, and this one does not")]
fn marked(_: &Key, value: &Bytes) -> Result<Option<Bytes>, DecodeError> {
    Ok(Some(bytes(&format!("{}!", str::from_utf8(value).unwrap()))))
}

#[tokio::test]
async fn wherever_it_is_broken_off_each_entry_is_changed_once_and_counted_once() {
    let away = || Fault::Fail(Unavailable::new("it is away"));
    let faults = [
        away(),
        Fault::LoseAnswer,
        Fault::LoseRequest,
        Fault::LandAfter(0),
        Fault::LandAfter(1),
        Fault::LandAfter(2),
    ];
    for in_place in [true, false] {
        for fault in &faults {
            for nth in 1..=5 {
                let (to, target) = scripted();
                let to: (dayfly_kv::ScriptedStore, Arc<dyn Store>) = (to.clone(), Arc::new(to));
                let options = MigrationOptions::new().page(3);
                let mut migration = if in_place {
                    for number in 0..5 {
                        target.put_now(&key(&number.to_string()), bytes("x"), &ANY).unwrap();
                    }
                    Migration::in_place(to.1, &options, marked)
                } else {
                    let from = memory();
                    for number in 0..5 {
                        from.put_now(&key(&number.to_string()), bytes("x"), &ANY).unwrap();
                    }
                    Migration::copy_with(from, to.1, &options, marked)
                };
                to.0.nth(Call::Put, nth, fault.clone());
                migration.run().await.unwrap_err();
                let report = migration.run().await.unwrap();
                let what = format!("in place {in_place}, {fault:?} at put {nth}");
                assert_eq!((report.read, report.written), (5, 5), "{what}: {report:?}");
                for (key, entry) in target.scan_now(&Scan::all()).entries {
                    assert_eq!(entry.value, bytes("x!"), "{what}: {key:?}");
                }
                assert_eq!(names(&target).len(), 5, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn what_has_changed_since_a_page_was_broken_off_is_read_again() {
    let (to, target) = scripted();
    let from = filled(4);
    let mut migration = Migration::copy(from.clone(), Arc::new(to.clone()), &MigrationOptions::new());
    to.nth(Call::Put, 2, Fault::Fail(Unavailable::new("it is away")));
    migration.run().await.unwrap_err();
    from.put_now(&key("002"), bytes("newer"), &ANY).unwrap();
    from.delete_now(&key("003"), &dayfly_kv::Precondition::Any).unwrap();
    let report = migration.run().await.unwrap();
    assert_eq!((report.read, report.written), (4, 3));
    assert_eq!(target.get_now(&key("002")).unwrap().value, bytes("newer"));
    assert_eq!(names(&target), ["000", "001", "002"]);
}

#[tokio::test]
async fn a_rehearsal_in_place_counts_the_same_as_what_follows_and_leaves_every_etag() {
    let store = filled(5);
    let before = store.scan_now(&Scan::all());
    let rehearsed = Migration::in_place(store.clone(), &MigrationOptions::new().dry_run().page(2), marked)
        .run()
        .await
        .unwrap()
        .clone();
    assert_eq!(store.scan_now(&Scan::all()), before);
    let done = Migration::in_place(store.clone(), &MigrationOptions::new().page(2), marked)
        .run()
        .await
        .unwrap()
        .clone();
    assert_eq!((rehearsed.read, rehearsed.written), (done.read, done.written));
    assert_eq!(store.get_now(&key("003")).unwrap().value, bytes("3!"));
}
