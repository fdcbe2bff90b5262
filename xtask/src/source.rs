//! What several rules ask of Rust code.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of an item's doc comment, its lines as written.
#[must_use]
pub fn docs(attributes: &[Attribute]) -> String {
    let mut docs = String::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value
        {
            docs.push_str(text.value().trim());
            docs.push('\n');
        }
    }
    docs
}

/// Whether one of the attributes is `cfg` with this word in it: `test`, `doctest`.
#[must_use]
pub fn has_cfg(attributes: &[Attribute], word: &str) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == word,
        _ => false,
    })
}
