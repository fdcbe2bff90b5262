//! Generated files are what the generator writes today.

use super::Violation;
use crate::codegen;
use crate::tree::Tree;

const RULE: &str = "generated";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let stale = "it is stale: run `cargo xtask codegen`";
    let mut found = Vec::new();
    for (path, file) in codegen::files(tree) {
        match file {
            Ok(file) if file.is_stale(&tree.root) => found.push(Violation::new(path, 0, RULE, stale)),
            Ok(_) => {}
            Err(error) => found.push(Violation::new(path, 0, RULE, format!("{error:#}"))),
        }
    }
    found
}
