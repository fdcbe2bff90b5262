//! Running what is foreign: its panic ends here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dayfly::contain::{dispose, panic_message};

/// Calls `foreign`; what it panicked with, as text, when it does.
pub(crate) fn contain<R>(foreign: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(foreign)).map_err(|panic| {
        let text =
            panic_message(&*panic).map_or_else(|| "panicked".to_owned(), |text| format!("panicked: {text}"));
        dispose(panic);
        text
    })
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
        assert_eq!(contain(|| 7), Ok(7));
        assert_eq!(contain(|| panic!("no more")), Err::<(), _>("panicked: no more".to_owned()));
        assert_eq!(contain(|| panic_any(Bomb)), Err::<(), _>("panicked".to_owned()));
    }
}
