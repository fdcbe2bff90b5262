//! Work that blocks, off the threads of async work, and only so much of it at once.

use std::sync::Arc;

use dayfly_kv::Unavailable;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// Room for so many that read, and for as many that write: who reads never waits for who writes.
#[derive(Clone, Debug)]
pub(crate) struct Threads {
    pub(crate) reads: Arc<Semaphore>,
    pub(crate) writes: Arc<Semaphore>,
}

/// Why there is no answer.
pub(crate) enum Lost {
    /// It was never begun.
    Before(Unavailable),
    /// It was begun, and nobody knows how far it came.
    Within(Unavailable),
}

impl Threads {
    pub(crate) fn new(most: usize) -> Self {
        Self { reads: Arc::new(Semaphore::new(most)), writes: Arc::new(Semaphore::new(most)) }
    }
}

impl Lost {
    pub(crate) fn why(self) -> Unavailable {
        match self {
            Self::Before(why) | Self::Within(why) => why,
        }
    }
}

/// Runs a job on a thread where it may block. When the future is dropped the job goes on to its end, or is never begun.
pub(crate) async fn run<T: Send + 'static>(
    room: &Arc<Semaphore>,
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Lost> {
    let never = |what: &str| Lost::Before(Unavailable::new(what));
    let Ok(place) = Arc::clone(room).acquire_owned().await else {
        return Err(never("the store is closed"));
    };
    let Ok(runtime) = Handle::try_current() else {
        return Err(never("a file store is used on a Tokio runtime only"));
    };
    let job = move || {
        let _place = place;
        job()
    };
    match runtime.spawn_blocking(job).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => {
            // What was given to the store, such as a clock, has panicked. That costs this call only.
            Err(Lost::Within(Unavailable::new("a call of the store panicked")))
        }
        Err(_) => Err(never("the runtime shuts down")),
    }
}
