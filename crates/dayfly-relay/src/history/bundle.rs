//! The history that ships with the crate: one JSON object per line.
//!
//! The first line says what follows, then come the events, then the tree of HEAD. The tree was recorded from
//! `git ls-tree`, not folded from the events, so it is a truth of its own.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::log::Log;
use crate::event::{Change, Entry, ObjectId, ParseTextError, RepoPath, Tree, WirePath};

const FORMAT: &str = "dayfly-events/1";

/// A recorded history.
#[derive(Debug)]
pub(super) struct Bundle {
    /// Where it was recorded.
    pub(super) source: String,
    pub(super) head: ObjectId,
    pub(super) log: Log,
    pub(super) tree: Tree,
}

/// A file of events that is not what it should be, and the line that is wrong.
#[derive(Debug, Error)]
#[error("line {line}: {problem}")]
pub struct BundleError {
    line: usize,
    problem: Problem,
}

#[derive(Debug, Error)]
enum Problem {
    #[error("the file is empty")]
    Empty,
    #[error("this is not what the line has to be: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the format is `{0}`, and only `{FORMAT}` is understood")]
    Format(String),
    #[error(transparent)]
    Text(#[from] ParseTextError),
    #[error("an event stands after the tree has begun")]
    LateEvent,
    #[error("the same commit changes the path {0} twice")]
    EventTwice(RepoPath),
    #[error("the path {0} stands twice in the tree")]
    PathTwice(RepoPath),
    #[error("the header promises {promised} {what}, and here the file ends with {found}")]
    Count { what: &'static str, promised: u64, found: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    source: String,
    head: String,
    commits: u64,
    events: u64,
    paths_of_head: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Set { commit: String, path: WirePath, mode: String, object: String },
    Delete { commit: String, path: WirePath },
    Head { path: WirePath, mode: String, object: String },
}

impl Bundle {
    pub(super) fn read(text: &str) -> Result<Self, BundleError> {
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let at = |line| move |problem| BundleError { line, problem };

        let (line, first) = lines.next().ok_or(BundleError { line: 1, problem: Problem::Empty })?;
        let header = Header::read(first).map_err(at(line))?;
        let head = ObjectId::parse(&header.head).map_err(|wrong| at(line)(wrong.into()))?;
        let mut bundle = Self { source: header.source.clone(), head, log: Log::default(), tree: Tree::new() };
        bundle.log.commits = header.commits;

        let mut last = line;
        for (line, text) in lines {
            bundle.take(text).map_err(at(line))?;
            last = line;
        }
        header.hold_to_promise(&bundle).map_err(at(last))?;
        Ok(bundle)
    }

    fn take(&mut self, line: &str) -> Result<(), Problem> {
        let (commit, path, change) = match serde_json::from_str(line)? {
            Line::Set { commit, path, mode, object } => {
                (commit, path, Change::Set(Entry::parse(&mode, &object)?))
            }
            Line::Delete { commit, path } => (commit, path, Change::Delete),
            Line::Head { path, mode, object } => {
                let path = RepoPath::try_from(path)?;
                return match self.tree.insert(path.clone(), Entry::parse(&mode, &object)?) {
                    None => Ok(()),
                    Some(_) => Err(Problem::PathTwice(path)),
                };
            }
        };
        if !self.tree.is_empty() {
            return Err(Problem::LateEvent);
        }
        let path = RepoPath::try_from(path)?;
        let is_new = self.log.push(ObjectId::parse(&commit)?, path.clone(), change);
        if is_new { Ok(()) } else { Err(Problem::EventTwice(path)) }
    }

    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let header = Header {
            format: FORMAT.to_owned(),
            source: self.source.clone(),
            head: self.head.as_str().to_owned(),
            commits: self.log.commits,
            events: self.log.events.len() as u64,
            paths_of_head: self.tree.len() as u64,
        };
        write_line(to, &header)?;
        for event in &self.log.events {
            let (commit, path) = (event.commit.as_str().to_owned(), WirePath::from(&event.path));
            let line = match &event.change {
                Change::Set(Entry { mode, object }) => {
                    Line::Set { commit, path, mode: mode.to_string(), object: object.as_str().to_owned() }
                }
                Change::Delete => Line::Delete { commit, path },
            };
            write_line(to, &line)?;
        }
        for (path, Entry { mode, object }) in &self.tree {
            let (mode, object) = (mode.to_string(), object.as_str().to_owned());
            write_line(to, &Line::Head { path: path.into(), mode, object })?;
        }
        to.flush()
    }
}

impl Header {
    fn read(line: &str) -> Result<Self, Problem> {
        let header: Self = serde_json::from_str(line)?;
        if header.format == FORMAT { Ok(header) } else { Err(Problem::Format(header.format)) }
    }

