//! A lint is silenced with `expect`, which complains when there is nothing left to silence; never with `allow`.
//!
//! clippy's own rule looks at outer attributes only, so that `#![allow(..)]` would silence a whole crate.

use syn::Attribute;
use syn::spanned::Spanned;
use syn::visit::Visit;

use super::Violation;
use crate::tree::{Source, Tree};

const RULE: &str = "silenced";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (_, source) in tree.sources() {
        if let Ok(file) = &source.syntax {
            Attributes { source, found: &mut found }.visit_file(file);
        }
    }
    found
}

struct Attributes<'a> {
    source: &'a Source,
    found: &'a mut Vec<Violation>,
}

impl<'ast> Visit<'ast> for Attributes<'_> {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let is_conditional = attribute.path().is_ident("cfg_attr");
        let allows = |list: &syn::MetaList| {
            let calls = crate::source::calls(list.tokens.clone());
            calls.iter().any(|call| call.module.is_none() && call.name == "allow")
        };
        let allows_on_condition = is_conditional && attribute.meta.require_list().is_ok_and(allows);
        if attribute.path().is_ident("allow") || allows_on_condition {
            let message = "write `expect(lint, reason = \"...\")`, never `allow`";
            self.found.push(Violation::new(&self.source.path, attribute.span().start().line, RULE, message));
        }
    }
}
