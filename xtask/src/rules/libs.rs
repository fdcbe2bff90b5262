//! lib.rs is an index: docs, modules in reading order, re-exports, and no logic.

use syn::Item;
use syn::spanned::Spanned;

use super::Violation;
use crate::source::has_cfg;
use crate::tree::Tree;

const RULE: &str = "lib.rs";
const MOST_LINES: usize = 120;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (_, source) in tree.sources().filter(|(package, source)| package.inside(&source.path) == "src/lib.rs")
    {
        let lines = source.text.lines().map(str::trim);
        let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        if code > MOST_LINES {
            let message = format!("{code} lines of code: an index has at most {MOST_LINES}");
            found.push(Violation::new(&source.path, 0, RULE, message));
        }
        let Ok(file) = &source.syntax else { continue };
        for item in file.items.iter().filter(|item| !is_index(item)) {
            let message = "only `mod`, `use` and re-exports stand in lib.rs: move this into a module";
            found.push(Violation::new(&source.path, item.span().start().line, RULE, message));
        }
    }
    found
}

fn is_index(item: &Item) -> bool {
    match item {
        Item::Mod(module) => module.content.is_none(),
        Item::Use(_) | Item::ExternCrate(_) => true,
        // The README's examples, which exist for doc tests only.
        Item::Struct(item) => has_cfg(&item.attrs, "doctest"),
        _ => false,
    }
}
