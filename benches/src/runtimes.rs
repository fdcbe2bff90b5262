//! The runtimes that every figure is taken on, and where the producer stands.

use std::panic::resume_unwind;

use tokio::runtime::{Builder, Runtime};

use crate::body::verified;

/// Two worker threads.
pub fn mt2() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime")
}

/// The current thread.
pub fn ct() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// A runtime with a producer.
///
/// On two workers it matters where the producer stands. In `block_on`, as in a `main`, it is a third thread that has to
/// be woken by the kernel whenever it waited for room; inside, as in a server's handler, it is a task like any other.
#[derive(Debug)]
pub struct Stage {
    /// How tables call it.
    pub name: &'static str,
    /// Threads that run bodies.
    pub workers: u64,
    runtime: Runtime,
    inside: bool,
}

impl Stage {
    /// Runs the producer to its end and panics unless exactly so many operations were done meanwhile.
    pub fn run(&self, operations: u64, producer: impl Future<Output = ()> + Send + 'static) {
        verified(operations, || {
            if !self.inside {
                return self.runtime.block_on(producer);
            }
            let ended = self.runtime.block_on(self.runtime.spawn(producer));
            ended.unwrap_or_else(|ended| resume_unwind(ended.into_panic()));
        });
    }
}

/// The two runtimes, for who has producers of its own.
pub fn plain() -> [Stage; 2] {
    let [mt2, _, ct] = stages();
    [mt2, ct]
}

/// All of them. On the current thread it is the same wherever the producer stands.
pub fn stages() -> [Stage; 3] {
    [
        Stage { name: "mt2", workers: 2, runtime: mt2(), inside: false },
        Stage { name: "mt2, producer inside", workers: 2, runtime: mt2(), inside: true },
        Stage { name: "ct", workers: 1, runtime: ct(), inside: false },
    ]
}
