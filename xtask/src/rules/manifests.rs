//! Manifests inherit: versions and policies stand once, in the root.

use toml::{Table, Value};

use super::Violation;
use crate::lines;
use crate::tree::{Package, Tree};

const RULE: &str = "manifests";
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "authors"];
const OF_PUBLISHED: [&str; 4] = ["description", "categories", "keywords", "readme"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Violation> {
    let (text, table) = &package.manifest;
    let mut found = Vec::new();
    let mut wrong = |line: usize, message: String| {
        found.push(Violation::new(package.manifest_path(), line, RULE, message));
    };
    let empty = Table::new();
    let own = table.get("package").and_then(Value::as_table).unwrap_or(&empty);
    // A crate may need a newer Rust than the others, where a dependency does.
    let is_own = |field: &str, value: &Value| field == "rust-version" && value.is_str();
    let stands = |field: &str| own.get(field).is_some_and(|value| inherits(value) || is_own(field, value));
    for field in INHERITED.iter().filter(|field| !stands(field)) {
        wrong(lines::of_key(text, &["package", field]), format!("write `{field}.workspace = true`"));
    }
    if package.published {
        for field in OF_PUBLISHED.iter().filter(|field| !own.contains_key(**field)) {
            wrong(lines::of_key(text, &["package"]), format!("a published crate needs `{field}`"));
        }
    }
    if !table.get("lints").is_some_and(inherits) {
        wrong(lines::of_key(text, &["lints"]), "write `[lints]` with `workspace = true`".into());
    }
    let library = table.get("lib").and_then(Value::as_table).and_then(|lib| lib.get("path"));
    if library.is_some() {
        wrong(
            lines::of_key(text, &["lib", "path"]),
            "the library is src/lib.rs, where its rule looks".into(),
        );
    }
    for (name, dependency) in dependencies(table) {
        if !inherits(dependency) {
            let message = format!("write `{name}.workspace = true` and its version in the root manifest");
            wrong(lines::of_dependency(text, name), message);
        }
    }
    found
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// Every dependency of whatever kind, those of single targets included.
fn dependencies(table: &Table) -> Vec<(&str, &Value)> {
    let targets = table.get("target").and_then(Value::as_table);
    let tables =
        std::iter::once(table).chain(targets.into_iter().flat_map(Table::values).filter_map(Value::as_table));
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let lists = tables.flat_map(|table| kinds.map(|kind| table.get(kind).and_then(Value::as_table)));
    lists.flatten().flatten().map(|(name, value)| (name.as_str(), value)).collect()
}
