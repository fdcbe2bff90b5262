//! Running what is foreign: its panic ends here.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `foreign`; nothing when it panics.
pub(crate) fn contain<R>(foreign: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(foreign)) {
        Ok(answer) => Some(answer),
        Err(panic) => {
            dispose(panic);
            None
        }
    }
}

/// Drops what foreign code panicked with, which is foreign too. What that drop panics with is let be: it could go on for
/// ever.
fn dispose(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("it goes off when it is dropped")
        }
    }

    #[test]
    fn a_panic_ends_here_and_so_does_that_of_what_it_panicked_with() {
        assert_eq!(contain(|| 7), Some(7));
        assert_eq!(contain(|| panic_any(Bomb)), None::<()>);
    }
}
