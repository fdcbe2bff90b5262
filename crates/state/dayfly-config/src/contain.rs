//! Running what is foreign: its panic ends here.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `foreign`; what it panicked with as a text when it does.
pub(crate) fn contain<R>(foreign: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(foreign)).map_err(|panic| {
        let text = text(&*panic);
        dispose(panic);
        text
    })
}

fn text(panic: &(dyn Any + Send)) -> String {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    let text = owned.or_else(|| panic.downcast_ref::<&str>().copied());
    text.map_or_else(|| "panicked".to_owned(), |text| format!("panicked: {text}"))
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
        assert_eq!(contain(|| 7), Ok(7));
        assert_eq!(contain(|| panic!("no more")), Err::<(), _>("panicked: no more".to_owned()));
        assert_eq!(contain(|| panic_any(Bomb)), Err::<(), _>("panicked".to_owned()));
    }
}
