//! Keys and namespaces that a careless backend mixes up or lets out of its root.

use std::collections::BTreeSet;

use dayfly_kv::{Key, Scan};

use super::{ANY, key, value};
use crate::case::{Broken, ensure, ensure_eq};
use crate::subject::Subject;

/// Names that mean something to file systems, shells, patterns or encodings, and pairs that some of them take for one.
const HOSTILE: &[&str] = &[
    "../../x",
    "..",
    ".",
    "/",
    "//",
    "a//b",
    "a/b",
    "/etc/passwd",
    "a/../b",
    "~",
    "~root",
    "-",
    "--",
    "-rf",
    "C:\\x",
    "\\\\host\\share",
    "a\\b",
    "CON",
    "con",
    "nul",
    "NUL.json",
    "aux.txt",
    "COM1",
    "LPT9",
    "a.",
    "a..",
    "a ",
    " a",
    " ",
    "a",
    "A",
    "aA",
    "Aa",
    ".hidden",
    "x.json",
    "x.tmp",
    "x.lock",
    "%",
    "%2e",
    "%2E",
    "%2f",
    "%00",
    "a%b",
    "*",
    "?",
    "<>|\"",
    ":",
    "a:b",
    "$HOME",
    "`x`",
    "'",
    "\"",
    ";",
    "&",
    "#",
    "=",
    "{}",
    "[a-z]",
    "_",
    "__",
    "\u{e9}",
    "e\u{301}",
    "\u{212b}",
    "\u{c5}",
    "\u{202e}gnp",
    "\u{5d0}\u{5d1}",
    "\u{1f600}",
    "\u{feff}a",
    "\u{200b}",
    "\u{df}",
    "SS",
    "\u{130}",
    "i\u{307}",
    "\u{10ffff}",
    "lost+found",
    "desktop.ini",
    "a\u{a0}",
];

pub(crate) async fn hostile_keys_are_different_entries_and_come_back_as_they_were(
    subject: &Subject,
) -> Result<(), Broken> {
    let store = subject.store().await?;
    let mut keys: BTreeSet<Key> = HOSTILE.iter().map(|text| key(text)).collect::<Result<_, _>>()?;
    // The longest, in letters of one byte and of four, and two that differ at the very end only.
    keys.insert(key(&"k".repeat(Key::MAX_BYTES))?);
    keys.insert(key(&format!("{}j", "k".repeat(Key::MAX_BYTES - 1)))?);
    keys.insert(key(&"\u{1f600}".repeat(Key::MAX_BYTES / 4))?);
    keys.insert(key(&"/".repeat(Key::MAX_BYTES))?);
    for key in &keys {
        store
            .put(key, value(key.as_str()), ANY.absent())
            .await
            .map_err(|error| Broken::new(format!("the key {key:?} was not put: {error}")))?;
    }
    for key in &keys {
        let found = store.get(key).await?.map(|entry| entry.value);
        ensure_eq!(found, Some(value(key.as_str())), "the entry {key:?}");
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = store.scan(&Scan::all().after(after)).await?;
        listed.extend(page.entries.into_iter().map(|(key, _)| key));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    ensure!(listed.iter().eq(&keys), "the keys come back as {listed:?}, not as {keys:?}");
    for key in &keys {
        ensure_eq!(store.delete(key, dayfly_kv::Precondition::Present).await?, true, "delete of {key:?}");
    }
    Ok(())
}

pub(crate) async fn hostile_namespaces_are_different_and_mix_with_no_other(
    subject: &Subject,
) -> Result<(), Broken> {
    let longest = "n".repeat(dayfly_kv::Namespace::MAX_PART_BYTES);
    let mut places: Vec<[&str; 3]> = vec![
        ["a/b", "c", "d"],
        ["a", "b/c", "d"],
        ["a", "b", "c/d"],
        ["a", "b", "d"],
        ["A", "b", "d"],
        ["..", "..", ".."],
        [".", ".", "."],
        ["../a", "b", "d"],
        ["/", "/", "/"],
        ["a%2Fb", "c", "d"],
        ["CON", "nul", "aux"],
        ["\u{e9}", "b", "d"],
        ["e\u{301}", "b", "d"],
        ["*", "*", "*"],
    ];
    places.push([&longest, &longest, &longest]);
    let a = key("a")?;
    for (at, [database, container, entity]) in places.iter().enumerate() {
        let store = subject.store_at(database, container, entity).await?;
        ensure_eq!(store.get(&a).await?, None, "{database:?}/{container:?}/{entity:?} before its own put");
        store.put(&a, value(&at.to_string()), ANY).await?;
    }
    for (at, [database, container, entity]) in places.iter().enumerate() {
        let store = subject.store_at(database, container, entity).await?;
        let found = store.get(&a).await?.map(|entry| entry.value);
        ensure_eq!(found, Some(value(&at.to_string())), "{database:?}/{container:?}/{entity:?}");
    }
    Ok(())
}
