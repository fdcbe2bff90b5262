//! What dead writers leave.

use std::fs::{self, File};
use std::path::PathBuf;

use dayfly_kv::{PutOptions, Store};
use dayfly_kv_file::FileStore;

use crate::support::{bytes, key, opened};

fn own(store: &FileStore, name: &str, shard: usize) -> PathBuf {
    store.folder().join(".dayfly").join(format!("{name}-{shard:02}"))
}

#[tokio::test]
async fn drafts_of_the_dead_are_put_away_at_opening_and_sweeping_and_those_of_the_living_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    let leave = |shard| fs::write(own(&store, "draft", shard), "half of").unwrap();
    let is_there = |shard| own(&store, "draft", shard).exists();
    (0..3).for_each(leave);
    // Somebody is writing under lock 1, in whatever process.
    let living = File::create(own(&store, "lock", 1)).unwrap();
    living.lock().unwrap();
    let other = opened(folder.path()).await;
    assert_eq!([0, 1, 2].map(is_there), [false, true, false]);
    leave(0);
    other.sweep().await.unwrap();
    assert_eq!([0, 1, 2].map(is_there), [false, true, false]);
    drop(living);
    other.sweep().await.unwrap();
    assert!(!is_there(1));
}

#[tokio::test]
async fn what_is_left_never_grows_and_does_not_disturb_the_next_writer() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    (0..64).for_each(|shard| fs::write(own(&store, "draft", shard), "half of").unwrap());
    for number in 0..200 {
        let key = key(&number.to_string());
        store.put(&key, bytes("1"), PutOptions::new()).await.unwrap();
        assert_eq!(store.get(&key).await.unwrap().unwrap().value, "1");
    }
    let files = fs::read_dir(store.folder().join(".dayfly")).unwrap().count();
    assert!(files <= 64 + 1, "locks and a probe, and no drafts: {files}");
    assert_eq!(fs::read_dir(store.folder()).unwrap().count(), 200 + 1);
}
