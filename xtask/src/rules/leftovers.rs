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
            if OPEN_POINTS.iter().any(|word| stands_alone(line, word)) {
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

/// Whether the line has the word, and not only as a part of another, as in the name of a tool.
fn stands_alone(line: &str, word: &str) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric();
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        !line[..at].ends_with(is_letter) && !after.is_some_and(is_letter)
    })
}
