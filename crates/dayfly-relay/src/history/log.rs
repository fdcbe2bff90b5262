//! Reads what `git log --raw -z` and `git ls-tree -r -z` write: bytes, ended by NUL.
//!
//! The log is a run of tokens. A commit's name stands alone; each change is one token of modes and objects that
//! begins with a colon, followed by one token that is the path, whatever its bytes are. Between a commit and its
//! first change git puts a newline.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};

use crate::event::{Change, Entry, Event, Mode, ObjectId, RepoPath, Tree};

/// Longer than any path that a file system takes. What is longer is no answer of git's.
const LONGEST_TOKEN: u64 = 1024 * 1024;

/// All changes in the order of the log.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) commits: u64,
    pub(super) events: Vec<Event>,
    /// Of each path, how often it has changed and which commit was the last to do so.
    paths: HashMap<RepoPath, (u64, ObjectId)>,
}

/// What the next token has to be.
enum Next {
    CommitOrChange,
    PathOf(Change),
}

impl Log {
    /// Reads a log as it arrives; only the events are kept.
    pub(super) fn read(bytes: &mut impl BufRead) -> io::Result<Self> {
        let mut log = Self::default();
        let mut commit = None;
        let mut next = Next::CommitOrChange;
        while let Some(token) = token(bytes)? {
            next = match next {
                Next::PathOf(change) => {
                    let commit: &ObjectId =
                        commit.as_ref().ok_or_else(|| wrong("a path: there is no commit yet", &token))?;
                    if !log.push(commit.clone(), RepoPath::new(&token), change) {
                        return Err(wrong("a path that this commit has not changed already", &token));
                    }
                    Next::CommitOrChange
                }
                Next::CommitOrChange => match token.strip_prefix(b"\n").unwrap_or(&token) {
                    [b':', change @ ..] => Next::PathOf(parse_change(change)?),
                    name => {
                        let parsed = text(name).and_then(|name| ObjectId::parse(name).ok());
                        commit = Some(parsed.ok_or_else(|| wrong("a commit", &token))?);
                        log.commits += 1;
                        Next::CommitOrChange
                    }
                },
            };
        }
        match next {
            Next::CommitOrChange => Ok(log),
            Next::PathOf(_) => Err(wrong("a path", b"")),
        }
    }

    /// Adds the next change of a path. Says whether it is the first one of this commit, as it has to be.
    pub(super) fn push(&mut self, commit: ObjectId, path: RepoPath, change: Change) -> bool {
        let sequence = match self.paths.get_mut(&path) {
            Some((_, last)) if *last == commit => return false,
            Some((sequence, last)) => {
                *sequence += 1;
                last.clone_from(&commit);
                *sequence
            }
            None => {
                self.paths.insert(path.clone(), (1, commit.clone()));
                1
            }
        };
        self.events.push(Event::new(commit, path, sequence, change));
        true
    }

    /// How many paths there are.
    pub(super) fn paths(&self) -> usize {
        self.paths.len()
    }

    /// How many paths changed more than once: only for these can an order be wrong.
    pub(super) fn paths_changed_again(&self) -> usize {
        self.paths.values().filter(|(sequence, _)| *sequence > 1).count()
    }
}

/// Reads a listing: `mode type object<TAB>path`.
pub(super) fn read_tree(bytes: &mut impl BufRead) -> io::Result<Tree> {
    let mut tree = Tree::new();
    while let Some(token) = token(bytes)? {
        let parse = || {
            let tab = token.iter().position(|&byte| byte == b'\t')?;
            let mut fields = text(&token[..tab])?.split(' ');
            let (mode, _kind, object) = (fields.next()?, fields.next()?, fields.next()?);
            Some((RepoPath::new(&token[tab + 1..]), Entry::parse(mode, object).ok()?))
        };
        let (path, entry) = parse().ok_or_else(|| wrong("a line of a tree", &token))?;
        tree.insert(path, entry);
    }
    Ok(tree)
}

