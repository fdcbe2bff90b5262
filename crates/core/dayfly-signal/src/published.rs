//! A count that one writer publishes and many read without a lock: a sequence lock over two numbers.
//!
//! The sequence is odd while the writer is at it. A reader takes both numbers between two looks at the sequence and
//! keeps them only if both looks saw the same even number. It never waits: who meets the writer is sent away, and
//! takes the sink's lock instead.

use std::sync::Arc;

use crate::clock::{NEVER, Ticks};
use crate::sync::{AtomicU64, Ordering, fence};

/// A count, and the moment until which it holds unless something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) count: usize,
    pub(crate) until: Ticks,
}

/// The writing end. There is one, and it needs `&mut`, so nobody else writes at the same time.
#[derive(Debug)]
pub(crate) struct FigureWriter {
    board: Arc<Board>,
    sequence: u64,
}

/// The reading end.
#[derive(Clone, Debug)]
pub(crate) struct FigureReader {
    board: Arc<Board>,
}

#[derive(Debug)]
struct Board {
    sequence: AtomicU64,
    count: AtomicU64,
    until: AtomicU64,
}

/// Both ends of a board that says zero for ever.
pub(crate) fn board() -> (FigureWriter, FigureReader) {
    let numbers = || AtomicU64::new(0);
    let board = Arc::new(Board { sequence: numbers(), count: numbers(), until: AtomicU64::new(NEVER) });
    (FigureWriter { board: Arc::clone(&board), sequence: 0 }, FigureReader { board })
}

impl FigureWriter {
    pub(crate) fn publish(&mut self, figure: Figure) {
        let Board { sequence, count, until } = &*self.board;
        sequence.store(self.sequence + 1, Ordering::Relaxed);
        // A reader that sees one of the new numbers sees the odd sequence too, at its second look at the latest.
        fence(Ordering::Release);
        count.store(figure.count as u64, Ordering::Relaxed);
        until.store(figure.until, Ordering::Relaxed);
        self.sequence += 2;
        // A reader whose first look sees this even number sees both new numbers.
        sequence.store(self.sequence, Ordering::Release);
    }
}

impl FigureReader {
    /// What was published last; `None` when the writer is at it.
    pub(crate) fn read(&self) -> Option<Figure> {
        let Board { sequence, count, until } = &*self.board;
        let before = sequence.load(Ordering::Acquire);
        let count = usize::try_from(count.load(Ordering::Relaxed)).ok()?;
        let figure = Figure { count, until: until.load(Ordering::Relaxed) };
        // The numbers are read before the second look, not after it.
        fence(Ordering::Acquire);
        let after = sequence.load(Ordering::Relaxed);
        (before == after && before.is_multiple_of(2)).then_some(figure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_what_was_published_last() {
        let (mut writer, reader) = board();
        assert_eq!(reader.read(), Some(Figure { count: 0, until: NEVER }));
        for count in 0..3 {
            writer.publish(Figure { count, until: 7 });
        }
        assert_eq!(reader.read(), Some(Figure { count: 2, until: 7 }));
    }

    #[test]
    fn a_reader_that_meets_the_writer_is_sent_away() {
        let (writer, reader) = board();
        writer.board.sequence.store(1, Ordering::Relaxed);
        assert_eq!(reader.read(), None);
    }

    #[test]
    fn two_numbers_of_different_times_are_never_seen_together() {
        const ROUNDS: usize = 200_000;
        let (mut writer, reader) = board();
        writer.publish(Figure { count: 1, until: 1 });
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for count in 2..ROUNDS {
                    writer.publish(Figure { count, until: count as u64 });
                }
            });
            let mut last = 0;
            while last < ROUNDS - 1 {
                let Some(figure) = reader.read() else { continue };
                assert_eq!(figure.count as u64, figure.until);
                assert!(figure.count >= last, "what was published earlier does not come back");
                last = figure.count;
            }
        });
    }
}
