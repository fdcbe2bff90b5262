//! How far it is: a bar on a terminal, nothing elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use super::Sent;

/// A bar, if there is somebody to look at it.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar for an input of this length, where it is known.
    pub(super) fn start(length: Option<u64>) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let (bar, template) = match length {
            Some(length) => (ProgressBar::new(length), "  {bar:24.green/dim} {percent:>3} % {msg}"),
            None => (ProgressBar::no_length(), "  {spinner} {bytes} {msg}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━━─"));
        }
        Self(bar)
    }

    pub(super) fn moved(&self, bytes: u64, sent: &Sent) {
        self.0.set_position(bytes);
        self.0.set_message(format!("{} taken in, {} known already", sent.accepted, sent.duplicates));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
