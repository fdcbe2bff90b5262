//! A file that the rules cannot parse is a file that they do not look into.

use super::Violation;
use crate::tree::Tree;

const RULE: &str = "readable";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let unreadable = tree.sources().filter_map(|(_, source)| {
        let error = source.syntax.as_ref().err()?;
        let message = format!("cannot be parsed: {error}");
        Some(Violation::new(&source.path, error.span().start().line, RULE, message))
    });
    unreadable.collect()
}
