//! The value of an option: the rule that it stands under, and how configuration writes it.
//!
//! The crates of the house share this module; it is no part of what they promise.

#[cfg(feature = "serde")]
pub mod deferral;
#[cfg(feature = "durations")]
mod length;
#[cfg(feature = "serde")]
mod notation;
#[cfg(feature = "serde")]
mod table;

#[cfg(feature = "durations")]
pub use length::length;
#[cfg(feature = "serde")]
pub use notation::{HumanDuration, duration, duration_or_never, obeyed, optional_duration};
#[cfg(feature = "serde")]
pub use table::Table;

/// A value that its rule allows, or the rule that it breaks.
pub type Checked<T> = Result<T, &'static str>;

/// What a setter keeps. Reading configuration asks the same rule and returns an error instead.
///
/// # Panics
/// With the rule that the value breaks.
#[must_use]
#[track_caller]
pub const fn kept<T: Copy>(checked: Checked<T>) -> T {
    match checked {
        Ok(value) => value,
        Err(rule) => panic!("{}", rule),
    }
}
