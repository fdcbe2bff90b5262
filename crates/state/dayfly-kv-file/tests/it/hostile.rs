//! Keys and values of all kinds: each comes back as it was, or is refused before the disk is touched; none leaves the root.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path};
use std::sync::Arc;

use dayfly_kv::{Bytes, Key, Namespace, PutError, PutOptions, Scan, Store};
use dayfly_kv_file::{FileBackend, FileOptions, FileStore};

use crate::simulated::Simulated;
use crate::support::{backend_on, bytes, key, namespace, opened};

const ANY: PutOptions = PutOptions::new();

fn keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "../../x",
        "..",
        ".",
        "/",
        "//",
        "a//b",
        "/etc/passwd",
        "a/../b",
        "a\\b",
        "..\\..\\x",
        "C:\\x",
        "C:",
        "\\\\host\\share",
        "CON",
        "con",
        "Con",
        "con.txt",
        "nul",
        "com1",
        "COM1",
        "lpt9",
        "com\u{b9}",
        "a.",
        "a..",
        "a ",
        " ",
        "a",
        "A",
        "\u{e9}",
        "e\u{301}",
        "\u{202e}gnp",
        "\u{5d0}",
        "\u{1f600}",
        "\u{feff}",
        "%",
        "%41",
        "%2e",
        "~",
        "a~b",
        "-rf",
        "*",
        "?",
        ".dayfly",
        ".dayfly/lock-00",
        "draft-00",
        "x.json",
        ".json",
        "a:b",
        "a|b",
        "<a>",
        "\u{130}",
        "\u{df}",
        "SS",
        "ss",
        "\u{212a}",
        "k",
        "K",
        "\u{10ffff}",
    ]
    .map(str::to_owned)
    .to_vec();
    for letter in ["k", "K", "/", ".", "\u{e9}", "\u{1f600}"] {
        keys.push(letter.repeat(512 / letter.len()));
        keys.push(letter.repeat(128 / letter.len()));
        keys.push(letter.repeat(129 / letter.len()));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Every file under a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn entries(store: &FileStore) -> Vec<std::path::PathBuf> {
    let own = store.folder().join(".dayfly");
    files(store.folder()).into_iter().filter(|file| !file.starts_with(&own)).collect()
}

#[tokio::test]
async fn every_key_comes_back_and_its_file_lies_in_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("a").join("b").join("root");
    let store = opened(&root).await;
    let keys = keys();
    for text in &keys {
        store.put(&key(text), bytes(text), ANY.absent()).await.unwrap();
        let file = store.path_of(&key(text));
        assert!(file.is_file(), "{text:?} lies in {}", file.display());
        assert_eq!(file.parent(), Some(store.folder()), "{text:?}");
        assert!(file.components().all(|part| part != Component::ParentDir), "{text:?}");
        assert_eq!(store.get(&key(text)).await.unwrap().unwrap().value, bytes(text), "{text:?}");
    }
    let listed = store.scan(&Scan::all()).await.unwrap();
    assert_eq!(listed.corrupt, []);
    let listed: Vec<_> =
        listed.entries.iter().map(|(key, entry)| (key.as_str(), entry.value.clone())).collect();
    let wanted: Vec<_> = keys.iter().map(|text| (text.as_str(), bytes(text))).collect();
    assert_eq!(listed, wanted, "in the order of their bytes");
    // On a file system that folds capitals there would be as many files.
    let files = entries(&store);
    let folded: BTreeSet<_> = files.iter().map(|file| file.to_string_lossy().to_lowercase()).collect();
    assert_eq!((files.len(), folded.len()), (keys.len(), keys.len()));
    for file in &files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.is_ascii() && name.len() <= 133 && !name.starts_with(['-', '.']), "{name}");
    }
    // Nothing lies beside the folders that were asked for.
    for (above, only) in
        [(outside.path(), "a"), (&outside.path().join("a"), "b"), (root.parent().unwrap(), "root")]
    {
        let names: Vec<_> = fs::read_dir(above).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [only]);
    }
}

