//! Listing.

use dayfly_kv::{Key, Precondition, Prefix, Scan, Store};

use super::{ANY, key, value};
use crate::case::{Broken, ensure, ensure_eq};
use crate::subject::Subject;

/// Every key that a scan lists, page by page.
async fn listed(store: &dyn Store, scan: &Scan) -> Result<Vec<String>, Broken> {
    let (mut keys, mut after) = (Vec::new(), scan.after.clone());
    loop {
        let page = store.scan(&scan.clone().after(after.clone())).await?;
        ensure!(
            page.entries.len() <= scan.limit,
            "a page of {} entries, not {}",
            page.entries.len(),
            scan.limit
        );
        for (key, entry) in page.entries {
            ensure_eq!(entry.value, value(key.as_str()), "the listed entry {key:?}");
            keys.push(key.as_str().to_owned());
        }
        let next: Option<Key> = page.next;
        let goes_on = match (&next, &after) {
            (Some(next), Some(after)) => scan.reverse != (next > after) && next != after,
            _ => true,
        };
        ensure!(goes_on, "the scan goes on after {next:?}, and was at {after:?}");
        after = next;
        if after.is_none() {
            return Ok(keys);
        }
    }
}

async fn filled(subject: &Subject, names: &[&str]) -> Result<std::sync::Arc<dyn Store>, Broken> {
    let store = subject.store().await?;
    for name in names {
        store.put(&key(name)?, value(name), ANY).await?;
    }
    Ok(store)
}

pub(crate) async fn entries_are_listed_by_the_bytes_of_their_keys_each_once(
    subject: &Subject,
) -> Result<(), Broken> {
    let names = ["b", "a", "\u{e9}", "Z", "a/b", "aa", "a b", "~", "\u{1f600}", "\u{ff5e}", "10", "9"];
    let store = filled(subject, &names).await?;
    let mut sorted = names.map(str::to_owned).to_vec();
    sorted.sort_unstable_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
    for limit in [1, 2, 5, 12, 100] {
        let found = listed(&*store, &Scan::all().limit(limit)).await?;
        ensure_eq!(found, sorted, "all keys, {limit} a page");
    }
    Ok(())
}

const NAMES: [&str; 10] =
    ["a", "a/1", "a/2", "a/3", "a0", "b", "\u{e9}1", "\u{e9}2", "\u{10ffff}", "\u{10ffff}x"];
const PREFIXES: [&str; 8] = ["", "a", "a/", "a/2", "b", "c", "\u{e9}", "\u{10ffff}"];
const AFTER: [Option<&str>; 9] = [
    None,
    Some("A"),
    Some("a"),
    Some("a/2"),
    Some("a/20"),
    Some("b"),
    Some("zz"),
    Some("\u{10ffff}"),
    Some("\u{10ffff}\u{10ffff}"),
];

/// Lists every prefix after every key, in one direction.
async fn every_part_is_listed(subject: &Subject, reverse: bool) -> Result<(), Broken> {
    let store = filled(subject, &NAMES).await?;
    // A neighbour in the same store is none of it.
    let other = subject.store_at("acme", "shop", "order2").await?;
    other.put(&key("a/25")?, value("a/25"), ANY).await?;
    for prefix in PREFIXES {
        for after in AFTER {
            let mut scan = Scan::new(Prefix::new(prefix)?).after(after.map(key).transpose()?).limit(2);
            scan.reverse = reverse;
            let is_after =
                |name: &str| after.is_none_or(|after| if reverse { name < after } else { name > after });
            let mut wanted: Vec<&str> =
                NAMES.into_iter().filter(|name| name.starts_with(prefix) && is_after(name)).collect();
            wanted.sort_unstable();
            if reverse {
                wanted.reverse();
            }
            ensure_eq!(listed(&*store, &scan).await?, wanted, "the prefix {prefix:?} after {after:?}");
        }
    }
    Ok(())
}

pub(crate) async fn a_prefix_and_a_beginning_leave_out_the_others(subject: &Subject) -> Result<(), Broken> {
    every_part_is_listed(subject, false).await
}

pub(crate) async fn in_reverse_the_same_entries_are_listed_from_the_last_to_the_first(
    subject: &Subject,
) -> Result<(), Broken> {
    every_part_is_listed(subject, true).await?;
    let store = subject.store().await?;
    let exact = store.scan(&Scan::all().reverse().limit(NAMES.len())).await?;
    ensure_eq!(exact.entries.len(), NAMES.len(), "a page of exactly as many entries as there are");
    Ok(())
}

pub(crate) async fn entries_that_stay_are_listed_whatever_comes_and_goes(
    subject: &Subject,
) -> Result<(), Broken> {
    what_stays_is_listed(subject, false).await
}

pub(crate) async fn in_reverse_entries_that_stay_are_listed_whatever_comes_and_goes(
    subject: &Subject,
) -> Result<(), Broken> {
    what_stays_is_listed(subject, true).await
}

async fn what_stays_is_listed(subject: &Subject, reverse: bool) -> Result<(), Broken> {
    let names: Vec<String> = (0..40).map(|number| format!("stays/{number:02}")).collect();
    let store = filled(subject, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let (mut found, mut after) = (Vec::new(), None);
    for round in 0.. {
        let mut scan = Scan::new(Prefix::new("stays/")?).after(after).limit(7);
        scan.reverse = reverse;
        let page = store.scan(&scan).await?;
        found.extend(page.entries.into_iter().map(|(key, _)| key));
        after = page.next;
        if after.is_none() {
            break;
        }
        // Between the pages, before and behind where the scan is, entries come and go.
        let (behind, before) = if reverse { ("99", "00") } else { ("00", "99") };
        let (first, last) = (key(&format!("stays/{behind}x"))?, key(&format!("stays/{before}-{round}"))?);
        store.put(&first, value(first.as_str()), ANY).await?;
        store.put(&last, value(last.as_str()), ANY).await?;
        if round % 2 == 1 {
            store.delete(&first, Precondition::Any).await?;
        }
        ensure!(round < 1_000, "the scan does not end");
    }
    let follows = |one: &Key, other: &Key| if reverse { one > other } else { one < other };
    ensure!(found.is_sorted_by(follows), "each key at most once, in order: {found:?} was listed");
    for name in &names {
        ensure!(
            found.iter().any(|key| key.as_str() == name),
            "`{name}` was there all the while and is not listed"
        );
    }
    Ok(())
}

pub(crate) async fn a_limit_of_any_size_works(subject: &Subject) -> Result<(), Broken> {
    let store = filled(subject, &["a", "b", "c"]).await?;
    ensure_eq!(listed(&*store, &Scan::all().limit(usize::MAX)).await?, ["a", "b", "c"], "the largest limit");
    let exact = store.scan(&Scan::all().limit(3)).await?;
    ensure_eq!(exact.entries.len(), 3, "a page of exactly as many entries as there are");
    ensure_eq!(listed(&*store, &Scan::all().after(key("c")?)).await?, [""; 0], "after the last key");
    // Zero counts as one: who goes on until there is no next page would never see an entry, or never come to an end.
    let (mut keys, mut scan) = (Vec::new(), Scan::all());
    scan.limit = 0;
    for _ in 0..4 {
        let page = store.scan(&scan).await?;
        keys.extend(page.entries.into_iter().map(|(key, _)| key.as_str().to_owned()));
        scan.after = page.next;
        if scan.after.is_none() {
            break;
        }
    }
    ensure!(keys == ["a", "b", "c"] && scan.after.is_none(), "with a limit of zero, {keys:?} were listed");
    Ok(())
}
