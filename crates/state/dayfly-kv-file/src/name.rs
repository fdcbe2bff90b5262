//! The names of files: reversible, inside of their folder, the same on every file system.
//!
//! Lowercase letters, digits, `_` and `-` stand for themselves; every other byte is written `%` and two hexadecimal
//! digits. So no name has a dot, a slash or a capital letter of its own, and two keys never have names that a file system
//! takes for one. What gets too long ends with the SHA-256 of the whole text, and the file has the text inside.

use std::fmt::Write;

use dayfly_kv::Key;
use sha2::{Digest, Sha256};

/// The longest name that is written out. With the suffix it stays below 143 bytes, the least that is in use.
const LONGEST: usize = 128;

/// How much of a name that is too long is shown before its digest.
const SHOWN: usize = 63;

/// What a name means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// This key.
    Key(Key),
    /// A key that stands in the file.
    Inside,
    /// Nothing that was written here.
    Foreign,
}

/// The name of this text.
pub(crate) fn of(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            // What begins with a dash is taken for an option by people's tools.
            b'-' if at == 0 => escape(&mut name, byte),
            _ if at == 0 && is_device(text) => escape(&mut name, byte),
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            _ => escape(&mut name, byte),
        }
    }
    if name.len() > LONGEST {
        name.truncate(SHOWN);
        name.push('~');
        for byte in Sha256::digest(text.as_bytes()) {
            hex(&mut name, byte);
        }
    }
    name
}

/// What the name of an entry's file means. Of all ways to write a key, only the one of [`of`] is its name.
pub(crate) fn meaning(name: &str) -> Meaning {
    if let Some((shown, digest)) = name.split_once('~') {
        let is_hex = digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_ours = shown.len() == SHOWN && digest.len() == 64 && is_hex;
        return if is_ours { Meaning::Inside } else { Meaning::Foreign };
    }
    let key = decoded(name).and_then(|text| Key::new(text).ok());
    key.filter(|key| of(key.as_str()) == name).map_or(Meaning::Foreign, Meaning::Key)
}

/// The key that a name stands for, unless that one is in the file only.
pub(crate) fn key(name: &str) -> Option<Key> {
    match meaning(name) {
        Meaning::Key(key) => Some(key),
        Meaning::Inside | Meaning::Foreign => None,
    }
}

fn escape(name: &mut String, byte: u8) {
    name.push('%');
    hex(name, byte);
}

fn hex(name: &mut String, byte: u8) {
    // Writing to a text cannot fail.
    let _ = write!(name, "{byte:02x}");
}

/// Windows opens a device instead of a file of this name, whatever its suffix. Capital letters are escaped anyway.
fn is_device(text: &str) -> bool {
    match text.as_bytes() {
        [name @ .., b'0'..=b'9'] => matches!(name, b"com" | b"lpt"),
        name => matches!(name, b"con" | b"prn" | b"aux" | b"nul"),
    }
}

fn decoded(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_plain_is_shown_as_it_is() {
        assert_eq!(of("order-17_b"), "order-17_b");
        assert_eq!(of("../../x"), "%2e%2e%2f%2e%2e%2fx");
        assert_eq!(of("CON"), "%43%4f%4e");
        assert_eq!(of("con"), "%63on");
        assert_eq!(of("console"), "console");
        assert_eq!(of("-rf"), "%2drf");
    }

    #[test]
    fn another_way_to_write_a_text_is_foreign() {
        for name in
            ["A", "%61", "%2E", "%2", "%", "%zz", "%ff", "a.b", "", "con", "-rf", "~", "a~b", "%+1", "%00"]
        {
            assert_eq!(meaning(name), Meaning::Foreign, "{name}");
        }
        assert_eq!(meaning(&of(&"K".repeat(512))), Meaning::Inside);
    }

    #[test]
    fn names_that_are_too_long_differ_in_their_digest() {
        let (one, other) = (of(&"k".repeat(512)), of(&"k".repeat(511)));
        assert_eq!(one.len(), LONGEST);
        assert_ne!(one, other);
        assert_eq!(of(&"k".repeat(128)), "k".repeat(128));
    }

    proptest! {
        #[test]
        fn every_name_comes_back_and_is_plain_ascii(text in "\\PC{1,40}") {
            let name = of(&text);
            prop_assert!(name.len() <= LONGEST);
            prop_assert!(name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'%' | b'~')));
            prop_assert!(!name.starts_with('-'));
            match meaning(&name) {
                Meaning::Key(found) => prop_assert_eq!(found.as_str(), text),
                Meaning::Inside => prop_assert!(text.len() * 3 > LONGEST),
                Meaning::Foreign => prop_assert!(false, "{} is foreign", name),
            }
        }

        #[test]
        fn no_name_makes_it_panic(name in ".{0,200}") {
            meaning(&name);
        }
    }
}
