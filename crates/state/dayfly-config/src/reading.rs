//! Reading a type from the merged values: the first wrong value is named with its key and where it stands.

use std::cell::RefCell;
use std::collections::BTreeSet;

use dayfly_signal::PatternSet;
use figment::value::{Num, Value};
use serde::de::DeserializeOwned;

use crate::contain::contain;
use crate::effective::Effective;
use crate::key;
use crate::layer::for_each_value;
use crate::problem::Problem;
use crate::secret::{HIDDEN, is_named_secret};

mod node;
mod wrong;

/// What reading has found out about keys, besides the value.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Keys whose type is a secret.
    secrets: BTreeSet<String>,
    /// Keys that the type has no use for.
    pub(crate) ignored: BTreeSet<String>,
}

/// What a reading of the values shares.
struct Walk<'a> {
    effective: &'a Effective,
    marks: RefCell<Marks>,
}

/// Reads a value, as code of the type itself does, which may panic. `named` are the keys that the program calls secret.
pub(crate) fn read<T: DeserializeOwned>(
    effective: &Effective,
    named: &PatternSet,
) -> (Result<T, Problem>, Marks) {
    let walk = Walk { effective, marks: RefCell::default() };
    let read = contain(|| T::deserialize(node::Node::root(&walk)));
    let marks = walk.marks.into_inner();
    let read = match read {
        Ok(read) => read.map_err(|wrong| wrong.into_problem(effective, named, &marks)),
        Err(panic) => {
            let message = without_secrets(format!("reading it {panic}"), effective, named, &marks);
            Err(Problem::new(message))
        }
    };
    (read, marks)
}

/// Whether nobody may see what stands there.
pub(crate) fn is_secret(key: &str, named: &PatternSet, marks: &Marks) -> bool {
    let mut key = Some(key);
    while let Some(one) = key.filter(|key| !key.is_empty()) {
        if marks.secrets.contains(one) || is_named_secret(named, one) {
            return true;
        }
        key = key::parent(one);
    }
    false
}

/// A text that others made, without the secrets that it may have been made of.
pub(crate) fn without_secrets(
    mut text: String,
    effective: &Effective,
    named: &PatternSet,
    marks: &Marks,
) -> String {
    // What is shorter is in too many words to be told from them.
    const TELLING: usize = 4;
    let mut forms = Vec::new();
    for_each_value(&effective.root, "", &mut |key, value| {
        let before = forms.len();
        match value {
            Value::String(_, secret) => forms.extend(forms_of(secret)),
            Value::Num(_, number) => forms.push(number_text(*number)),
            _ => {}
        }
        // Most are in no message, so what their keys say is not asked for.
        if !(forms[before..].iter().any(|form| text.contains(form)) && is_secret(key, named, marks)) {
            forms.truncate(before);
        }
    });
    forms.retain(|form| form.len() >= TELLING);
    // The longest first: what is a part of another one would leave the rest of it.
    forms.sort_unstable_by_key(|form| std::cmp::Reverse(form.len()));
    for form in forms {
        text = text.replace(&form, HIDDEN);
    }
    text
}

/// How a text may stand in a message: as it is, with escapes, as `Debug` and JSON have it, and each of them cut off, as
/// messages of this crate have it.
fn forms_of(secret: &str) -> Vec<String> {
    let debug = format!("{secret:?}");
    let json = serde_json::Value::from(secret).to_string();
    let cut = wrong::shortened(secret);
    let debug_cut = format!("{cut:?}");
    let inner = |quoted: &str| quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let mut forms = vec![secret.to_owned(), inner(&debug), inner(&json), inner(&debug_cut), cut];
    forms.dedup();
    forms
}

/// A whole number of whatever kind; figment converts each kind only to its own sign.
pub(crate) fn whole(number: Num) -> Option<i128> {
    number.to_i128().or_else(|| number.to_u128().and_then(|number| number.try_into().ok()))
}

pub(crate) fn number_text(number: Num) -> String {
    if let Some(number) = whole(number) {
        return number.to_string();
    }
    match number {
        Num::U128(number) => number.to_string(),
        Num::F32(number) => number.to_string(),
        Num::F64(number) => number.to_string(),
        _ => String::new(),
    }
}
