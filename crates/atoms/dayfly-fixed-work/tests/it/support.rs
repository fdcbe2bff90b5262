//! Bodies on threads that tests steer and look into.

use std::sync::{Arc, Condvar, Mutex};

/// Bodies block in here until they are let out, and are counted.
#[derive(Clone, Default)]
pub(crate) struct Doors(Arc<(Mutex<Counts>, Condvar)>);

#[derive(Default)]
struct Counts {
    inside: usize,
    most: usize,
    entered: usize,
    exits: usize,
}

impl Doors {
    /// Enters, and blocks the thread until let out.
    pub(crate) fn pass(&self) {
        let (counts, changed) = &*self.0;
        let mut counts = counts.lock().unwrap();
        counts.inside += 1;
        counts.entered += 1;
        counts.most = counts.most.max(counts.inside);
        changed.notify_all();
        let mut counts = changed.wait_while(counts, |counts| counts.exits == 0).unwrap();
        counts.exits -= 1;
        counts.inside -= 1;
        changed.notify_all();
    }

    pub(crate) fn let_out(&self, bodies: usize) {
        self.0.0.lock().unwrap().exits += bodies;
        self.0.1.notify_all();
    }

    /// Waits, on a thread that may block, until so many have entered in all.
    pub(crate) async fn entered(&self, bodies: usize) {
        let doors = self.clone();
        let waits = tokio::task::spawn_blocking(move || {
            let (counts, changed) = &*doors.0;
            drop(changed.wait_while(counts.lock().unwrap(), |counts| counts.entered < bodies).unwrap());
        });
        waits.await.unwrap();
    }

    pub(crate) fn inside(&self) -> usize {
        self.0.0.lock().unwrap().inside
    }

    pub(crate) fn most(&self) -> usize {
        self.0.0.lock().unwrap().most
    }
}
