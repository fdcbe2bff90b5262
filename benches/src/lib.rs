//! Paired comparisons: everybody runs in one process, round after round, in an order that rotates.

pub mod allocations;
pub mod contest;
pub mod runtimes;
