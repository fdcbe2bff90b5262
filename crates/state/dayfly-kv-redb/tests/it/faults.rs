//! The disk fails at every call.

use std::io::ErrorKind;

use dayfly_kv::{OpenError, PutOptions, Store};
use dayfly_kv_redb::{RedbBackend, RedbOptions, RedbStore};
use dayfly_testing::times;

use crate::disk::{Disk, Fault};
use crate::script::{Content, Step, content, script};
use crate::support::{bytes, key, orders};

/// What may be there: what was done for certain, with what may have been done, or without.
struct Possible(Vec<Content>);

impl Possible {
    fn step(&mut self, step: &Step, ended: Result<(), bool>) {
        let happened: Vec<Content> = self
            .0
            .iter()
            .cloned()
            .map(|mut content| {
                step.happen(&mut content);
                content
            })
            .collect();
        match ended {
            Ok(()) => self.0 = happened,
            Err(true) => self.0.extend(happened),
            Err(false) => {}
        }
    }
}

async fn open(disk: &Disk) -> Result<(RedbBackend, RedbStore), OpenError> {
    // A small cache, so that reads have to go to the disk.
    let backend = disk.open(&RedbOptions::new().cache_bytes(0)).await?;
    let store = backend.store(&orders()).await?;
    Ok((backend, store))
}

/// Runs a script on a disk whose call of this number fails; says whether it came to that.
async fn fails_at(call: u64, kind: ErrorKind, is_short: bool) -> bool {
    let disk = Disk::default();
    let fault = Fault { call, kind, is_short };
    disk.fail(fault);
    let (mut backend, mut store) = match open(&disk).await {
        Ok(opened) => opened,
        Err(error) => {
            assert!(matches!(error, OpenError::Unavailable(_)), "{fault:?}: {error:?}");
            assert!(!disk.is_to_fail());
            open(&disk).await.unwrap_or_else(|error| panic!("{fault:?}, opened again: {error:?}"))
        }
    };
    let mut possible = Possible(vec![Content::new()]);
    for step in script(times(8, 25), call) {
        let ended = step.run(&store).await;
        possible.step(&step, ended);
        if ended.is_ok() {
            // A read may be what fails; then it says so, and the next one does not.
            let read = store.contains(&key("key 00")).await;
            assert!(read.is_ok() || !disk.is_to_fail(), "{fault:?}: {read:?}");
        }
    }
    let has_failed = !disk.is_to_fail();
    disk.heal();
    if store.put(&key("after"), bytes("1"), PutOptions::new()).await.is_err() {
        // A sync has failed, which only opening it anew can settle.
        drop((backend, store));
        (backend, store) =
            open(&disk).await.unwrap_or_else(|error| panic!("{fault:?}, opened anew: {error:?}"));
        store.put(&key("after"), bytes("1"), PutOptions::new()).await.unwrap();
    }
    let check = |mut found: Content| {
        assert!(found.remove("after").is_some(), "{fault:?}");
        assert!(possible.0.contains(&found), "{fault:?}: {:?} is left", found.keys());
    };
    check(content(&store).await);
    drop((backend, store));
    let (_backend, store) =
        open(&disk).await.unwrap_or_else(|error| panic!("{fault:?}, at the end: {error:?}"));
    check(content(&store).await);
    has_failed
}

#[tokio::test]
async fn whichever_call_fails_says_so_and_corrupts_nothing_and_it_goes_on() {
    let mut failed = 0;
    // Every call fails in one way, and in the quick form every fifth also in the others.
    for (kind, is_short, every) in [
        (ErrorKind::Other, false, 1),
        (ErrorKind::StorageFull, false, times(5, 1)),
        (ErrorKind::StorageFull, true, times(5, 1)),
    ] {
        let mut call = 1;
        while fails_at(call, kind, is_short).await {
            failed += 1;
            call += every;
        }
    }
    assert!(failed > 200, "{failed}");
    println!("{failed} faults, each at another call: no corruption, success afterwards");
}

#[tokio::test]
async fn a_full_disk_is_told_and_has_room_again() {
    let disk = Disk::default();
    let (_backend, store) = open(&disk).await.unwrap();
    store.put(&key("a"), bytes("1"), PutOptions::new()).await.unwrap();
    disk.fill();
    let put = store.put(&key("b"), vec![7; 400_000].into(), PutOptions::new()).await.unwrap_err();
    let kind = match &put {
        dayfly_kv::PutError::Unavailable(why) | dayfly_kv::PutError::Unknown(why) => why.io_kind(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind, Some(ErrorKind::StorageFull), "{put:?}");
    // What is there can be read meanwhile, or not; nothing is made up.
    if let Ok(found) = store.get(&key("a")).await {
        assert_eq!(found.unwrap().value, bytes("1"));
    }
    disk.heal();
    store.put(&key("b"), vec![7; 400_000].into(), PutOptions::new()).await.unwrap();
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, bytes("1"));
    assert_eq!(content(&store).await.len(), 2);
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_promised_until_it_is_opened_anew() {
    let disk = Disk::default();
    let (backend, store) = open(&disk).await.unwrap();
    store.put(&key("a"), bytes("1"), PutOptions::new()).await.unwrap();
    disk.fail_next_sync();
    let put = store.put(&key("a"), bytes("2"), PutOptions::new()).await;
    assert!(matches!(put, Err(dayfly_kv::PutError::Unknown(_))), "{put:?}");
    for _ in 0..2 {
        let put = store.put(&key("b"), bytes("1"), PutOptions::new()).await.unwrap_err();
        assert!(
            matches!(&put, dayfly_kv::PutError::Unavailable(why) if why.to_string().contains("sync has failed")),
            "{put:?}"
        );
        let get = store.get(&key("a")).await.unwrap_err();
        assert!(get.to_string().contains("sync has failed"), "{get}");
    }
    drop((backend, store));
    let (_backend, store) = open(&disk).await.unwrap();
    let found = store.get(&key("a")).await.unwrap().unwrap();
    assert!([bytes("1"), bytes("2")].contains(&found.value));
    assert_eq!(store.get(&key("b")).await.unwrap(), None);
}
