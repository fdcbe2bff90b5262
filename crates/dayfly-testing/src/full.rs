//! Long proofs have a quick form, which is part of every `cargo test`, and a full one.

use std::ffi::OsStr;

/// What is set to run the full form of long proofs.
const FULL: &str = "DAYFLY_FULL";

/// What is set to run proofs that go round by round for so many rounds.
const ROUNDS: &str = "DAYFLY_ROUNDS";

/// How often a proof tries something: so often in every run, so often in the full form, `DAYFLY_FULL=1`.
pub fn times<N>(quick: N, full: N) -> N {
    if is_full(std::env::var_os(FULL).as_deref()) { full } else { quick }
}

/// The same for what goes round by round, where `DAYFLY_ROUNDS=300` asks for so many.
///
/// # Panics
/// When that is no number.
#[must_use]
pub fn rounds(quick: usize, full: usize) -> usize {
    let Some(asked) = std::env::var_os(ROUNDS) else { return times(quick, full) };
    let asked = asked.to_str().and_then(|asked| asked.parse().ok());
    asked.unwrap_or_else(|| panic!("{ROUNDS} must be a number"))
}

fn is_full(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_form_has_to_be_asked_for() {
        for (value, full) in [(None, false), (Some(""), false), (Some("0"), false), (Some("1"), true)] {
            assert_eq!(is_full(value.map(OsStr::new)), full, "{value:?}");
        }
    }
}
