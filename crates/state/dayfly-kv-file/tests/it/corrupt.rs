//! Files that are torn, foreign or none: named by their path, repaired by an unconditional put, and nobody else's trouble.

use std::fs;
use std::path::Path;

use dayfly_kv::{Corrupt, DeleteError, Etag, GetError, Precondition, PutError, PutOptions, Scan, Store};

use crate::support::{bytes, key, opened};

const ANY: PutOptions = PutOptions::new();

/// Every way to damage a file, by name.
fn damages(file: &Path, other: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let (whole, other) = (fs::read(file).unwrap(), fs::read(other).unwrap());
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let by_hand = String::from_utf8(whole.clone()).unwrap().replace("\"one\"", "\"two\"").into_bytes();
    assert_ne!(by_hand, whole);
    vec![
        ("empty", Vec::new()),
        ("torn", whole[..whole.len() / 2].to_vec()),
        ("zeros", vec![0; whole.len()]),
        ("a bit", flipped),
        ("by hand", by_hand),
        ("another's", other),
        ("twice", [&whole[..], &whole[..]].concat()),
        ("foreign", b"{\"name\": \"somebody's\"}\n".to_vec()),
        ("no text", b"\xff\xfe\x00".to_vec()),
        ("huge", vec![b' '; 16 * 1024 * 1024 + 1]),
    ]
}

fn names(corrupt: &Corrupt, file: &Path) -> bool {
    corrupt.location == file.display().to_string()
        && !corrupt.reason.is_empty()
        && corrupt.key == Some(key("a"))
}

#[tokio::test]
async fn a_damaged_file_is_corrupt_with_its_path_and_an_unconditional_put_repairs_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    let (a, b) = (key("a"), key("b"));
    store.put(&b, bytes("\"other\""), ANY).await.unwrap();
    let (file, other) = (store.path_of(&a), store.path_of(&b));
    store.put(&a, bytes("\"one\""), ANY).await.unwrap();
    for (damage, damaged) in damages(&file, &other) {
        fs::write(&file, damaged).unwrap();
        let got = store.get(&a).await;
        assert!(
            matches!(&got, Err(GetError::Corrupt(corrupt)) if names(corrupt, &file)),
            "{damage}: {got:?}"
        );
        // The others are readable, and listed.
        assert_eq!(store.get(&b).await.unwrap().unwrap().value, "\"other\"", "{damage}");
        let page = store.scan(&Scan::all()).await.unwrap();
        assert!(names(&page.corrupt[0], &file) && page.corrupt.len() == 1, "{damage}: {page:?}");
        assert_eq!(page.entries[0].0, b, "{damage}");
        assert_eq!(store.sweep().await.unwrap(), 0, "{damage}: it is no entry that has expired");
        // What depends on what is there cannot be decided, and changes nothing.
        for precondition in
            [Precondition::Absent, Precondition::Present, Precondition::Matches(Etag::new("e"))]
        {
            let put = store.put(&a, bytes("2"), ANY.precondition(precondition.clone())).await;
            assert!(matches!(put, Err(PutError::Corrupt(_))), "{damage}: {put:?}");
            let deleted = store.delete(&a, precondition).await;
            assert!(matches!(deleted, Err(DeleteError::Corrupt(_))), "{damage}: {deleted:?}");
        }
        assert!(store.get(&a).await.is_err(), "{damage}");
        let etag = store.put(&a, bytes("\"one\""), ANY).await.unwrap();
        assert_eq!(store.get(&a).await.unwrap().unwrap().etag, etag, "{damage}: it is repaired");
    }
    fs::write(&file, "damaged").unwrap();
    assert!(store.delete(&a, Precondition::Any).await.unwrap());
    assert_eq!(store.get(&a).await.unwrap(), None);
}

#[tokio::test]
async fn a_clear_removes_what_is_corrupt_and_counts_what_could_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    for name in ["a", "b"] {
        store.put(&key(name), bytes("1"), ANY).await.unwrap();
    }
    fs::write(store.path_of(&key("a")), "damaged").unwrap();
    assert_eq!(store.clear().await.unwrap(), 1);
    assert_eq!(store.scan(&Scan::all()).await.unwrap(), dayfly_kv::Page::default());
}

#[tokio::test]
async fn files_of_no_key_are_named_once_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    for name in ["a", "b", "c"] {
        store.put(&key(name), bytes("1"), ANY).await.unwrap();
    }
    let foreign = ["Foo.json", "%41%zz.json", ".json", "con.json"];
    for name in foreign.into_iter().chain(["notes.txt", ".DS_Store"]) {
        fs::write(store.folder().join(name), "somebody's").unwrap();
    }
    let first = store.scan(&Scan::all().limit(2)).await.unwrap();
    assert_eq!(first.corrupt.len(), 2, "as many as a page has room for");
    let all = store.scan(&Scan::all()).await.unwrap();
    let mut named: Vec<_> = all.corrupt.iter().map(|corrupt| corrupt.location.clone()).collect();
    let mut wanted = foreign.map(|name| store.folder().join(name).display().to_string());
    named.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(named, wanted);
    let next = store.scan(&Scan::all().after(first.next)).await.unwrap();
    assert_eq!((next.corrupt.len(), next.entries.len()), (0, 1));
    assert_eq!(store.clear().await.unwrap(), 3);
    for name in foreign {
        assert!(store.folder().join(name).exists(), "{name} is none of ours");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_and_folders_are_no_entries_and_lead_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("root"), folder.path().join("outside.json"));
    let store = opened(&root).await;
    let a = key("a");
    store.put(&a, bytes("1"), ANY).await.unwrap();
    fs::rename(store.path_of(&a), &outside).unwrap();
    let before = fs::read(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, store.path_of(&a)).unwrap();
    assert!(matches!(store.get(&a).await, Err(GetError::Corrupt(_))));
    store.put(&a, bytes("2"), ANY).await.unwrap();
    assert_eq!(store.get(&a).await.unwrap().unwrap().value, "2");
    assert_eq!(fs::read(&outside).unwrap(), before, "what a link leads to is not written");
    // A link where a draft goes is not followed either.
    for shard in 0..64 {
        let draft = store.folder().join(format!(".dayfly/draft-{shard:02}"));
        std::os::unix::fs::symlink(&outside, draft).unwrap();
    }
    store.put(&a, bytes("3"), ANY).await.unwrap();
    assert_eq!(fs::read(&outside).unwrap(), before, "what a link leads to is not written");

    let b = key("b");
    fs::create_dir(store.path_of(&b)).unwrap();
    assert!(matches!(store.get(&b).await, Err(GetError::Corrupt(_))));
    assert!(matches!(store.put(&b, bytes("1"), ANY).await, Err(PutError::Unavailable(_))));
    assert_eq!(store.get(&a).await.unwrap().unwrap().value, "3");
}
