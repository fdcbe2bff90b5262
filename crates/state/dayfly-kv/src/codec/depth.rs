//! JSON that is not nested deeper than it can be read back.

use std::cell::Cell;
use std::io;

use serde_json::ser::Formatter;

/// How deep `serde_json` reads, the envelope of the version included.
const DEEPEST: usize = 127;

/// What was seen on the way.
#[derive(Debug, Default)]
pub(super) struct Seen {
    null: Cell<bool>,
}

impl Seen {
    pub(super) fn has_null(&self) -> bool {
        self.null.get()
    }
}

/// Compact JSON, and an error where it would be too deep.
#[derive(Debug)]
pub(super) struct Measured<'a> {
    depth: usize,
    seen: &'a Seen,
}

impl<'a> Measured<'a> {
    pub(super) const fn new(seen: &'a Seen) -> Self {
        Self { depth: 0, seen }
    }

    fn enter(&mut self) -> io::Result<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(io::Error::other(format!("it is nested deeper than {} levels", DEEPEST - 1)));
        }
        Ok(())
    }
}

impl Formatter for Measured<'_> {
    fn write_null<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.seen.null.set(true);
        writer.write_all(b"null")
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter()?;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter()?;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"}")
    }
}
