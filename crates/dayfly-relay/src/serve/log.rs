//! What the operator reads: a line for everything that changes the state of the service, never one for each event.

use std::io::Write;
use std::time::SystemTime;

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// To standard error, each with its time.
    Stderr,
    /// Nowhere.
    Silent,
}

impl Log {
    /// Something that the operator should know.
    pub(crate) fn info(self, line: impl AsRef<str>) {
        self.write("info", line.as_ref());
    }

    /// Something that the operator should look after.
    pub(crate) fn warn(self, line: impl AsRef<str>) {
        self.write("warn", line.as_ref());
    }

    fn write(self, level: &str, line: &str) {
        if self == Self::Stderr {
            let now = humantime::format_rfc3339_millis(SystemTime::now());
            // What comes from outside must not begin a line of its own.
            let line: String =
                line.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
            // A line that nobody can read is no reason to stop.
            drop(writeln!(std::io::stderr(), "{now} {level} {line}"));
        }
    }
}

/// An error with all its causes, in one line.
#[must_use]
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        // Some errors tell their cause by themselves.
        let cause = deeper.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        source = deeper.source();
    }
    text
}
