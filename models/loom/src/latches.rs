//! A flag that is set once.

use std::sync::Arc;

use loom::future::block_on;
use loom::thread;

use crate::explore::{Model, Size};
use crate::latch::Latch;

pub(crate) const MODELS: &[Model] = &[
    Model { name: "latch_two_wait_while_it_is_set", run: two_wait, size: Size::Large(5, 3) },
    Model { name: "latch_set_twice", run: set_twice, size: Size::Large(5, 3) },
];

/// Whoever waits is woken, whether it came before or after.
fn two_wait() {
    let latch = Arc::new(Latch::new());
    let waits = || {
        let latch = Arc::clone(&latch);
        thread::spawn(move || {
            block_on(latch.wait());
            assert!(latch.is_set());
        })
    };
    let waiting = [waits(), waits()];
    latch.set();
    for waiting in waiting {
        waiting.join().expect("it is woken");
    }
}

fn set_twice() {
    let latch = Arc::new(Latch::new());
    let other = Arc::clone(&latch);
    let setting = thread::spawn(move || other.set());
    let other = Arc::clone(&latch);
    let waiting = thread::spawn(move || block_on(other.wait()));
    latch.set();
    setting.join().expect("it sets");
    waiting.join().expect("it is woken");
}
