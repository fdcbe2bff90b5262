//! What the relay carries in the demo: changes of paths, and the tree that they add up to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A path as git knows it: bytes, not text. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Arc<[u8]>);

/// A file's mode, such as `100644` for a plain file or `160000` for a submodule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(u32);

/// The hexadecimal name of a commit, a blob or a submodule's commit; SHA-1 or SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectId(Arc<str>);

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The kind of file.
    pub mode: Mode,
    /// The blob, or the commit of a submodule.
    pub object: ObjectId,
}

/// All paths of a commit, each with what stands there.
pub type Tree = BTreeMap<RepoPath, Entry>;

/// What a commit did to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The path now holds this.
    Set(Entry),
    /// The path is gone.
    Delete,
}

/// One path changed by one commit: what is delivered. Its ordering key is the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same text for the same commit and path, whoever makes it; also the `webhook-id`.
    pub id: String,
    /// The commit that changed the path.
    pub commit: ObjectId,
    /// The path, which is the ordering key.
    pub path: RepoPath,
    /// The place among the events of this path, 1 for the first. A receiver finds gaps and steps back by it.
    pub sequence: u64,
    /// What happened.
    pub change: Change,
}

/// A text that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no {wanted}")]
pub struct ParseTextError {
    text: String,
    wanted: &'static str,
}

impl Event {
    /// An event whose id follows from its commit and path.
    #[must_use]
    pub fn new(commit: ObjectId, path: RepoPath, sequence: u64, change: Change) -> Self {
        Self { id: event_id(&commit, &path), commit, path, sequence, change }
    }
}

/// A path may be long and no text at all, and an id travels in a header: so it is a hash of both parts.
fn event_id(commit: &ObjectId, path: &RepoPath) -> String {
    let mut hash = Sha256::new();
    hash.update(commit.as_str());
    hash.update([0]);
    hash.update(path.as_bytes());
    format!("evt_{}", hex::encode(&hash.finalize()[..16]))
}

impl RepoPath {
    /// The path with these bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes as git has them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for RepoPath {
    /// Writes plain text as it is and everything else quoted, so that different paths never read the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(&self.0) {
            Ok(text) if !text.starts_with('"') && !text.chars().any(char::is_control) => f.write_str(text),
            _ => write!(f, "\"{}\"", self.0.escape_ascii()),
        }
    }
}

/// A path on the wire: a text where it is one, otherwise `{"base64": …}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "a path is a text, or an object with the one field `base64`")]
pub enum WirePath {
    /// The path itself.
    Text(String),
    /// The bytes of a path that is no text.
    Bytes(Base64Path),
}

/// The bytes of a path that is no text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base64Path {
    base64: String,
}

impl From<&RepoPath> for WirePath {
    fn from(path: &RepoPath) -> Self {
        match std::str::from_utf8(path.as_bytes()) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(Base64Path { base64: STANDARD.encode(path.as_bytes()) }),
        }
    }
}

impl TryFrom<WirePath> for RepoPath {
    type Error = ParseTextError;

    fn try_from(wire: WirePath) -> Result<Self, ParseTextError> {
        let bytes = match wire {
            WirePath::Text(text) => text.into_bytes(),
            WirePath::Bytes(Base64Path { base64: text }) => {
                STANDARD.decode(&text).map_err(|_| ParseTextError { text, wanted: "base64" })?
            }
        };
        if bytes.is_empty() {
            return Err(ParseTextError { text: String::new(), wanted: "path" });
        }
        Ok(Self::new(&bytes))
    }
}

impl Mode {
    /// Reads the octal digits that git writes.
    ///
    /// # Errors
    /// When the text is not six octal digits.
    pub fn parse(text: &str) -> Result<Self, ParseTextError> {
        let is_octal = text.len() == 6 && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let bits = u32::from_str_radix(text, 8).ok().filter(|_| is_octal);
        bits.map(Self).ok_or_else(|| ParseTextError { text: text.to_owned(), wanted: "file mode" })
    }

