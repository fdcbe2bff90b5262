//! Handlers that tests steer and look into.

use std::sync::{Arc, Mutex};

use dayfly::SignalSink;
use dayfly_batching::{Batch, Batcher, BatcherOptions, FlushReason};
use tokio::sync::Semaphore;

type Seen = (Vec<u32>, FlushReason);

/// What a handler got, and how it is let on.
#[derive(Clone)]
pub(crate) struct Watched {
    batches: Arc<Mutex<Vec<Seen>>>,
    exits: Arc<Semaphore>,
}

impl Watched {
    /// A handler that ends at once.
    pub(crate) fn open() -> Self {
        Self { exits: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)), ..Self::shut() }
    }

    /// A handler that stays with each batch until it is let out.
    pub(crate) fn shut() -> Self {
        Self { batches: Arc::default(), exits: Arc::new(Semaphore::new(0)) }
    }

    pub(crate) fn let_out(&self, batches: usize) {
        self.exits.add_permits(batches);
    }

    pub(crate) async fn handle(self, batch: Batch<u32>) {
        self.batches.lock().unwrap().push((batch.to_vec(), batch.reason()));
        self.exits.acquire().await.unwrap().forget();
    }

    pub(crate) fn items(&self) -> Vec<Vec<u32>> {
        self.batches.lock().unwrap().iter().map(|(items, _)| items.clone()).collect()
    }

    pub(crate) fn reasons(&self) -> Vec<FlushReason> {
        self.batches.lock().unwrap().iter().map(|(_, reason)| *reason).collect()
    }

    pub(crate) fn spawn(&self, options: BatcherOptions) -> Batcher<u32> {
        let watched = self.clone();
        Batcher::spawn(options, &SignalSink::default(), move |batch| watched.clone().handle(batch))
    }
}