#[tokio::test]
async fn namespaces_of_all_kinds_lie_under_the_root_each_in_a_folder_of_its_own() {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("root");
    let backend = FileBackend::new(&root);
    assert!(!root.exists(), "nothing is touched until a store is opened");
    let long = "\u{1f600}".repeat(32);
    let mut folders = BTreeSet::new();
    let parts = ["..", ".", "/", "a", "A", "con", "a/b", "../../x", ".dayfly", "-", &long];
    for part in parts {
        for [database, container, entity] in [[part, "c", "e"], ["d", part, "e"], ["d", "c", part]] {
            let store =
                backend.open_store(&Namespace::new(database, container, entity).unwrap()).await.unwrap();
            let below = store.folder().strip_prefix(&root).unwrap();
            assert_eq!(below.components().count(), 3, "{}", below.display());
            assert!(below.components().all(|part| matches!(part, Component::Normal(_))));
            folders.insert(store.folder().to_string_lossy().to_lowercase());
        }
    }
    assert_eq!(folders.len(), 3 * parts.len());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn what_is_no_key_or_too_large_is_refused_before_the_disk_is_touched() {
    let disk = Simulated::default();
    let store =
        backend_on(Path::new("/data"), Arc::new(disk.clone())).open_store(&namespace()).await.unwrap();
    let before = disk.calls();
    for text in ["", "a\0b", "\0", "a\nb", "\u{7f}", "\u{85}", &"k".repeat(513), &"k".repeat(5_000)] {
        assert!(Key::new(text).is_err(), "{text:?}");
    }
    let limit = store.capabilities().max_value_bytes;
    let refused = store.put(&key("a"), Bytes::from(vec![b'1'; limit + 1]), ANY).await;
    assert!(matches!(refused, Err(PutError::TooLarge { .. })), "{refused:?}");
    assert_eq!(disk.calls(), before);
}

#[tokio::test]
async fn values_of_all_kinds_come_back_byte_by_byte_in_a_new_store_too() {
    let folder = tempfile::tempdir().unwrap();
    let limit = FileOptions::new();
    let store = opened(folder.path()).await;
    let largest = store.capabilities().max_value_bytes;
    assert_eq!(limit, FileOptions::default());
    let values: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![b'7'; largest],
        vec![0xff; largest],
        vec![0; largest - 1],
        "[".repeat(100_000).into_bytes(),
        ("[".repeat(100_000) + &"]".repeat(100_000)).into_bytes(),
        br#"{"a":1,"a":2}"#.to_vec(),
        b"\xef\xbb\xbf{\"bom\":1}".to_vec(),
        b"\xc3\x28".to_vec(),
        b"NaN".to_vec(),
        b"9007199254740993".to_vec(),
        b"1e400".to_vec(),
        b"-0".to_vec(),
        b" 1 ".to_vec(),
        b"null".to_vec(),
        b"\"\\ud800\"".to_vec(),
        b"{\"crc32\": \"00000000\"\n}\n".to_vec(),
        b"\"},\\n  \\\"crc32\\\": \\\"00000000\\\"\\n}\\n\"".to_vec(),
    ];
    for (at, value) in values.iter().enumerate() {
        store.put(&key(&at.to_string()), Bytes::from(value.clone()), ANY).await.unwrap();
    }
    let again = opened(folder.path()).await;
    for (at, value) in values.iter().enumerate() {
        let found = again.get(&key(&at.to_string())).await.unwrap().unwrap();
        assert!(found.value == value, "value {at}");
        // Each file is JSON, whatever the value is.
        let file = fs::read(store.path_of(&key(&at.to_string()))).unwrap();
        assert!(serde_json_reads(&file), "value {at}");
    }
}

/// Whether any reader of JSON would take it. Depth is what some of them limit.
fn serde_json_reads(file: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(file).is_ok()
}
