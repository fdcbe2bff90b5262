//! A breaker's failures in a row, counted beside the lock under which periods begin.

use std::sync::Arc;

use loom::thread;

use crate::explore::{Model, Size};
use crate::run::{Admitted, Mode, Run};

pub(crate) const MODELS: &[Model] = &[
    Model { name: "row_two_threads_count_exactly", run: exact, size: Size::Small },
    Model { name: "row_a_late_end_never_counts", run: late, size: Size::Small },
    Model { name: "row_a_trip_and_a_success_race", run: trip_and_success, size: Size::Small },
    Model { name: "row_a_period_begins_while_one_fails", run: begin_and_fail, size: Size::Small },
    Model { name: "row_a_mode_changes_while_one_fails", run: mode_and_fail, size: Size::Small },
];

fn counting(period: u32) -> Admitted {
    Admitted::new(period, Mode::Counting, false)
}

fn row() -> Arc<Run> {
    Arc::new(Run::new(1, Mode::Counting))
}

fn on_thread<R: 'static>(run: &Arc<Run>, act: impl FnOnce(&Run) -> R + 'static) -> thread::JoinHandle<R> {
    let run = Arc::clone(run);
    thread::spawn(move || act(&run))
}

/// Each of four failures gets a number of its own, so exactly one of them is the one that opens.
fn exact() {
    let run = row();
    let fails = |run: &Run| [run.fail(run.admit()), run.fail(run.admit())];
    let other = on_thread(&run, fails);
    let mut numbers = [fails(&run), other.join().expect("it fails")].concat();
    numbers.sort_unstable();
    assert_eq!((numbers, run.failures()), (vec![1, 2, 3, 4], 4));
}

/// What began in period 1 neither counts in period 2 nor ends its row.
fn late() {
    let run = row();
    let call = run.admit();
    let failing = on_thread(&run, move |run| run.fail(call));
    let succeeding = on_thread(&run, move |run| run.succeed(call));
    run.begin(2, Mode::Counting);
    assert_eq!(run.fail(counting(2)), 1, "the first of its period");
    assert!(failing.join().expect("it fails") <= 1);
    succeeding.join().expect("it succeeds");
    assert_eq!((run.admit(), run.failures()), (counting(2), 1));
}

/// The second failure in a row opens unless a success came first; then it is the first.
fn trip_and_success() {
    let run = row();
    assert_eq!(run.fail(run.admit()), 1);
    let call = run.admit();
    let failing = on_thread(&run, move |run| {
        let number = run.fail(call);
        if number == 2 {
            run.begin(2, Mode::Asking);
        }
        number
    });
    run.succeed(call);
    match failing.join().expect("it fails") {
        1 => assert_eq!((run.admit(), run.failures()), (counting(1), 1)),
        2 => assert_eq!((run.admit().mode(), run.admit().period(), run.failures()), (Mode::Asking, 2, 0)),
        number => panic!("the failure was the {number}th in a row"),
    }
}

/// A period begins with no failures, whoever is about to count one of the period before.
fn begin_and_fail() {
    let run = row();
    let call = run.admit();
    let failing = on_thread(&run, move |run| [run.fail(call), run.fail(call)]);
    run.begin(2, Mode::Counting);
    let numbers = failing.join().expect("it fails");
    assert!([[0, 0], [1, 0], [1, 2]].contains(&numbers), "{numbers:?}");
    assert_eq!((run.admit(), run.failures()), (counting(2), 0));
}

/// Neither the mode nor the failure is lost.
fn mode_and_fail() {
    let run = row();
    let call = run.admit();
    let failing = on_thread(&run, move |run| run.fail(call));
    run.set_mode(Mode::Timing);
    assert_eq!(failing.join().expect("it fails"), 1);
    assert_eq!((run.admit().mode(), run.admit().period(), run.failures()), (Mode::Timing, 1, 1));
}