    /// A file that was cut off reads well up to its end; only the counts show it.
    fn hold_to_promise(&self, bundle: &Bundle) -> Result<(), Problem> {
        let events = ("events", self.events, bundle.log.events.len() as u64);
        let paths = ("paths of HEAD", self.paths_of_head, bundle.tree.len() as u64);
        for (what, promised, found) in [events, paths] {
            if promised != found {
                return Err(Problem::Count { what, promised, found });
            }
        }
        Ok(())
    }
}

fn write_line(to: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"format":"dayfly-events/1","source":"a test","head":"HHHH","commits":1,"events":1,"paths_of_head":1}"#;
    const SET: &str = r#"{"set":{"commit":"HHHH","path":"a","mode":"100644","object":"HHHH"}}"#;
    const HEAD: &str = r#"{"head":{"path":{"base64":"/w=="},"mode":"100644","object":"HHHH"}}"#;

    fn read(lines: &[&str]) -> Result<Bundle, BundleError> {
        Bundle::read(&lines.join("\n").replace("HHHH", &"ab".repeat(20)))
    }

    fn error(lines: &[&str]) -> String {
        read(lines).unwrap_err().to_string()
    }

    #[test]
    fn what_was_read_is_written_the_same() {
        let bundle = read(&[HEADER, SET, HEAD]).unwrap();
        assert_eq!((bundle.log.events.len(), bundle.tree.len()), (1, 1));
        let mut written = Vec::new();
        bundle.write(&mut written).unwrap();
        let expected = format!("{HEADER}\n{SET}\n{HEAD}\n").replace("HHHH", &"ab".repeat(20));
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn a_wrong_line_is_named() {
        assert_eq!(error(&[]), "line 1: the file is empty");
        assert!(
            error(&["{}"]).starts_with("line 1: this is not what the line has to be: missing field `format`")
        );
        let old = HEADER.replace("/1", "/0");
        assert!(error(&[&old]).starts_with("line 1: the format is `dayfly-events/0`"));
        assert!(error(&[HEADER, SET, "{"]).starts_with("line 3: this is not what the line has to be: EOF"));
        assert!(error(&[HEADER, "", SET]).starts_with("line 2: "));
        let no_mode = SET.replace("100644", "rw-r--r--");
        assert_eq!(error(&[HEADER, &no_mode]), "line 2: `rw-r--r--` is no file mode");
        let no_object = SET.replace(r#""object":"HHHH""#, r#""object":"HEAD""#);
        assert_eq!(error(&[HEADER, &no_object]), "line 2: `HEAD` is no object name");
        let more = SET.replace(r#""mode""#, r#""colour":1,"mode""#);
        assert!(error(&[HEADER, &more]).contains("unknown field `colour`"));
    }

    #[test]
    fn what_contradicts_itself_is_named() {
        assert_eq!(error(&[HEADER, HEAD, SET]), "line 3: an event stands after the tree has begun");
        assert_eq!(error(&[HEADER, SET, SET]), "line 3: the same commit changes the path a twice");
        assert_eq!(error(&[HEADER, HEAD, HEAD]), r#"line 3: the path "\xff" stands twice in the tree"#);
        assert_eq!(
            error(&[HEADER, SET]),
            "line 2: the header promises 1 paths of HEAD, and here the file ends with 0"
        );
    }
}
