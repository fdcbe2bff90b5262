//! Runtimes whose clock stands still until nothing else can happen.

use tokio::runtime::Builder;

/// Runs a future to its end on a runtime of its own, single-threaded and on a paused clock.
///
/// # Panics
/// When no runtime can be built, and when the future panics.
pub fn paused<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let Ok(runtime) = runtime else { panic!("no runtime could be built") };
    runtime.block_on(future)
}

/// How often [`settle`] steps aside. Each time, a current-thread runtime polls every task that was ready before.
const ROUNDS: usize = 64;

/// Lets the other tasks of a current-thread runtime run, without moving the clock.
///
/// It steps aside a fixed number of times: enough for chains of some dozens of hand-overs, not for thousands of tasks.
/// For those, sleep for a moment: a paused clock moves only when no task can run.
///
/// # Cancel safety
/// Nothing is lost: it has no state.
pub async fn settle() {
    for _ in 0..ROUNDS {
        tokio::task::yield_now().await;
    }
}
