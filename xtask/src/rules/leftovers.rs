//! Nothing is left half done: no open points in sources, no test switched off without a reason.

use super::Violation;
use crate::tree::Tree;

const RULE: &str = "leftovers";

/// Taken apart, so that this file does not break its own rule.
const OPEN_POINTS: [&str; 4] =
    [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("TO", "DO"), concat!("FIX", "ME")];
const SWITCHED_OFF: &str = concat!("#[ig", "nore]");

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (_, source) in tree.sources() {
        for (at, line) in source.text.lines().enumerate() {
            if OPEN_POINTS.iter().any(|word| line.contains(word)) {
                found.push(Violation::new(&source.path, at + 1, RULE, "an open point: do it, or file it"));
            }
            if line.contains(SWITCHED_OFF) {
                let message = "a test that is switched off needs a reason and a place where it runs";
                found.push(Violation::new(&source.path, at + 1, RULE, message));
            }
        }
    }
    found
}
