//! Tests wait for events or move a paused clock; they never sleep for real.
//!
//! Test code is what stands under `tests/` or in a `#[cfg(test)]` module. There `thread::sleep` is never allowed, and
//! Tokio's `sleep` and `interval` only on a paused clock: in a test with `start_paused = true`, or outside of a
//! `#[tokio::test]` in a file that works on one (`start_paused = true`, `paused(` or `drop_at_every_poll(`). A `timeout`
//! around a real event is allowed: it bounds a hang and waits for nothing.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprCall, ItemFn, ItemMod, Macro, Meta, Path};

use super::Violation;
use crate::source::has_cfg;
use crate::tree::{Source, Tree};

const RULE: &str = "sleeps";
const SLEEPS: [&str; 4] = ["sleep", "sleep_until", "interval", "interval_at"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (package, source) in tree.sources() {
        let Ok(file) = syn::parse_file(&source.text) else { continue };
        let marks = ["start_paused = true", "paused(", "drop_at_every_poll("];
        let mut sleeps = Sleeps {
            source,
            is_test: package.inside(&source.path).starts_with("tests"),
            clock: if marks.iter().any(|mark| source.text.contains(mark)) {
                Clock::Paused
            } else {
                Clock::Real
            },
            found: &mut found,
        };
        sleeps.visit_file(&file);
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    Paused,
    Real,
}

struct Sleeps<'a> {
    source: &'a Source,
    is_test: bool,
    clock: Clock,
    found: &'a mut Vec<Violation>,
}

impl Sleeps<'_> {
    fn look_at(&mut self, line: usize, of_thread: bool) {
        if self.is_test && (of_thread || self.clock == Clock::Real) {
            let message = "a test sleeps for real: wait for an event, or use a paused clock";
            self.found.push(Violation::new(&self.source.path, line, RULE, message));
        }
    }
}

impl<'ast> Visit<'ast> for Sleeps<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let before = self.is_test;
        self.is_test |= has_cfg(&module.attrs, "test");
        visit::visit_item_mod(self, module);
        self.is_test = before;
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        let before = self.clock;
        if let Some(clock) = tokio_test(&function.attrs) {
            self.clock = clock;
        }
        visit::visit_item_fn(self, function);
        self.clock = before;
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func
            && let Some(of_thread) = sleep(&function.path)
        {
            self.look_at(call.span().start().line, of_thread);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        // Inside a macro there are only tokens; these are how a call looks there.
        let tokens = call.tokens.to_string();
        let calls =
            |name: &str| tokens.contains(&format!("{name} (")) || tokens.contains(&format!("{name}("));
        if SLEEPS.into_iter().any(calls) {
            self.look_at(call.span().start().line, tokens.contains("thread :: sleep"));
        }
    }
}

/// Whether the path is one of the sleeps, and if so whether it is a thread's.
fn sleep(path: &Path) -> Option<bool> {
    let mut segments = path.segments.iter().rev();
    let name = &segments.next()?.ident;
    let of = segments.next().map(|segment| segment.ident.to_string());
    let is_sleep = SLEEPS.iter().any(|sleep| name == sleep);
    match of.as_deref() {
        Some("thread") if name == "sleep" => Some(true),
        Some("time") | None if is_sleep => Some(false),
        _ => None,
    }
}

/// The clock of a `#[tokio::test]`; `None` for any other function.
fn tokio_test(attributes: &[Attribute]) -> Option<Clock> {
    let test = attributes.iter().find(|attribute| {
        let path = attribute.path();
        path.segments.len() == 2 && path.segments[0].ident == "tokio" && path.segments[1].ident == "test"
    })?;
    match &test.meta {
        Meta::List(list) if list.tokens.to_string().contains("start_paused = true") => Some(Clock::Paused),
        _ => Some(Clock::Real),
    }
}
