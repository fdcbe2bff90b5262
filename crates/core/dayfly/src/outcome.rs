//! How a body says what has become of its item.

use std::convert::Infallible;
use std::fmt::Display;
use std::time::Duration;

/// How one attempt of an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended<T, V = (), E = Infallible> {
    /// The work is done.
    Done(V),
    /// The work failed and is not tried again.
    Failed(E),
    /// The work is to be tried again, not before `after` has passed.
    ///
    /// The operation keeps its id and gives its slot back meanwhile. With one operation per key its key stays
    /// parked, so nothing of the key overtakes it.
    Again {
        /// What the next attempt gets.
        item: T,
        /// How long to wait at least; zero for as soon as its turn comes. What lies beyond the clock's range, such as
        /// `Duration::MAX`, never comes by itself: the operation waits until it is hastened or ended.
        after: Duration,
    },
}

/// What a body may return: `()`, a `Result`, or [`Ended`] to have the item tried again.
#[diagnostic::on_unimplemented(
    message = "a body cannot end with `{Self}`",
    label = "the body's future returns `{Self}`",
    note = "end a body with `()`, with a `Result<V, E>` whose error implements `Display`, or with `op.done()`, \
            `op.fail(error)` or `op.again(item, after)`",
    note = "a body that returns a bare value can return `Ok::<_, Infallible>(value)`"
)]
pub trait Outcome<T>: Send + 'static {
    /// What a successful operation yields.
    type Value;
    /// Why an operation failed; the window keeps its text.
    type Error: Display;

    /// The one form that the engine understands.
    fn into_ended(self) -> Ended<T, Self::Value, Self::Error>;
}

impl<T> Outcome<T> for () {
    type Value = ();
    type Error = Infallible;

    fn into_ended(self) -> Ended<T> {
        Ended::Done(())
    }
}

impl<T, V: Send + 'static, E: Display + Send + 'static> Outcome<T> for Result<V, E> {
    type Value = V;
    type Error = E;

    fn into_ended(self) -> Ended<T, V, E> {
        match self {
            Ok(value) => Ended::Done(value),
            Err(error) => Ended::Failed(error),
        }
    }
}

impl<T: Send + 'static, V: Send + 'static, E: Display + Send + 'static> Outcome<T> for Ended<T, V, E> {
    type Value = V;
    type Error = E;

    fn into_ended(self) -> Self {
        self
    }
}
