//! A call allocates nothing of its own, be it that it succeeds at once or that it waits.
#![expect(unsafe_code, reason = "an allocator that counts can only be written with `unsafe`")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::ready;

use dayfly_retry::{Retry, RetryBudget, RetryOptions};
use futures_util::FutureExt;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// It needs neither an allocation nor a destructor, so that the allocator can use it at any time.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it is; counting touches no memory of the caller's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and the memory came from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn allocated(run: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
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
