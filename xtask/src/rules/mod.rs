//! The house rules, one module each. A rule reads the tree and names what breaks it.

mod cancel_safety;
mod floors;
mod folders;
mod generated;
mod leftovers;
mod libs;
mod manifests;
mod readable;
mod silenced;
mod sizes;
mod sleeps;

use std::fmt;
use std::path::PathBuf;

use crate::tree::Tree;

/// Something that a rule forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The file, seen from the root.
    pub path: PathBuf,
    /// The line; 0 for the whole file.
    pub line: usize,
    /// The rule.
    pub rule: &'static str,
    /// What is wrong and what to do.
    pub message: String,
    /// Whether it is only a warning.
    pub is_warning: bool,
}

/// What all rules found.
#[derive(Debug)]
pub struct Report {
    /// Every violation, by path and line.
    pub violations: Vec<Violation>,
    rules: usize,
}

type Rule = fn(&Tree) -> Vec<Violation>;

const RULES: [Rule; 11] = [
    readable::check,
    floors::check,
    folders::check,
    sizes::check,
    libs::check,
    cancel_safety::check,
    sleeps::check,
    manifests::check,
    generated::check,
    leftovers::check,
    silenced::check,
];

/// Runs every rule over the tree.
#[must_use]
pub fn check_all(tree: &Tree) -> Report {
    let mut violations: Vec<Violation> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    violations.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    Report { violations, rules: RULES.len() }
}

impl Report {
    /// Whether nothing but warnings was found.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.violations.iter().all(|violation| violation.is_warning)
    }
}

impl Violation {
    fn new(path: impl Into<PathBuf>, line: usize, rule: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, rule, message: message.into(), is_warning: false }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = if self.is_warning { "warning: " } else { "" };
        let line = if self.line == 0 { String::new() } else { format!(":{}", self.line) };
        write!(f, "{}{line}: {warning}{}: {}", self.path.display(), self.rule, self.message)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        let verdict = if self.passes() { "the house is tidy" } else { "the house is not tidy" };
        write!(f, "{} rules, {} findings: {verdict}", self.rules, self.violations.len())
    }
}
