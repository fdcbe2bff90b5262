//! Short files: a warning above 500 lines, a failure above 800.

use super::Violation;
use crate::tree::Tree;

const RULE: &str = "sizes";
const WARN_ABOVE: usize = 500;
const FAIL_ABOVE: usize = 800;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let long = tree.sources().filter_map(|(_, source)| {
        let lines = source.text.lines().count();
        let message =
            format!("{lines} lines: split it by its ideas (at most {WARN_ABOVE}, never above {FAIL_ABOVE})");
        let violation = Violation::new(&source.path, 0, RULE, message);
        (lines > WARN_ABOVE).then_some(Violation { is_warning: lines <= FAIL_ABOVE, ..violation })
    });
    long.collect()
}
