//! Paired comparisons: everybody runs in one process, round after round, in an order that rotates.

pub mod allocations;
pub mod arguments;
pub mod body;
pub mod busy;
pub mod contest;
pub mod pools;
pub mod resident;
pub mod runtimes;
pub mod tower_retries;
pub mod traffic;
