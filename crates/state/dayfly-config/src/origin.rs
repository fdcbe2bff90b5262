//! Where a value comes from.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A place in a text: both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

/// Where a value comes from: the last source that says it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// What the program itself brought as defaults.
    Defaults,
    /// A file, the overlay of a profile included.
    File {
        /// As it was given to the sources.
        path: Arc<Path>,
        /// Where in it, when it could be parsed that far.
        position: Option<Position>,
    },
    /// A variable of the environment.
    Environment {
        /// Its whole name.
        variable: Arc<str>,
    },
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("defaults"),
            Self::File { path, position: Some(position) } => write!(f, "{}:{position}", path.display()),
            Self::File { path, position: None } => write!(f, "{}", path.display()),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
        }
    }
}

/// The lines of a text, to tell where an offset is.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect() }
    }

    /// An offset behind the end, or within a character, is taken back to the last place that is one.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = (0..=offset.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at));
        let offset = offset.unwrap_or(0);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        Position { line, column: self.text[start..offset].chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let lines = Lines::of("a = 1\nüb = 2\n");
        let at = |offset| lines.position(offset).to_string();
        assert_eq!((at(0), at(4), at(6)), ("1:1".into(), "1:5".into(), "2:1".into()));
        assert_eq!(at(8), "2:2", "an umlaut is one column");
        assert_eq!(at(7), "2:1", "within the umlaut");
        assert_eq!(at(1_000), "3:1", "behind the end");
        assert_eq!(Lines::of("").position(0), Position { line: 1, column: 1 });
    }
}
