//! An allocator that counts, so that a table can say what an operation allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Threads with a counter of their own; those after them share the last one.
const LANES: usize = 1_024;

/// A counter on cache lines of its own: one shared counter would cost more than many an allocation, and so would
/// punish whoever allocates on two threads.
#[repr(align(128))]
struct Lane(AtomicU64);

static COUNTS: [Lane; LANES] = [const { Lane(AtomicU64::new(0)) }; LANES];
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The thread's lane, once it has one. It needs no destructor, so that the allocator can use it at any time.
    static LANE: Cell<Option<usize>> = const { Cell::new(None) };
}

fn note() {
    let lane = LANE.with(|lane| {
        lane.get().unwrap_or_else(|| {
            let own = NEXT.fetch_add(1, Ordering::Relaxed).min(LANES - 1);
            lane.set(Some(own));
            own
        })
    });
    let count = &COUNTS[lane].0;
    if lane < LANES - 1 {
        // Nobody else writes here, which saves the locked instruction.
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    } else {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The system's allocator, counting.
#[derive(Debug)]
pub struct Counting;

// SAFETY: every call goes to the system's allocator as it is; counting touches no memory of the caller's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `realloc`, and the memory came from the system's allocator.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and the memory came from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this process so far.
pub fn count() -> u64 {
    COUNTS.iter().map(|lane| lane.0.load(Ordering::Relaxed)).sum()
}
