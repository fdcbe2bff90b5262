//! Every public async function of a published crate says what is lost when its future is dropped.
//!
//! Functions that return `impl Future` count too. What a macro writes is not seen.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemTrait, ReturnType, Signature, TraitItemFn, Type,
    TypeParamBound, Visibility,
};

use super::Violation;
use crate::source::{docs, has_cfg};
use crate::tree::{Source, Tree};

const RULE: &str = "cancel safety";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (package, source) in tree.sources() {
        if package.published
            && package.inside(&source.path).starts_with("src")
            && let Ok(file) = syn::parse_file(&source.text)
        {
            let mut functions = Functions { source, found: &mut found };
            functions.visit_file(&file);
        }
    }
    found
}

struct Functions<'a> {
    source: &'a Source,
    found: &'a mut Vec<Violation>,
}

impl Functions<'_> {
    fn look_at(&mut self, attributes: &[Attribute], signature: &Signature) {
        let says = docs(attributes).lines().any(|line| line == "# Cancel safety");
        if (signature.asyncness.is_some() || returns_future(&signature.output)) && !says {
            let message = format!(
                "`{}` is public and async: say under `# Cancel safety` what is lost when it is dropped",
                signature.ident
            );
            self.found.push(Violation::new(&self.source.path, signature.span().start().line, RULE, message));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !has_cfg(&module.attrs, "test") {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if matches!(function.vis, Visibility::Public(_)) {
            self.look_at(&function.attrs, &function.sig);
        }
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        // An implementation of a trait is documented where the trait is.
        if block.trait_.is_none() {
            visit::visit_item_impl(self, block);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if matches!(function.vis, Visibility::Public(_)) {
            self.look_at(&function.attrs, &function.sig);
        }
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        if matches!(item.vis, Visibility::Public(_)) {
            visit::visit_item_trait(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.look_at(&function.attrs, &function.sig);
    }
}

fn returns_future(output: &ReturnType) -> bool {
    let ReturnType::Type(_, returned) = output else { return false };
    let Type::ImplTrait(opaque) = &**returned else { return false };
    opaque.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == "Future"),
        _ => false,
    })
}
