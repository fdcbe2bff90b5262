//! Tests wait for events or move a paused clock; they never sleep for real.
//!
//! Test code is what stands under `tests/`, in a `#[cfg(test)]` module or in a `#[test]` function. There `thread::sleep`
//! is never allowed, and Tokio's `sleep` and `interval` only on a paused clock: in a test with `start_paused = true`, or
//! outside of a `#[tokio::test]` in a file that works on one (it calls `paused`, `drop_at_every_poll`, `start_paused` or
//! `time::pause`). A `timeout` around a real event is allowed: it bounds a hang and waits for nothing.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprCall, ExprMethodCall, ItemFn, ItemMod, ItemUse, Macro, Meta, Path, UseTree};

use super::Violation;
use crate::source::{calls, has_cfg};
use crate::tree::{Source, Tree};

const RULE: &str = "sleeps";
const SLEEPS: [&str; 4] = ["sleep", "sleep_until", "interval", "interval_at"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (_, source) in tree.sources() {
        let Ok(file) = &source.syntax else { continue };
        let mut pauses = Pauses(false);
        pauses.visit_file(file);
        let clock = if pauses.0 { Clock::Paused } else { Clock::Real };
        Sleeps { source, is_test: source.is_test, clock, found: &mut found }.visit_file(file);
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    Paused,
    Real,
}

/// Whether something in the code pauses a clock.
struct Pauses(bool);

impl<'ast> Visit<'ast> for Pauses {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        self.0 |= matches!(&attribute.meta, Meta::List(list) if starts_paused(&list.tokens));
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            let (module, name) = ends_with(&function.path);
            self.0 |= pauses(module.as_deref(), &name);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.0 |= call.method == "start_paused";
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let calls = calls(call.tokens.clone());
        self.0 |= calls.iter().any(|call| {
            let starts = call.is_method && call.name == "start_paused";
            starts || (!call.is_method && pauses(call.module.as_deref(), &call.name))
        });
    }
}

fn pauses(module: Option<&str>, name: &str) -> bool {
    matches!((module, name), (_, "paused" | "drop_at_every_poll") | (Some("time"), "pause"))
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

    /// A sleep that gets another name would not be found under it.
    fn look_at_names(&mut self, tree: &UseTree, module: Option<&str>) {
        match tree {
            UseTree::Path(path) => self.look_at_names(&path.tree, Some(&path.ident.to_string())),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.look_at_names(tree, module);
                }
            }
            UseTree::Rename(rename) => {
                if let Some(of_thread) = sleep(module, &rename.ident.to_string()) {
                    self.look_at(rename.span().start().line, of_thread);
                }
            }
            UseTree::Name(_) | UseTree::Glob(_) => {}
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

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.look_at_names(&item.tree, None);
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        let before = (self.is_test, self.clock);
        self.is_test |= function.attrs.iter().any(is_test) || has_cfg(&function.attrs, "test");
        if let Some(clock) = tokio_test(&function.attrs) {
            let mut pauses = Pauses(false);
            pauses.visit_block(&function.block);
            self.clock = if pauses.0 { Clock::Paused } else { clock };
        }
        visit::visit_item_fn(self, function);
        (self.is_test, self.clock) = before;
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            let (module, name) = ends_with(&function.path);
            if let Some(of_thread) = sleep(module.as_deref(), &name) {
                self.look_at(call.span().start().line, of_thread);
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        for call in calls(call.tokens.clone()).iter().filter(|call| !call.is_method) {
            if let Some(of_thread) = sleep(call.module.as_deref(), &call.name) {
                self.look_at(call.line, of_thread);
            }
        }
    }
}

/// Whether this is one of the sleeps, and if so whether it is a thread's.
fn sleep(module: Option<&str>, name: &str) -> Option<bool> {
    let is_module = |module: &str| module.starts_with(|first: char| first.is_ascii_lowercase());
    match (module, name) {
        (Some("thread"), "sleep" | "sleep_until" | "park_timeout") => Some(true),
        (Some("time") | None, name) if SLEEPS.contains(&name) => Some(false),
        // A module may have been renamed; a type's own function may do anything.
        (Some(module), "sleep" | "sleep_until") if is_module(module) => Some(false),
        _ => None,
    }
}

/// The last name of the path, and the module before it.
fn ends_with(path: &Path) -> (Option<String>, String) {
    let mut names = path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let name = names.next().unwrap_or_default();
    (names.next(), name)
}

fn is_test(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "test")
}

fn starts_paused(tokens: &TokenStream) -> bool {
    tokens.to_string().contains("start_paused = true")
}

/// The clock of a `#[tokio::test]`; `None` for any other function.
fn tokio_test(attributes: &[Attribute]) -> Option<Clock> {
    let test = attributes.iter().find(|attribute| {
        let path = attribute.path();
        path.segments.len() == 2 && path.segments[0].ident == "tokio" && path.segments[1].ident == "test"
    })?;
    match &test.meta {
        Meta::List(list) if starts_paused(&list.tokens) => Some(Clock::Paused),
        _ => Some(Clock::Real),
    }
}
