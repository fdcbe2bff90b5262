//! The text of a key. It is written where nothing has to be allocated, unless it is long.

use std::fmt::{self, Display, Write};

const SHORT: usize = 96;

struct Text {
    short: [u8; SHORT],
    length: usize,
    /// All of it, once it is too long.
    long: Option<String>,
}

/// Does something with the text of a key. Its `Display` is foreign and runs here, before anything else; if it gives up,
/// what it has written is the text.
pub(crate) fn with_text<K: Display + ?Sized, R>(key: &K, act: impl FnOnce(&str) -> R) -> R {
    let mut text = Text { short: [0; SHORT], length: 0, long: None };
    match write!(text, "{key}") {
        Ok(()) | Err(fmt::Error) => act(text.as_str()),
    }
}

impl Text {
    fn as_str(&self) -> &str {
        match &self.long {
            Some(long) => long,
            // Whole texts were written one after the other, so it is one.
            None => std::str::from_utf8(&self.short[..self.length]).unwrap_or_default(),
        }
    }
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if let Some(long) = &mut self.long {
            long.push_str(more);
            return Ok(());
        }
        let end = self.length + more.len();
        if let Some(room) = self.short.get_mut(self.length..end) {
            room.copy_from_slice(more.as_bytes());
            self.length = end;
        } else {
            self.long = Some([self.as_str(), more].concat());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_however_long_it_is_and_in_how_many_pieces() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 1_000] {
            let whole = "é".repeat(length / 2) + &"x".repeat(length % 2);
            assert!(with_text(&whole, |text| text == whole));
            let pieces = with_text(&format_args!("{whole}{}{whole}", 7), str::to_owned);
            assert_eq!(pieces, [&*whole, "7", &*whole].concat());
        }
    }
}
