//! The diagram of floors in ARCHITECTURE.md, from the highest to the lowest, with the edges that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use cargo_metadata::DependencyKind;

use crate::tree::{Package, Tree};

pub(super) fn render(tree: &Tree) -> String {
    let mut floors: BTreeMap<u32, Vec<&Package>> = BTreeMap::new();
    for package in &tree.packages {
        if let Some(floor) = tree.floors.get(&package.name) {
            floors.entry(*floor).or_default().push(package);
        }
    }
    let widest = floors.values().flatten().map(|package| package.name.len()).max().unwrap_or(0);
    let mut diagram = String::from("```text\n");
    for (floor, packages) in floors.iter().rev() {
        for package in packages {
            let imports = imports(tree, package);
            let arrow = if imports.is_empty() { String::new() } else { format!(" -> {imports}") };
            let line = format!("floor {floor}  {:<widest$}{arrow}", package.name);
            // Writing to a string cannot fail.
            let _ = writeln!(diagram, "{}", line.trim_end());
        }
    }
    diagram.push_str("```\n");
    diagram
}

fn imports(tree: &Tree, package: &Package) -> String {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    let house: BTreeSet<&str> = normal
        .map(|dependency| dependency.name.as_str())
        .filter(|name| tree.floors.contains_key(*name))
        .collect();
    house.into_iter().collect::<Vec<_>>().join(", ")
}
