//! Lengths of time as people write them.

use std::time::Duration;

/// The length of time that a text means: `30s`, `1h 30m`.
///
/// It is the sum of its parts. humantime 2.4 adds them itself, but panics when whole seconds that are made of fractions
/// overflow the sum (`18446744073709551615s 1000ms`), and takes `5 30s` as 530 s, so it is given one part at a time.
///
/// # Errors
/// When the text is no length of time, or one that is too long.
pub fn length(text: &str) -> Result<Duration, humantime::DurationError> {
    let mut sum = Duration::ZERO;
    let mut rest = text.trim_start();
    loop {
        let (part, more) = rest.split_at(first_part(rest));
        let part = humantime::parse_duration(part)?;
        sum = sum.checked_add(part).ok_or(humantime::DurationError::NumberOverflow)?;
        if more.is_empty() {
            return Ok(sum);
        }
        rest = more;
    }
}

/// Where the first part ends: at the first digit behind a unit or a blank.
fn first_part(text: &str) -> usize {
    let mut last: Option<char> = None;
    let end = text.find(|letter: char| {
        let before = last.replace(letter);
        let is_apart = before.is_some_and(|before| before.is_alphabetic() || before.is_whitespace());
        is_apart && letter.is_ascii_digit()
    });
    end.unwrap_or(text.len())
}
