//! What it does, in one line.
//!
//! The decision that this crate owns, and one example that runs.
//!
//! # Guarantees
//! - What always holds.
//!
//! # Limits
//! - What it does not do.
//!
//! # When to use something else
//! - What serves better, and when.
