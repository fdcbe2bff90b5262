//! The book is whole: nothing on a page goes unproven, and no link leads nowhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn book() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// What stands in round brackets behind square ones, without the anchor.
fn links(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    ends.map(|(link, _)| link.split('#').next().unwrap_or_default()).filter(|link| !link.is_empty()).collect()
}

#[test]
fn every_page_stands_in_the_summary() {
    let summary = fs::read_to_string(book().join("SUMMARY.md")).unwrap();
    let told: BTreeSet<PathBuf> = links(&summary).into_iter().map(|link| book().join(link)).collect();
    let mut there = pages(book());
    assert!(there.remove(&book().join("SUMMARY.md")));
    assert_eq!(told, there);
}

#[test]
fn every_page_with_a_snippet_is_a_doc_test() {
    let index = fs::read_to_string(book().join("src/lib.rs")).unwrap();
    let with_snippets =
        pages(book()).into_iter().filter(|page| fs::read_to_string(page).unwrap().contains("```rust"));
    let names: Vec<String> =
        with_snippets.map(|page| page.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        assert!(index.contains(&format!("include_str!(\"../{name}\")")), "{name} is not tested");
    }
}

#[test]
fn no_link_leads_nowhere() {
    let root = book().parent().unwrap();
    for page in pages(book()).into_iter().chain(pages(root)) {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            assert!(page.parent().unwrap().join(link).exists(), "{}: {link}", page.display());
        }
    }
}