/// Reads `old-mode new-mode old-object new-object status`. The new side says everything.
fn parse_change(token: &[u8]) -> io::Result<Change> {
    let parse = || {
        let mut fields = text(token)?.split(' ');
        let (_, mode, _, object) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        if Mode::parse(mode).ok()?.is_absent() {
            return Some(Change::Delete);
        }
        Entry::parse(mode, object).ok().map(Change::Set)
    };
    parse().ok_or_else(|| wrong("a change", token))
}

fn token(bytes: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut token = Vec::new();
    bytes.by_ref().take(LONGEST_TOKEN).read_until(0, &mut token)?;
    match token.pop() {
        None => Ok(None),
        Some(0) => Ok(Some(token)),
        Some(_) => Err(wrong("anything that ends", &token)),
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn wrong(wanted: &str, token: &[u8]) -> io::Error {
    let shown = token[..token.len().min(80)].escape_ascii();
    io::Error::new(io::ErrorKind::InvalidData, format!("`{shown}` is not {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: &str) -> String {
        digit.repeat(40)
    }

    fn raw(mode: &str, digit: &str) -> String {
        format!(":100644 {mode} {} {} M", commit("e"), commit(digit))
    }

    fn read(tokens: &[&[u8]]) -> io::Result<Log> {
        let bytes: Vec<u8> = tokens.iter().flat_map(|token| [token, &b"\0"[..]].concat()).collect();
        Log::read(&mut bytes.as_slice())
    }

    #[test]
    fn commits_with_and_without_changes_follow_each_other() {
        let (one, two, three) = (commit("a"), commit("b"), commit("c"));
        let set = format!("\n{}", raw("100755", "1"));
        let delete = raw("000000", "0");
        let log = read(&[
            one.as_bytes(),
            set.as_bytes(),
            b"x",
            delete.as_bytes(),
            b"y",
            two.as_bytes(),
            three.as_bytes(),
            set.as_bytes(),
            b"x",
        ])
        .unwrap();
        assert_eq!((log.commits, log.events.len()), (3, 3));
        assert_eq!((log.paths(), log.paths_changed_again()), (2, 1));
        assert_eq!(log.events[0].change, Change::Set(Entry::parse("100755", &commit("1")).unwrap()));
        assert_eq!(log.events[1].change, Change::Delete);
        assert_eq!((log.events[2].sequence, log.events[2].commit.as_str()), (2, three.as_str()));
    }

    #[test]
    fn a_path_may_look_like_anything() {
        let (one, set) = (commit("a"), raw("100644", "1"));
        for path in [&b"\n"[..], b":colon", one.as_bytes(), b"tab\tnewline\n", b"\xff\xfe", set.as_bytes()] {
            let log = read(&[one.as_bytes(), set.as_bytes(), path]).unwrap();
            assert_eq!(log.events[0].path.as_bytes(), path);
        }
    }

    #[test]
    fn what_is_no_log_is_refused_and_named() {
        let (one, set) = (commit("a"), raw("100644", "1"));
        let error = |tokens: &[&[u8]]| read(tokens).unwrap_err().to_string();
        assert_eq!(error(&[b"hello"]), "`hello` is not a commit");
        assert_eq!(error(&[set.as_bytes(), b"x"]), "`x` is not a path: there is no commit yet");
        assert_eq!(error(&[one.as_bytes(), b":1 2 3"]), "`1 2 3` is not a change");
        assert_eq!(error(&[one.as_bytes(), set.as_bytes()]), "`` is not a path");
        assert_eq!(
            Log::read(&mut &b"cut of"[..]).unwrap_err().to_string(),
            "`cut o` is not anything that ends"
        );
    }

    #[test]
    fn a_tree_keeps_submodules_and_odd_paths() {
        let listing = format!("160000 commit {}\tsub\0100644 blob {}\ta\tb\0", commit("a"), commit("b"));
        let tree = read_tree(&mut listing.as_bytes()).unwrap();
        assert_eq!(tree[&RepoPath::new(b"sub")].mode.to_string(), "160000");
        assert!(tree.contains_key(&RepoPath::new(b"a\tb")));
        assert!(read_tree(&mut &b"100644 blob\tx\0"[..]).is_err());
    }
}
