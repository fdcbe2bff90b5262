//! Runtimes whose clock stands still until nothing else can happen.

use tokio::runtime::{Builder, Handle, RuntimeFlavor};

/// Runs a future to its end on a runtime of its own, single-threaded and on a paused clock.
///
/// # Panics
/// When no runtime can be built, when it is called inside of one, and when the future panics.
pub fn paused<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let Ok(runtime) = runtime else { panic!("no runtime could be built") };
    runtime.block_on(future)
}

/// How often [`settle`] steps aside. Each time, a current-thread runtime polls at most 61 of the tasks that are ready.
const ROUNDS: usize = 64;

/// Lets the other tasks of a current-thread runtime run, without moving the clock.
///
/// It steps aside 64 times, and each time lets up to 61 ready tasks be polled: enough for chains of some dozens of
/// hand-overs and for some thousands of polls in all. For more, sleep for a moment: a paused clock moves only when no
/// task can run.
///
/// # Panics
/// On a runtime with several threads, where nothing would be settled when it returns, and outside of a runtime.
///
/// # Cancel safety
/// Nothing is lost: it has no state.
pub async fn settle() {
    let flavor = Handle::current().runtime_flavor();
    assert!(
        flavor == RuntimeFlavor::CurrentThread,
        "settle() can wait for nobody on a runtime with several threads"
    );
    for _ in 0..ROUNDS {
        tokio::task::yield_now().await;
    }
}