    /// Whether this is the mode that git writes for a path that is not there.
    #[must_use]
    pub fn is_absent(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06o}", self.0)
    }
}

impl ObjectId {
    /// Reads a full object name.
    ///
    /// # Errors
    /// When the text is not 40 or 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, ParseTextError> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && matches!(text.len(), 40 | 64) {
            Ok(Self(text.into()))
        } else {
            Err(ParseTextError { text: text.to_owned(), wanted: "object name" })
        }
    }

    /// All digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first ten digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl Entry {
    /// Reads both parts.
    ///
    /// # Errors
    /// When one of them is not what it should be, or the mode is that of an absent path.
    pub fn parse(mode: &str, object: &str) -> Result<Self, ParseTextError> {
        let entry = Self { mode: Mode::parse(mode)?, object: ObjectId::parse(object)? };
        if entry.mode.is_absent() {
            return Err(ParseTextError { text: mode.to_owned(), wanted: "mode of something that exists" });
        }
        Ok(entry)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mode, self.object.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_the_wire_whatever_their_bytes() {
        for bytes in
            [&b"src/lib.rs"[..], b"-dash", b"tab\there\nand there", b"\"quoted\"", b"caf\xe9", b"\xff"]
        {
            let path = RepoPath::new(bytes);
            let wire = serde_json::to_string(&WirePath::from(&path)).unwrap();
            let back: WirePath = serde_json::from_str(&wire).unwrap();
            assert_eq!(RepoPath::try_from(back).unwrap(), path);
        }
    }

    #[test]
    fn a_path_that_is_empty_or_of_another_form_is_refused() {
        for wire in [r#""""#, r#"{"base64":""}"#, r#"{"base64":"?"}"#] {
            let wire: WirePath = serde_json::from_str(wire).unwrap();
            assert!(RepoPath::try_from(wire).is_err());
        }
        for wire in ["1", "{}", r#"{"base64":"YQ==","text":"a"}"#] {
            let error = serde_json::from_str::<WirePath>(wire).unwrap_err();
            assert!(error.to_string().contains("a path is a text"), "{error}");
        }
    }

    #[test]
    fn odd_paths_are_quoted_and_stay_different() {
        assert_eq!(RepoPath::new(b"a b").to_string(), "a b");
        assert_eq!(RepoPath::new(b"a\nb").to_string(), r#""a\nb""#);
        assert_eq!(RepoPath::new(b"caf\xe9").to_string(), r#""caf\xe9""#);
        assert_ne!(RepoPath::new(br#""a\nb""#).to_string(), RepoPath::new(b"a\nb").to_string());
    }

    #[test]
    fn ids_differ_by_commit_and_by_path() {
        let commit = |digit: &str| ObjectId::parse(&digit.repeat(40)).unwrap();
        let id = |digit: &str, path: &[u8]| event_id(&commit(digit), &RepoPath::new(path));
        assert_eq!(id("a", b"x"), id("a", b"x"));
        assert_ne!(id("a", b"x"), id("b", b"x"));
        assert_ne!(id("a", b"x"), id("a", b"y"));
    }

    #[test]
    fn modes_and_names_are_checked() {
        assert_eq!(Mode::parse("100644").unwrap().to_string(), "100644");
        assert!(
            Mode::parse("10064").is_err() && Mode::parse("+00644").is_err() && Mode::parse("100648").is_err()
        );
        assert!(ObjectId::parse(&"a".repeat(64)).is_ok());
        assert!(ObjectId::parse(&"a".repeat(41)).is_err() && ObjectId::parse(&"G".repeat(40)).is_err());
        assert_eq!(
            Entry::parse("000000", &"0".repeat(40)).unwrap_err().to_string(),
            "`000000` is no mode of something that exists"
        );
    }
}
