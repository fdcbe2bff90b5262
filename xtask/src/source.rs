//! What several rules ask of Rust code.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, Token};

/// The text of an item's doc comment, its lines as written.
#[must_use]
pub fn docs<'a>(attributes: impl IntoIterator<Item = &'a Meta>) -> String {
    let mut docs = String::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = attribute
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value
        {
            docs.push_str(text.value().trim());
            docs.push('\n');
        }
    }
    docs
}

/// Whether one of the attributes is a `cfg` that lets the item stand only where this word does: `test`, `doctest`,
/// also as one of several conditions.
#[must_use]
pub fn has_cfg(attributes: &[Attribute], word: &str) -> bool {
    let cfgs = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    cfgs.filter_map(|cfg| cfg.parse_args::<Meta>().ok()).any(|condition| needs(&condition, word))
}

fn needs(condition: &Meta, word: &str) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident(word),
        Meta::List(list) => {
            let Ok(parts) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
                return false;
            };
            let mut parts_that_need = parts.iter().map(|part| needs(part, word));
            if list.path.is_ident("all") {
                parts_that_need.any(|needs| needs)
            } else {
                list.path.is_ident("any") && !parts.is_empty() && parts_that_need.all(|needs| needs)
            }
        }
        Meta::NameValue(_) => false,
    }
}

/// Modules that stand in a file of their own and exist for tests only, as paths below the file's folder for modules.
pub(crate) fn test_modules(items: &[Item]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for item in items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        match &module.content {
            None if has_cfg(&module.attrs, "test") => found.push(vec![name]),
            None => {}
            Some((_, items)) => {
                let inner = test_modules(items).into_iter();
                found.extend(inner.map(|path| [vec![name.clone()], path].concat()));
            }
        }
    }
    found
}

/// A call as it looks among the tokens of a macro: `module::name(`, or `.name(` for a method.
#[derive(Debug)]
pub(crate) struct TokenCall {
    pub(crate) module: Option<String>,
    pub(crate) name: String,
    pub(crate) is_method: bool,
    pub(crate) line: usize,
}

/// Every call among the tokens, however deep.
pub(crate) fn calls(tokens: TokenStream) -> Vec<TokenCall> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let is_punct = |at: Option<usize>, mark: char| {
        at.and_then(|at| tokens.get(at))
            .is_some_and(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark))
    };
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        found.extend(calls(group.stream()));
        let Some(TokenTree::Ident(name)) = at.checked_sub(1).map(|before| &tokens[before]) else { continue };
        if group.delimiter() != Delimiter::Parenthesis {
            continue;
        }
        let in_module = is_punct(at.checked_sub(2), ':') && is_punct(at.checked_sub(3), ':');
        let module = match at.checked_sub(4).filter(|_| in_module).map(|module| &tokens[module]) {
            Some(TokenTree::Ident(module)) => Some(module.to_string()),
            _ => None,
        };
        found.push(TokenCall {
            module,
            name: name.to_string(),
            is_method: is_punct(at.checked_sub(2), '.'),
            line: name.span().start().line,
        });
    }
    found
}
