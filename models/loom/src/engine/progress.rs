//! What a worker shows of its batch while it works.

use std::sync::Arc;

use loom::thread;

use super::board::{Board, Progress};

/// How many operations the batch has.
const BATCH: usize = 2;

fn works(board: &Arc<Board>) -> thread::JoinHandle<()> {
    let board = Arc::clone(board);
    thread::spawn(move || {
        for turn in 0..2 {
            board.start(turn);
            board.complete(turn);
        }
    })
}

/// Whoever looks sees each operation of the batch once: unstarted, running, or completed.
pub(super) fn counts() {
    let board = Arc::<Board>::default();
    let working = works(&board);
    for _ in 0..2 {
        let (started, completed) = board.counts();
        assert!(completed <= started && started <= BATCH, "{completed} of {started}");
    }
    working.join().expect("it ends");
    assert_eq!(board.counts(), (BATCH, BATCH));
}

/// Nothing that has completed is seen to run again, and nothing that runs to be unstarted.
pub(super) fn one_way() {
    let board = Arc::<Board>::default();
    let working = works(&board);
    let rank = |progress| match progress {
        Progress::Unstarted => 0,
        Progress::Running => 1,
        Progress::Completed => 2,
    };
    let mut last = [0; BATCH];
    for _ in 0..2 {
        for turn in (0..BATCH).rev() {
            let now = rank(board.progress(turn));
            assert!(now >= last[turn], "operation {turn} went back");
            last[turn] = now;
        }
        assert!(last[0] >= last[1], "they start in their order");
    }
    working.join().expect("it ends");
}
