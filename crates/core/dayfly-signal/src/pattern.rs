//! Which names are meant: one pattern with `*` and `?`, or a set of them.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

#[cfg(feature = "serde")]
mod form;

/// A pattern over signal names: `*` stands for any run of characters, dots included, `?` for exactly one
/// character; everything else is literal and case counts.
///
/// Every text is a pattern, so nothing here can fail. Patterns see names only, never payloads or keys.
///
/// ```
/// use dayfly_signal::SignalPattern;
///
/// assert!(SignalPattern::new("error.*").matches("error.database.timeout"));
/// assert!(SignalPattern::new("*.timeout").matches("error.database.timeout"));
/// assert!(!SignalPattern::new("h?lo").matches("heello"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignalPattern {
    text: Arc<str>,
}

impl SignalPattern {
    /// The pattern with this text, taken as it is: nothing is trimmed and nothing can be escaped.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into() }
    }

    /// Whether this pattern means `name`. Costs at most the product of both lengths, usually their sum.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        glob(&self.text, name)
    }

    /// The text that the pattern was made from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Greedy matching with one place to come back to: the newest `*` is the only one that may have to take more.
fn glob(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    let mut retry = None;
    loop {
        let (before, wanted) = (name.clone(), pattern.next());
        match (wanted, name.next()) {
            (Some('*'), _) => {
                name = before;
                retry = Some((pattern.clone(), name.clone()));
            }
            (None, None) => return true,
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => {
                let Some((after_star, taken)) = &mut retry else { return false };
                if taken.next().is_none() {
                    return false;
                }
                (pattern, name) = (after_star.clone(), taken.clone());
            }
        }
    }
}

impl fmt::Display for SignalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for SignalPattern {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for SignalPattern {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl FromStr for SignalPattern {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

/// Several patterns; a name is meant when any of them means it. An empty set means nothing.
///
/// A text is taken apart at its commas, each part is trimmed and blank parts are ignored. Each text of several is a pattern
/// of its own, trimmed and ignored in the same way:
///
/// ```
/// use dayfly_signal::PatternSet;
///
/// let busy = PatternSet::from("backpressure.*, , load.high ");
/// assert!(busy.matches("backpressure.disk") && busy.matches("load.high"));
/// assert!(!PatternSet::new().matches("anything"));
/// ```
///
/// A [`SignalPattern`] becomes a set of one as it stands, commas and blanks included.
///
/// With the feature `serde`, configuration writes a set as such a text, or as a list in which every text is a
/// [`SignalPattern`] and so is taken as it stands:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use dayfly_signal::PatternSet;
/// let text: PatternSet = serde_json::from_str(r#""backpressure.*, load.high""#).unwrap();
/// let list: PatternSet = serde_json::from_str(r#"["backpressure.*", "load.high"]"#).unwrap();
/// assert_eq!(text, list);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternSet {
    patterns: Vec<SignalPattern>,
}

impl PatternSet {
    /// The empty set, which means nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { patterns: Vec::new() }
    }

    /// This set together with `more`.
    #[must_use]
    pub fn and(mut self, more: impl Into<Self>) -> Self {
        self.patterns.extend(more.into().patterns);
        self
    }

    /// Whether any pattern of the set means `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether the set holds no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &SignalPattern> {
        self.patterns.iter()
    }
}

impl From<&str> for PatternSet {
    fn from(text: &str) -> Self {
        text.split(',').collect()
    }
}

impl From<&String> for PatternSet {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for PatternSet {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<SignalPattern> for PatternSet {
    fn from(pattern: SignalPattern) -> Self {
        Self { patterns: vec![pattern] }
    }
}

impl From<&SignalPattern> for PatternSet {
    fn from(pattern: &SignalPattern) -> Self {
        pattern.clone().into()
    }
}

impl From<&PatternSet> for PatternSet {
    fn from(set: &PatternSet) -> Self {
        set.clone()
    }
}

/// What one text of several means; nothing when it is blank.
fn one_of_several(text: &str) -> Option<SignalPattern> {
    let text = text.trim();
    (!text.is_empty()).then(|| SignalPattern::new(text))
}

impl<'a> FromIterator<&'a str> for PatternSet {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        texts.into_iter().filter_map(one_of_several).collect()
    }
}

impl FromIterator<String> for PatternSet {
    fn from_iter<I: IntoIterator<Item = String>>(texts: I) -> Self {
        texts.into_iter().filter_map(|text| one_of_several(&text)).collect()
    }
}

impl FromIterator<SignalPattern> for PatternSet {
    fn from_iter<I: IntoIterator<Item = SignalPattern>>(patterns: I) -> Self {
        Self { patterns: patterns.into_iter().collect() }
    }
}

impl<T, const N: usize> From<[T; N]> for PatternSet
where
    Self: FromIterator<T>,
{
    fn from(each: [T; N]) -> Self {
        each.into_iter().collect()
    }
}

impl<T> From<Vec<T>> for PatternSet
where
    Self: FromIterator<T>,
{
    fn from(each: Vec<T>) -> Self {
        each.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition of the pattern language, written to be read rather than to be fast.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                naive(rest, name) || name.split_first().is_some_and(|(_, tail)| naive(pattern, tail))
            }
            (Some(('?', rest)), Some((_, tail))) => naive(rest, tail),
            (Some((wanted, rest)), Some((found, tail))) => wanted == found && naive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn agrees_with_the_definition(pattern in "[ab.é*?]{0,8}", name in "[ab.é]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(glob(&pattern, &name), naive(&chars(&pattern), &chars(&name)));
        }
    }

    #[test]
    fn case_and_brackets_are_literal() {
        assert!(!SignalPattern::new("Error.*").matches("error.disk"));
        assert!(SignalPattern::new("[a]\\{b}").matches("[a]\\{b}"));
        assert!(!SignalPattern::new("[a]").matches("a"));
    }

    #[test]
    fn a_set_trims_and_ignores_blanks() {
        let set = PatternSet::from(" a.* ,,  ,b");
        assert_eq!(set.iter().map(SignalPattern::as_str).collect::<Vec<_>>(), ["a.*", "b"]);
        assert!(PatternSet::from(" , ").is_empty());
    }
}
