//! Bodies that tests steer and look into.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

/// Counts how many are inside at once, and lets them out one by one.
#[derive(Clone)]
pub(crate) struct Doors {
    inside: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    exits: Arc<Semaphore>,
}

/// Being inside, until it is dropped.
pub(crate) struct Inside(Arc<AtomicUsize>);

impl Doors {
    pub(crate) fn shut() -> Self {
        Self { inside: Arc::default(), most: Arc::default(), exits: Arc::new(Semaphore::new(0)) }
    }

    pub(crate) fn enter(&self) -> Inside {
        let now = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Inside(Arc::clone(&self.inside))
    }

    /// Enters, and stays inside until let out.
    pub(crate) async fn pass(&self) {
        let _inside = self.enter();
        self.exits.acquire().await.unwrap().forget();
    }

    pub(crate) fn let_out(&self, bodies: usize) {
        self.exits.add_permits(bodies);
    }

    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::SeqCst)
    }

    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
