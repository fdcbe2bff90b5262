//! Every public async function of a published crate says what is lost when its future is dropped.
//!
//! Functions that return a future (`impl Future`, `BoxFuture`, `Pin<Box<dyn Future>>`) count too, and so does every
//! `pub async fn` among the tokens of a macro. A public type that is a future by itself says it in its own docs, when it
//! is one in the file that defines it.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, GenericArgument, ImplItemFn, Item, ItemFn, ItemImpl, ItemMod, ItemTrait, Macro, Meta,
    PathArguments, ReturnType, Signature, TraitItemFn, Type, TypeParamBound, Visibility,
};

use super::Violation;
use crate::source::{docs, has_cfg};
use crate::tree::{Source, Tree};

const RULE: &str = "cancel safety";
const SECTION: &str = "# Cancel safety";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (package, source) in tree.sources() {
        let is_public = package.published && package.inside(&source.path).starts_with("src");
        if let Ok(file) = &source.syntax
            && is_public
            && !source.is_test
        {
            let mut functions = Functions { source, found: &mut found };
            functions.visit_file(file);
            functions.look_at_types(&file.items);
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
        let is_future = signature.asyncness.is_some() || returns_future(&signature.output);
        let says = says_what_is_lost(&docs(attributes.iter().map(|attribute| &attribute.meta)));
        if is_future && !says && !has_cfg(attributes, "test") {
            self.report(&signature.ident.to_string(), signature.span().start().line);
        }
    }

    /// Looks for types with an `impl Future`, and for the docs of each.
    fn look_at_types(&mut self, items: &[Item]) {
        let futures: Vec<String> = items.iter().filter_map(future_type).collect();
        for item in items {
            let (attributes, visibility, name) = match item {
                Item::Struct(item) => (&item.attrs, &item.vis, &item.ident),
                Item::Enum(item) => (&item.attrs, &item.vis, &item.ident),
                _ => continue,
            };
            let says = says_what_is_lost(&docs(attributes.iter().map(|attribute| &attribute.meta)));
            let is_public = matches!(visibility, Visibility::Public(_)) && !has_cfg(attributes, "test");
            if is_public && !says && futures.iter().any(|future| name == future) {
                self.report(&name.to_string(), name.span().start().line);
            }
        }
    }

    fn report(&mut self, name: &str, line: usize) {
        let message =
            format!("`{name}` is public and async: say under `{SECTION}` what is lost when it is dropped");
        self.found.push(Violation::new(&self.source.path, line, RULE, message));
    }

    /// Looks for `pub async fn` among the tokens of a macro, and for the docs before it.
    fn look_through(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is =
            |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(ident)) if ident == word);
        for at in 0..tokens.len() {
            if let TokenTree::Group(group) = &tokens[at] {
                self.look_through(group.stream());
            }
            let function = at + 2 + usize::from(is(at + 2, "unsafe"));
            if is(at, "pub") && is(at + 1, "async") && is(function, "fn") && !says_before(&tokens[..at]) {
                // A name that the macro is given is written `$name`.
                let mut after = tokens[function + 1..].iter().take(2);
                let name = after.find(|token| matches!(token, TokenTree::Ident(_)));
                let name = name.map_or_else(String::new, ToString::to_string);
                self.report(&name, tokens[at].span().start().line);
            }
        }
    }
}

/// Whether the attributes that end these tokens say it, or come from the macro's caller, whose docs are not seen here.
fn says_before(tokens: &[TokenTree]) -> bool {
    let mut metas = Vec::new();
    let mut rest = tokens;
    while let [before @ .., TokenTree::Punct(mark), TokenTree::Group(group)] = rest
        && mark.as_char() == '#'
    {
        let Ok(meta) = syn::parse2::<Meta>(group.stream()) else { return true };
        metas.push(meta);
        rest = before;
    }
    if let [.., TokenTree::Punct(dollar), TokenTree::Group(_), TokenTree::Punct(_)] = rest
        && dollar.as_char() == '$'
    {
        return true;
    }
    says_what_is_lost(&docs(metas.iter().rev()))
}

/// Whether there is such a section, and something in it.
fn says_what_is_lost(docs: &str) -> bool {
    let mut section = docs.lines().skip_while(|line| *line != SECTION).skip(1);
    section.find(|line| !line.is_empty()).is_some_and(|line| !line.starts_with("# "))
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
        if block.trait_.is_none() && !has_cfg(&block.attrs, "test") {
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

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.look_through(call.tokens.clone());
    }
}

/// The name of the type that this makes a future, if that is what it does.
fn future_type(item: &Item) -> Option<String> {
    let Item::Impl(ItemImpl { trait_: Some((_, future, _)), self_ty, .. }) = item else { return None };
    let is_future =
        future.segments.last().is_some_and(|last| last.ident == "Future" || last.ident == "IntoFuture");
    match &**self_ty {
        Type::Path(named) if is_future => named.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    }
}

fn returns_future(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, returned) if is_future(returned))
}

fn is_future(returned: &Type) -> bool {
    match returned {
        Type::ImplTrait(opaque) => opaque.bounds.iter().any(bounds_future),
        Type::TraitObject(object) => object.bounds.iter().any(bounds_future),
        Type::Path(named) => named.path.segments.last().is_some_and(|last| {
            let inner = match &last.arguments {
                PathArguments::AngleBracketed(inner) => Some(&inner.args),
                _ => None,
            };
            let mut inner = inner.into_iter().flatten();
            let boxes = last.ident == "Pin" || last.ident == "Box";
            last.ident == "BoxFuture"
                || last.ident == "LocalBoxFuture"
                || (boxes
                    && inner
                        .any(|argument| matches!(argument, GenericArgument::Type(inner) if is_future(inner))))
        }),
        _ => false,
    }
}

fn bounds_future(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.last().is_some_and(|last| last.ident == "Future" || last.ident == "IntoFuture")
}
