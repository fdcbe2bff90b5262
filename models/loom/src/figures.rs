//! The sequence lock of a published count.

use loom::thread;

use crate::explore::{Model, Size};
use crate::published::{Figure, FigureReader, board};

pub(crate) const MODELS: &[Model] = &[
    Model { name: "published_one_reader", run: one_reader, size: Size::Large(5, 3) },
    Model { name: "published_two_readers", run: two_readers, size: Size::Large(4, 2) },
];

/// Two numbers of different times are never seen together, and time does not go back.
fn one_reader() {
    played(2, &[2]);
}

fn two_readers() {
    played(1, &[1, 1]);
}

/// So many figures are published while each reader looks so many times.
fn played(figures: usize, reads: &[usize]) {
    let (mut writer, reader) = board();
    writer.publish(Figure { count: 1, until: 1 });
    let watch = |reader: FigureReader, reads: usize| {
        move || {
            let mut last = 1;
            for figure in (0..reads).filter_map(|_| reader.read()) {
                assert_eq!(figure.count as u64, figure.until, "two halves of one figure");
                assert!(figure.until >= last, "what was published earlier does not come back");
                last = figure.until;
            }
        }
    };
    let readers: Vec<_> = reads.iter().map(|reads| thread::spawn(watch(reader.clone(), *reads))).collect();
    for count in 2..2 + figures {
        writer.publish(Figure { count, until: count as u64 });
    }
    for reader in readers {
        reader.join().expect("a reader ends");
    }
    let last = figures + 1;
    assert_eq!(reader.read(), Some(Figure { count: last, until: last as u64 }), "nobody is at it any more");
}
