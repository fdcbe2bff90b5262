//! A crate's folder is its package name; no name says only that things are lumped together.

use std::path::Path;

use super::Violation;
use crate::tree::Tree;

const RULE: &str = "folders";
const LUMPS: [&str; 5] = ["utils", "common", "helpers", "manager", "imp"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &tree.packages {
        if package.dir.file_name().is_none_or(|folder| *folder != *package.name) {
            let message = format!("the folder of `{}` must be named like the package", package.name);
            found.push(Violation::new(package.manifest_path(), 0, RULE, message));
        }
        let depth = package.dir.components().count();
        if package.dir.starts_with("crates") && !(2..=3).contains(&depth) {
            let message = "a crate stands in crates/ or in crates/<family>/";
            found.push(Violation::new(package.manifest_path(), 0, RULE, message));
        }
    }
    for (package, source) in tree.sources() {
        let lumps = |part: &Path| part.file_stem().is_some_and(|stem| LUMPS.iter().any(|lump| stem == *lump));
        if package.inside(&source.path).iter().any(|part| lumps(Path::new(part))) {
            let message = "name the module for the one idea it holds";
            found.push(Violation::new(&source.path, 0, RULE, message));
        }
    }
    found
}
