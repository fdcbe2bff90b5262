//! Tasks whose end a test waits for.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What the task returns. On a paused clock, one that nothing wakes is found out at once.
pub(crate) async fn ended<T>(task: JoinHandle<T>) -> T {
    let ended = timeout(Duration::from_secs(1_000_000), task).await;
    ended.expect("nothing has woken it").unwrap()
}
