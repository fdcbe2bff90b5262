//! Running what is foreign: its panic ends here, and of its text no more is kept than fits.
//!
//! The crates of the house share this module; it is no part of what they promise.

use std::any::Any;
use std::fmt::{self, Display, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

/// The most of a text that is kept.
const MOST_BYTES: usize = 512;

/// Calls `foreign`; nothing when it panics.
pub fn contain<R>(foreign: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(foreign)) {
        Ok(answer) => Some(answer),
        Err(panic) => {
            dispose(panic);
            None
        }
    }
}

/// Drops foreign things in their order, each whatever the others do: two that panic while one buffer is dropped would end
/// the process.
pub fn drop_each(things: impl IntoIterator) {
    let mut things = things.into_iter();
    while contain(|| things.by_ref().for_each(drop)).is_none() {}
}

/// Wakes tasks in their order, each whatever the wakers of the others do.
pub fn wake_each(wakers: impl IntoIterator<Item = Waker>) {
    let mut wakers = wakers.into_iter();
    while contain(|| wakers.by_ref().for_each(Waker::wake)).is_none() {}
}

/// A copy of a foreign thing; nothing when making it panics.
#[inline]
pub fn copy<T: Clone>(thing: &T) -> Option<T> {
    // Of what has no size nothing is foreign, and nothing is worth the guard.
    if size_of::<T>() == 0 { Some(thing.clone()) } else { contain(|| thing.clone()) }
}

/// Drops one foreign thing; what it panics with ends here.
pub fn drop_one<T>(thing: T) {
    if std::mem::needs_drop::<T>() {
        contain(|| drop(thing));
    }
}

/// Empties a buffer of foreign things, as [`drop_each`] does, and keeps its room.
pub fn clear<T>(things: &mut Vec<T>) {
    if std::mem::needs_drop::<T>() && !things.is_empty() {
        drop_each(things.drain(..));
    } else {
        things.clear();
    }
}

/// Drops what foreign code panicked with, which is foreign too. What that drop panics with is let be: it could go on for
/// ever.
pub fn dispose(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}

/// What foreign code panicked with, if it is a text, and otherwise that it did.
pub fn panic_text(panic: &(dyn Any + Send)) -> Arc<str> {
    brief(&panic_message(panic).unwrap_or("the body panicked"))
}

/// What foreign code panicked with, if it is a text.
pub fn panic_message(panic: &(dyn Any + Send)) -> Option<&str> {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
}

/// The beginning of an error's text, at most 512 bytes; a longer one is not even written.
pub fn brief(error: &impl Display) -> Arc<str> {
    struct Brief(String);

    impl Write for Brief {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for character in text.chars() {
                if self.0.len() + character.len_utf8() > MOST_BYTES {
                    return Err(fmt::Error);
                }
                self.0.push(character);
            }
            Ok(())
        }
    }

    let mut brief = Brief(String::new());
    match write!(brief, "{error}") {
        // An error means that there is no more room, or that the text gave up; what is there is kept.
        Ok(()) | Err(fmt::Error) => brief.0.into(),
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

    #[test]
    fn each_of_many_that_go_off_is_dropped_and_what_is_left_out_stays() {
        let mut bombs = vec![Bomb, Bomb, Bomb, Bomb];
        drop_each(bombs.drain(..2));
        assert_eq!(bombs.len(), 2);
        clear(&mut bombs);
        assert!(bombs.is_empty() && bombs.capacity() >= 4);
        let mut rest = vec![Bomb, Bomb].into_iter();
        drop_each(rest.by_ref().take(1));
        assert_eq!(rest.len(), 1);
        drop_each(rest);
    }

    #[test]
    fn an_error_is_cut_between_characters() {
        assert_eq!(&*brief(&"short"), "short");
        let long = "é".repeat(300);
        assert_eq!(brief(&long).len(), 512);
        let odd = format!("x{long}");
        assert_eq!(brief(&odd).len(), 511);
    }
}
