//! Bodies on threads that tests steer and look into.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tokio::sync::watch;

/// Bodies block in here until they are let out, and are counted.
#[derive(Clone, Default)]
pub(crate) struct Doors(Arc<Inner>);

#[derive(Default)]
struct Inner {
    counts: watch::Sender<Counts>,
    exits: Mutex<usize>,
    opened: Condvar,
}

#[derive(Default)]
struct Counts {
    inside: usize,
    most: usize,
    entered: usize,
}

impl Doors {
    /// Enters, and blocks the thread until let out.
    pub(crate) fn pass(&self) {
        self.0.counts.send_modify(|counts| {
            counts.inside += 1;
            counts.entered += 1;
            counts.most = counts.most.max(counts.inside);
        });
        let exits = self.0.exits.lock().unwrap();
        let mut exits = self.0.opened.wait_while(exits, |exits| *exits == 0).unwrap();
        *exits -= 1;
        // Before anybody else leaves, so that nobody sees more inside than there are.
        self.0.counts.send_modify(|counts| counts.inside -= 1);
    }

    pub(crate) fn let_out(&self, bodies: usize) {
        *self.0.exits.lock().unwrap() += bodies;
        self.0.opened.notify_all();
    }

    /// Waits until so many have entered in all.
    pub(crate) async fn entered(&self, bodies: usize) {
        let mut counts = self.0.counts.subscribe();
        in_time(counts.wait_for(|counts| counts.entered >= bodies)).await.unwrap();
    }

    pub(crate) fn inside(&self) -> usize {
        self.0.counts.borrow().inside
    }

    pub(crate) fn most(&self) -> usize {
        self.0.counts.borrow().most
    }
}

/// Waits for an event that comes at once, or never: then the test fails instead of standing still.
pub(crate) async fn in_time<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), event).await.unwrap()
}
