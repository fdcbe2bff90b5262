//! What is shared between threads without a lock, by one name for who builds it under a model checker.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
