//! Which bodies of a worker were woken: a bit for each slot, and one wake-up of the worker for any number of them.

use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::sync::{AtomicBool, AtomicU32, AtomicU64, AtomicWaker, Ordering};

/// The bits of one worker, as the worker sees them.
pub(super) struct Ready {
    hub: Arc<Hub>,
    blocks: Vec<Arc<Block>>,
}

/// A worker, as those see it who wake it.
#[derive(Default)]
pub(super) struct Hub {
    worker: AtomicWaker,
    /// While it is, the worker looks at the bits again before it sleeps, so that nobody has to wake it.
    is_awake: AtomicBool,
    was_nudged: AtomicBool,
    /// What its task wanted while somebody else had its turn.
    missed: AtomicU32,
    /// Whether its task exists, or is being made.
    has_started: AtomicBool,
}

/// The bits of 64 slots.
struct Block {
    bits: AtomicU64,
    hub: Arc<Hub>,
}

/// What a body's waker leads to.
struct Bit {
    block: Arc<Block>,
    mask: u64,
}

/// What a worker's task may miss.
const A_TURN: u32 = 1;
const THE_END: u32 = 2;

/// Slots of one block.
pub(super) const WIDTH: usize = 64;

impl Ready {
    pub(super) const fn new(hub: Arc<Hub>) -> Self {
        Self { hub, blocks: Vec::new() }
    }

    /// The waker of a slot. It is made once for as long as the worker lives.
    pub(super) fn waker(&mut self, slot: usize) -> Waker {
        while self.blocks.len() <= slot / WIDTH {
            self.blocks.push(Arc::new(Block { bits: AtomicU64::new(0), hub: Arc::clone(&self.hub) }));
        }
        let block = Arc::clone(&self.blocks[slot / WIDTH]);
        Waker::from(Arc::new(Bit { block, mask: 1 << (slot % WIDTH) }))
    }

    /// To be called at the beginning of a turn.
    pub(super) fn wake_up(&self, worker: &Waker) {
        self.hub.worker.register(worker);
        self.hub.is_awake.store(true, Ordering::SeqCst);
    }

    pub(super) const fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The woken slots of one block. They count as not woken from here on.
    pub(super) fn take(&self, block: usize) -> u64 {
        let Some(block) = self.blocks.get(block) else { return 0 };
        // Looking is cheaper than swapping, and most blocks are at rest.
        if block.bits.load(Ordering::Relaxed) == 0 { 0 } else { block.bits.swap(0, Ordering::SeqCst) }
    }

    /// Goes to sleep unless a slot was woken meanwhile. Says whether it does.
    pub(super) fn fall_asleep(&self) -> bool {
        // Either a waker sees that the worker sleeps, or the worker sees its bit: both stores come before both looks.
        self.hub.is_awake.store(false, Ordering::SeqCst);
        let sleeps = self.blocks.iter().all(|block| block.bits.load(Ordering::SeqCst) == 0);
        if !sleeps {
            self.hub.is_awake.store(true, Ordering::SeqCst);
        }
        sleeps
    }
}

impl Hub {
    /// Whether the caller has to start the worker. One of all who ask is told so, and the first turn is as good as a
    /// nudge.
    pub(super) fn must_start(&self) -> bool {
        !self.has_started() && !self.has_started.swap(true, Ordering::AcqRel)
    }

    pub(super) fn has_started(&self) -> bool {
        self.has_started.load(Ordering::Acquire)
    }

    /// Has the worker take a turn, whether or not a slot was woken.
    pub(super) fn nudge(&self) {
        self.was_nudged.store(true, Ordering::SeqCst);
        self.worker.wake();
    }

    /// The worker's task finds somebody else at work, and has to look once more after this: whoever that is may be gone.
    pub(super) fn miss_turn(&self, worker: &Waker) {
        self.worker.register(worker);
        self.missed.fetch_or(A_TURN, Ordering::AcqRel);
    }

    /// The worker's task is gone, as the runtime is, and looks for the last time after this.
    pub(super) fn miss_end(&self) {
        self.missed.fetch_or(THE_END, Ordering::AcqRel);
    }

    /// To be called by somebody else who has left the worker. Wakes its task if that came meanwhile, and says whether it
    /// is gone: then what is left is the caller's to look after.
    pub(super) fn make_up(&self) -> bool {
        // Either this comes later and sees what was missed, or the task sees that the worker is free.
        let missed = self.missed.swap(0, Ordering::AcqRel);
        if missed & A_TURN != 0 {
            self.worker.wake();
        }
        missed & THE_END != 0
    }

    /// Whether the worker is busy: in a turn, or between two that follow each other.
    pub(super) fn is_awake(&self) -> bool {
        self.is_awake.load(Ordering::Relaxed)
    }

    /// Whether the worker was nudged since this was last asked.
    pub(super) fn was_nudged(&self) -> bool {
        self.was_nudged.load(Ordering::Relaxed) && self.was_nudged.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Bit {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let before = self.block.bits.fetch_or(self.mask, Ordering::SeqCst);
        if before == 0 && !self.block.hub.is_awake.load(Ordering::SeqCst) {
            self.block.hub.worker.wake();
        }
    }
}
