//! Tells the sink what has become of a batch.

use super::Engine;
use super::desk::Counts;

impl<T, K, V, E> Engine<T, K, V, E> {
    /// Says what has become of a batch.
    pub(super) fn raise(&self, counts: Counts) {
        for (signal, items) in [(&self.flushed, counts.completed), (&self.failed, counts.failed)] {
            if items > 0 {
                signal.raise_with(Digits::of(items).text());
            }
        }
    }
}

/// A number as text, without an allocation.
struct Digits([u8; 20], usize);

impl Digits {
    fn of(mut number: u64) -> Self {
        let (mut digits, mut first) = ([b'0'; 20], 20);
        loop {
            first -= 1;
            digits[first] += u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
            if number == 0 {
                return Self(digits, first);
            }
        }
    }

    fn text(&self) -> &str {
        // Digits are text.
        std::str::from_utf8(&self.0[self.1..]).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_do() {
        for number in [0, 7, 10, 64, 1_000, u64::MAX] {
            assert_eq!(Digits::of(number).text(), number.to_string());
        }
    }
}
