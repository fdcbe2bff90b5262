//! A crate's folder is its package name; no name says only that things are lumped together.

use syn::visit::{self, Visit};
use syn::{Ident, ItemMod};

use super::Violation;
use crate::tree::{Source, Tree};

const RULE: &str = "folders";
const ONE_IDEA: &str = "name the module for the one idea it holds";
const LUMPS: [&str; 7] = ["utils", "util", "common", "helpers", "helper", "manager", "imp"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &tree.packages {
        if package.dir.file_name().is_none_or(|folder| *folder != *package.name) {
            let message = format!("the folder of `{}` must be named like the package", package.name);
            found.push(Violation::new(package.manifest_path(), 0, RULE, message));
        }
        if package.dir.iter().any(|part| part.to_str().is_some_and(is_lump)) {
            let message = "name the crate for the decision it owns";
            found.push(Violation::new(package.manifest_path(), 0, RULE, message));
        }
        if package.published && !package.dir.starts_with("crates") {
            let message = "a published crate stands in crates/";
            found.push(Violation::new(package.manifest_path(), 0, RULE, message));
        }
        let depth = package.dir.components().count();
        if package.dir.starts_with("crates") && !(2..=3).contains(&depth) {
            let message = "a crate stands in crates/ or in crates/<family>/";
            found.push(Violation::new(package.manifest_path(), 0, RULE, message));
        }
    }
    for path in &tree.strays {
        let message = "no member of the workspace: nobody builds it, and no rule looks at it";
        found.push(Violation::new(path, 0, RULE, message));
    }
    for (package, source) in tree.sources() {
        let path = package.inside(&source.path).with_extension("");
        if path.iter().any(|part| part.to_str().is_some_and(is_lump)) {
            found.push(Violation::new(&source.path, 0, RULE, ONE_IDEA));
        }
        if let Ok(file) = &source.syntax {
            Modules { source, found: &mut found }.visit_file(file);
        }
    }
    found
}

/// Whether one of the name's words says nothing: `utils`, `test_helpers`.
fn is_lump(name: &str) -> bool {
    name.split(['_', '-']).any(|word| LUMPS.contains(&word))
}

/// Modules inside of a file; those in files of their own are known by the file's name.
struct Modules<'a> {
    source: &'a Source,
    found: &'a mut Vec<Violation>,
}

impl<'ast> Visit<'ast> for Modules<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let is_lump = |name: &Ident| is_lump(&name.to_string());
        if module.content.is_some() && is_lump(&module.ident) {
            let line = module.ident.span().start().line;
            self.found.push(Violation::new(&self.source.path, line, RULE, ONE_IDEA));
        }
        visit::visit_item_mod(self, module);
    }
}
