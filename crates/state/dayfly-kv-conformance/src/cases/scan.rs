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
        ensure!(next.is_none() || next > after, "the scan goes on after {next:?}, and was at {after:?}");
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

pub(crate) async fn a_prefix_and_a_beginning_leave_out_the_others(subject: &Subject) -> Result<(), Broken> {
    let names = ["a", "a/1", "a/2", "a/3", "a0", "b", "\u{e9}1", "\u{e9}2", "\u{10ffff}", "\u{10ffff}x"];
    let store = filled(subject, &names).await?;
    for prefix in ["", "a", "a/", "a/2", "b", "c", "\u{e9}", "\u{10ffff}"] {
        for after in [None, Some("a"), Some("a/2"), Some("a/20"), Some("zz"), Some("\u{10ffff}")] {
            let scan = Scan::new(Prefix::new(prefix)?).after(after.map(key).transpose()?).limit(2);
            let mut wanted: Vec<&str> = names
                .into_iter()
                .filter(|name| name.starts_with(prefix) && after.is_none_or(|after| *name > after))
                .collect();
            wanted.sort_unstable();
            ensure_eq!(listed(&*store, &scan).await?, wanted, "the prefix {prefix:?} after {after:?}");
        }
    }
    Ok(())
}

pub(crate) async fn entries_that_stay_are_listed_whatever_comes_and_goes(
    subject: &Subject,
) -> Result<(), Broken> {
    let names: Vec<String> = (0..40).map(|number| format!("stays/{number:02}")).collect();
    let store = filled(subject, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let (mut found, mut after) = (Vec::new(), None);
    for round in 0.. {
        let page = store.scan(&Scan::new(Prefix::new("stays/")?).after(after).limit(7)).await?;
        found.extend(page.entries.into_iter().map(|(key, _)| key));
        after = page.next;
        if after.is_none() {
            break;
        }
        // Between the pages, before and behind where the scan is, entries come and go.
        let (first, last) = (key("stays/00x")?, key(&format!("stays/99-{round}"))?);
        store.put(&first, value(first.as_str()), ANY).await?;
        store.put(&last, value(last.as_str()), ANY).await?;
        if round % 2 == 1 {
            store.delete(&first, Precondition::Any).await?;
        }
        ensure!(round < 1_000, "the scan does not end");
    }
    let mut once = found.clone();
    once.dedup();
    ensure_eq!(found, once, "each key at most once");
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
    Ok(())
}
