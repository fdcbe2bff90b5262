//! A crate imports crates of lower floors only, and every published crate stands on exactly one floor.
//!
//! Tests may use `dayfly-testing`, which stands on no floor and imports no crate of the house. They may also use a crate
//! of their own floor, as a backend's tests do with the suite that examines every backend.

use cargo_metadata::DependencyKind;

use super::Violation;
use crate::lines;
use crate::tree::{Dependency, Package, Tree};

const RULE: &str = "floors";
const TESTING: &str = "dayfly-testing";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for name in tree.floors.keys().filter(|name| tree.package(name).is_none()) {
        let message = format!("`{name}` stands on a floor and is no member: build it, or take its name out");
        found.push(Violation::new("Cargo.toml", 0, RULE, message));
    }
    for name in &tree.named_twice {
        found.push(Violation::new("Cargo.toml", 0, RULE, format!("`{name}` stands on two floors: keep one")));
    }
    for package in &tree.packages {
        let is_house = package.dir.starts_with("crates");
        if is_house && package.published && !tree.floors.contains_key(&package.name) {
            let message =
                format!("`{}` stands on no floor: name it in [workspace.metadata.floors]", package.name);
            found.push(Violation::new("Cargo.toml", 0, RULE, message));
        }
        let edges = package.dependencies.iter();
        found.extend(edges.filter_map(|dependency| edge(tree, package, dependency)));
    }
    if tree.floors.contains_key(TESTING) {
        let message = format!("`{TESTING}` stands on no floor: only tests may use it");
        found.push(Violation::new("Cargo.toml", 0, RULE, message));
    }
    found
}

fn edge(tree: &Tree, package: &Package, dependency: &Dependency) -> Option<Violation> {
    let name = &dependency.name;
    let wrong = |message: String| {
        let line = lines::of_dependency(&package.manifest.0, &dependency.key);
        Some(Violation::new(package.manifest_path(), line, RULE, message))
    };
    let Some(imported) = tree.package(name) else {
        let message = format!("`{name}` is a folder and no member: what it imports is seen by nobody");
        return if dependency.is_path { wrong(message) } else { None };
    };
    if package.name == TESTING {
        return wrong(format!("`{TESTING}` imports no crate of the house, not even `{name}`"));
    }
    let is_for_tests = dependency.kind == DependencyKind::Development;
    if name == TESTING && is_for_tests {
        return None;
    }
    if package.published && !imported.published && !is_for_tests && tree.floors.contains_key(name) {
        return wrong(format!("`{name}` is not published, so `{}` could not be either", package.name));
    }
    match (tree.floors.get(&package.name), tree.floors.get(name)) {
        (Some(own), Some(other)) if other < own || (is_for_tests && other == own) => None,
        (Some(own), Some(other)) => wrong(format!(
            "`{}` (floor {own}) imports `{name}` (floor {other}): only lower floors may be imported; what both need moves down",
            package.name
        )),
        (Some(_), None) => wrong(format!("`{}` imports `{name}`, which stands on no floor", package.name)),
        // Who stands on no floor is a tool or a test's helper, and may look at everything.
        (None, _) => None,
    }
}
