//! Where in a manifest something stands, for messages that name a line.

use std::ops::Range;

use toml_edit::{Document, TableLike};

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// The line of the key at this path; of the nearest table around it when it is not there; else 0.
#[must_use]
pub fn of_key(manifest: &str, path: &[&str]) -> usize {
    let Ok(document) = Document::parse(manifest) else { return 0 };
    let mut table: &dyn TableLike = document.as_table();
    let mut found = 0;
    for name in path {
        let Some((key, item)) = table.get_key_value(name) else { break };
        found = key.span().or_else(|| item.span()).map_or(found, |span| line(manifest, &span));
        let Some(inner) = item.as_table_like() else { break };
        table = inner;
    }
    found
}

/// The line of the dependency under this key, of whatever kind and for whatever target; 0 when there is none.
#[must_use]
pub fn of_dependency(manifest: &str, key: &str) -> usize {
    let Ok(document) = Document::parse(manifest) else { return 0 };
    let root = document.as_table();
    let targets = root.get("target").and_then(|targets| targets.as_table_like());
    let targets = targets.into_iter().flat_map(TableLike::iter).filter_map(|(_, item)| item.as_table_like());
    let tables = std::iter::once(root as &dyn TableLike).chain(targets);
    for table in tables {
        for kind in KINDS {
            if let Some(list) = table.get(kind).and_then(|list| list.as_table_like())
                && let Some((key, item)) = list.get_key_value(key)
                && let Some(span) = key.span().or_else(|| item.span())
            {
                return line(manifest, &span);
            }
        }
    }
    0
}

fn line(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
}
