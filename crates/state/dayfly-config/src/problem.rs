//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio::time::Instant;

use crate::origin::{Origin, Position};

/// One thing that is wrong: the place, the key, and what was expected there.
///
/// Its text is one line, such as `relay.toml:3:19: orders.max_concurrency: expected usize, found string "many"`, without
/// the values of secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(crate) origin: Option<Origin>,
    pub(crate) key: String,
    pub(crate) message: String,
}

/// A content of the sources that was not taken: what was in force stayed in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// Why, and where. Never empty.
    pub problems: Vec<Problem>,
    /// When it was found out.
    pub at: Instant,
    /// The generation that stayed in force; 0 when there was none yet.
    pub generation: u64,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { origin: None, key: String::new(), message: message.into() }
    }

    pub(crate) fn in_file(path: &Arc<Path>, position: Option<Position>, message: impl Into<String>) -> Self {
        Self::new(message).with_origin(Some(Origin::File { path: Arc::clone(path), position }))
    }

    pub(crate) fn with_origin(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }

    pub(crate) fn at(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// The source that says it, and the position when the format has one; none when no source does.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The key, such as `orders.max_concurrency`; empty when it is about a whole source.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is wrong, and what was expected.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(&self.problems, f)
    }
}

pub(crate) fn write_list(problems: &[Problem], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, problem) in problems.iter().enumerate() {
        if at > 0 {
            f.write_str("; ")?;
        }
        write!(f, "{problem}")?;
    }
    Ok(())
}
