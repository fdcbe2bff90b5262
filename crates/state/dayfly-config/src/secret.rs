//! Values that nobody prints.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use dayfly_signal::PatternSet;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::key;

/// What stands in the place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// The name under which a secret makes itself known to who reads it.
pub(crate) const MARK: &str = "$dayfly_config::Secret";

/// A value that prints as `***` in `Debug`, `Display` and `Serialize`, and in every report and error of this crate.
///
/// ```
/// use dayfly_config::Secret;
///
/// let token = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{token} {token:?}"), "*** ***");
/// assert_eq!(token.expose(), "hunter2");
/// ```
///
/// Its memory is not wiped, and comparing takes as long as the two are equal: it keeps values out of logs, not out of a
/// debugger.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides the value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for who has to use it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, for good.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

thread_local! {
    /// Whether this thread takes the values of defaults, secrets as they are.
    static TAKING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `take` with secrets that serialize as what they are: defaults would become `***` otherwise.
pub(crate) fn exposed<R>(take: impl FnOnce() -> R) -> R {
    struct Ends(bool);
    impl Drop for Ends {
        fn drop(&mut self) {
            TAKING.set(self.0);
        }
    }
    let _ends = Ends(TAKING.replace(true));
    take()
}

impl<T: Serialize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        if TAKING.get() { self.0.serialize(output) } else { output.serialize_str(HIDDEN) }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_newtype_struct(MARK, Inner(PhantomData))
    }
}

struct Inner<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Inner<T> {
    type Value = Secret<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, input: D) -> Result<Secret<T>, D::Error> {
        T::deserialize(input).map(Secret)
    }
}

/// Names that give a secret away, alone or after an underscore, whatever the program says.
const TELLING: [&str; 7] =
    ["password", "passphrase", "secret", "token", "api_key", "private_key", "credentials"];

/// Whether the key is one of those that the program named, or tells by its name that it is secret.
pub(crate) fn is_named_secret(named: &PatternSet, key: &str) -> bool {
    let name = key::name(key).to_ascii_lowercase().replace('-', "_");
    let tells =
        |word: &str| name.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'));
    named.matches(key) || TELLING.into_iter().any(tells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_stars_in_every_form() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "*** *** ***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        assert_eq!(exposed(|| serde_json::to_string(&secret).unwrap()), "\"hunter2\"");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"", "and afterwards hides it again");
        assert_eq!(serde_json::from_str::<Secret<u16>>("7").unwrap().into_exposed(), 7);
    }

    #[test]
    fn names_tell_and_patterns_say_what_is_secret() {
        let named = PatternSet::from("bank.*");
        let is_secret = |key| is_named_secret(&named, key);
        assert!(is_secret("bank.anything") && is_secret("db.password") && is_secret("API-Key"));
        assert!(is_secret("mail.smtp_password"));
        assert!(!is_secret("max_tokens") && !is_secret("secretary") && !is_secret("tokenizer"));
    }
}
