//! The table of crates in the root README.

use std::fmt::Write;

use crate::tree::Tree;

pub(super) fn render(tree: &Tree) -> String {
    let mut table = String::from("| crate | floor | what it is |\n|---|---|---|\n");
    let mut crates: Vec<_> = tree.packages.iter().filter(|package| package.published).collect();
    crates.sort_by_key(|package| (tree.floors.get(&package.name), &package.name));
    for package in crates {
        let floor = tree.floors.get(&package.name).map_or_else(String::new, u32::to_string);
        // A bar would end the cell, and a line break the row.
        let what = package.description.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        let (name, dir) = (&package.name, package.dir.display());
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| [`{name}`]({dir}) | {floor} | {what} |");
    }
    table
}
