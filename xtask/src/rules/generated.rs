//! Generated files are what the generator writes today.

use super::Violation;
use crate::codegen;
use crate::tree::Tree;

const RULE: &str = "generated";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    match codegen::stale(tree) {
        Ok(stale) => {
            let message = "it is stale: run `cargo xtask codegen`";
            stale.into_iter().map(|file| Violation::new(file.path, 0, RULE, message)).collect()
        }
        Err(error) => vec![Violation::new("", 0, RULE, format!("{error:#}"))],
    }
}
