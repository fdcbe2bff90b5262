//! Long proofs have a quick form, which is part of every `cargo test`, and a full one.

use std::ffi::OsStr;

/// What is set to run the full form of long proofs.
const FULL: &str = "DAYFLY_FULL";

/// How often a proof tries something: so often in every run, so often in the full form, `DAYFLY_FULL=1`.
pub fn times<N>(quick: N, full: N) -> N {
    if is_full(std::env::var_os(FULL).as_deref()) { full } else { quick }
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
