//! Successes counted beside a breaker's window, which grants how many.

use std::sync::Arc;

use loom::thread;

use crate::aside::{Aside, WHENEVER};
use crate::explore::{Model, Size};
use crate::run::{Admitted, Mode};
use crate::sync::{Mutex, locked};

pub(crate) const MODELS: &[Model] = &[
    Model { name: "aside_each_call_is_counted_once", run: each_once, size: Size::Small },
    Model { name: "aside_a_call_that_makes_it_enough", run: enough, size: Size::Small },
    Model { name: "aside_a_late_end_never_counts", run: late, size: Size::Small },
    Model { name: "aside_no_success_is_put_into_a_part_that_is_over", run: parts, size: Size::Small },
];

const PERIOD: u32 = 1;

/// A window as the breaker has it, as far as threads meet in it.
struct Window {
    aside: Aside,
    known: Mutex<Known>,
}

struct Known {
    granted: u32,
    spares: u32,
    enough: u32,
    calls: u32,
    failed: u32,
    is_open: bool,
}

fn call(period: u32) -> Admitted {
    Admitted::new(period, Mode::Recording, false)
}

impl Window {
    fn new(spares: u32, enough: u32) -> Arc<Self> {
        let known = Known { granted: spares, spares, enough, calls: 0, failed: 0, is_open: false };
        Arc::new(Self { aside: Aside::new(PERIOD, spares, WHENEVER), known: Mutex::new(known) })
    }

    fn succeed(&self) {
        if !self.aside.count(call(PERIOD)) {
            self.tell(false);
        }
    }

    fn tell(&self, failed: bool) {
        let mut known = locked(&self.known);
        known.take_in(self.aside.take(PERIOD));
        known.calls += 1;
        known.failed += u32::from(failed);
        known.is_open |= known.calls >= known.enough && 2 * known.failed >= known.calls;
        known.granted = match known.enough.saturating_sub(known.calls) {
            missing @ 1.. if known.failed > 0 => known.spares.min(missing - 1),
            _ => known.spares,
        };
        self.aside.grant(PERIOD, known.granted, WHENEVER);
    }
}

impl Known {
    fn take_in(&mut self, left: u32) {
        self.calls += std::mem::take(&mut self.granted) - left;
    }
}

fn on_thread(window: &Arc<Window>, act: impl FnOnce(&Window) + 'static) -> thread::JoinHandle<()> {
    let window = Arc::clone(window);
    thread::spawn(move || act(&window))
}

/// Whether a call is counted here or there, and whatever is granted meanwhile.
fn each_once() {
    let window = Window::new(2, 100);
    let other = on_thread(&window, |window| (0..3).for_each(|_| window.succeed()));
    window.tell(true);
    window.succeed();
    other.join().expect("it ends");
    let mut known = locked(&window.known);
    known.take_in(window.aside.take(PERIOD));
    assert_eq!((known.calls, known.failed), (5, 1));
}

/// Two of four have failed: whichever comes last, it opens.
fn enough() {
    let window = Window::new(4, 4);
    let both = |window: &Window| {
        window.succeed();
        window.tell(true);
    };
    let other = on_thread(&window, both);
    both(&window);
    other.join().expect("it ends");
    assert!(locked(&window.known).is_open);
}

/// What began in period 1 takes nothing off what is granted in period 2, and goes to nobody's lock.
fn late() {
    let aside = Arc::new(Aside::new(PERIOD, 2, WHENEVER));
    let late = {
        let aside = Arc::clone(&aside);
        thread::spawn(move || [aside.count(call(PERIOD)), aside.count(call(PERIOD))])
    };
    aside.grant(PERIOD + 1, 2, WHENEVER);
    assert!(aside.count(call(PERIOD + 1)));
    assert_eq!(late.join().expect("it ends"), [true, true]);
    assert_eq!(aside.take(PERIOD + 1), 1);
}

/// The first part ends at 10. Who ends at 15 and finds that the second one has begun is not counted in the first.
fn parts() {
    let aside = Arc::new(Aside::new(PERIOD, 4, 10));
    let later = {
        let aside = Arc::clone(&aside);
        thread::spawn(move || 15 < aside.until() && aside.count(call(PERIOD)))
    };
    let first = 4 - aside.take(PERIOD);
    aside.grant(PERIOD, 4, 20);
    let is_counted = later.join().expect("it ends");
    let second = 4 - aside.take(PERIOD);
    assert_eq!((first, second), (0, u32::from(is_counted)));
}
