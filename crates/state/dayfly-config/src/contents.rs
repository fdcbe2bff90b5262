//! What stands in the files now, read up to a bound, and its fingerprint.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use crate::sources::FileSource;

/// What one file says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Content {
    Bytes(Arc<[u8]>),
    Missing,
    /// It is there and cannot be read, and why.
    Unreadable(String),
}

/// What all files say, in the order of the sources.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Contents(pub(crate) Vec<Content>);

/// Tells contents from each other without keeping them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) u64);

/// The seam through which files are read, so that tests can put their own in.
pub(crate) trait Files: Send + 'static {
    fn read(&mut self, path: &Path, max_size: u64) -> Content;
}

/// The file system.
#[derive(Debug)]
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&mut self, path: &Path, max_size: u64) -> Content {
        match read(path, max_size) {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => Content::Missing,
            Err(error) => Content::Unreadable(format!("cannot be read: {error}")),
        }
    }
}

fn read(path: &Path, max_size: u64) -> std::io::Result<Content> {
    // Opening a pipe would wait for who writes into it.
    let kind = std::fs::metadata(path)?;
    if !kind.is_file() {
        let what = if kind.is_dir() { "is a directory" } else { "is no regular file" };
        return Ok(Content::Unreadable(what.to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max_size.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_size {
        return Ok(Content::Unreadable(format!("is larger than {max_size} bytes")));
    }
    Ok(Content::Bytes(bytes.into()))
}

/// Reads every file of the sources.
pub(crate) fn read_all(files: &mut dyn Files, sources: &[FileSource], max_size: u64) -> Contents {
    Contents(sources.iter().map(|source| files.read(&source.path, max_size)).collect())
}

/// Takes fingerprints under a key of its own, so that nobody can make two contents with the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fingerprints(RandomState);

impl Fingerprints {
    pub(crate) fn of(&self, contents: &Contents) -> Fingerprint {
        Fingerprint(self.0.hash_one(contents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound_and_not_a_byte_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(Disk.read(&path, 5), Content::Bytes(Arc::from(*b"12345")));
        assert_eq!(Disk.read(&path, 4), Content::Unreadable("is larger than 4 bytes".into()));
        assert_eq!(Disk.read(&path, u64::MAX), Content::Bytes(Arc::from(*b"12345")));
        assert_eq!(Disk.read(folder.path(), 5), Content::Unreadable("is a directory".into()));
        assert_eq!(Disk.read(&folder.path().join("b.toml"), 5), Content::Missing);
    }

    #[test]
    fn contents_differ_by_what_stands_where() {
        let prints = Fingerprints::default();
        let bytes = |text: &str| Content::Bytes(Arc::from(text.as_bytes()));
        let of = |contents: &[Content]| prints.of(&Contents(contents.to_vec()));
        assert_eq!(of(&[bytes("a"), bytes("b")]), of(&[bytes("a"), bytes("b")]));
        assert_ne!(of(&[bytes("a"), bytes("b")]), of(&[bytes("ab"), bytes("")]));
        assert_ne!(of(&[bytes("a"), bytes("b")]), of(&[bytes("b"), bytes("a")]));
        assert_ne!(of(&[bytes("")]), of(&[Content::Missing]));
    }
}
