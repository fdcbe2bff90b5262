//! A call allocates nothing of its own, be it that it succeeds at once or that it waits.

use std::future::ready;

use dayfly_retry::{Retry, RetryBudget, RetryOptions};
use dayfly_testing::{Counting, allocations};
use futures_util::FutureExt;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocated(run: impl FnOnce()) -> u64 {
    let before = allocations();
    run();
    allocations() - before
}

/// A thousand calls that succeed at once, or fail and wait.
fn calls(retry: &Retry<String>, fail: bool) {
    for _ in 0..1_000 {
        let ended = retry.call(|_| ready(if fail { Err(String::new()) } else { Ok(()) })).now_or_never();
        assert_eq!(ended.is_none(), fail);
    }
}

#[tokio::test]
async fn calls_allocate_nothing() {
    let mut plain = None;
    let made = allocated(|| plain = Some(Retry::on_every_error(RetryOptions::new())));
    assert!(made > 0, "the counter counts");
    let plain = plain.expect("it was made just now");
    let budgeted = plain.clone().budget(&RetryBudget::default());
    for retry in [plain, budgeted] {
        assert_eq!(allocated(|| calls(&retry, false)), 0);
    }
    // Nor do those that have to wait, while the budget lasts.
    let waiting = Retry::on_every_error(RetryOptions::new());
    assert_eq!(allocated(|| calls(&waiting, true)), 0);
}
