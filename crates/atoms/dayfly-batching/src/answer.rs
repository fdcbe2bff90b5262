//! How a handler says what has become of a batch.

use std::convert::Infallible;

/// What has become of the items of a batch, in their order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answers<V, E> {
    /// A value for each item.
    Values(Vec<V>),
    /// A value or an error for each item.
    Each(Vec<Result<V, E>>),
    /// All items are done, each with what this makes.
    Done(fn() -> V),
    /// The whole batch failed.
    Failed(E),
}

/// What a handler may return.
///
/// | a handler returns | each item's outcome |
/// |---|---|
/// | `()` | done |
/// | `Result<(), E>` | done, or the error, which all items of the batch share |
/// | `Result<Vec<V>, E>` | its value, or the error, which all share |
/// | `Vec<Result<V, E>>` | its own value or error |
/// | [`Answers<V, E>`] | any of these |
#[diagnostic::on_unimplemented(
    message = "a handler cannot answer with `{Self}`",
    label = "the handler's future returns `{Self}`",
    note = "answer with `()`, `Result<(), E>`, `Result<Vec<V>, E>`, `Vec<Result<V, E>>` or `Answers<V, E>`",
    note = "a handler that has a value for each item and never fails can return `Ok::<_, Infallible>(values)`"
)]
pub trait Answer: Send + 'static {
    /// What a submitted item yields.
    type Value;
    /// Why an item or a batch failed.
    type Error;

    /// The one form that the batcher understands.
    fn into_answers(self) -> Answers<Self::Value, Self::Error>;
}

impl Answer for () {
    type Value = ();
    type Error = Infallible;

    fn into_answers(self) -> Answers<(), Infallible> {
        Answers::Done(|| ())
    }
}

impl<E: Send + 'static> Answer for Result<(), E> {
    type Value = ();
    type Error = E;

    fn into_answers(self) -> Answers<(), E> {
        match self {
            Ok(()) => Answers::Done(|| ()),
            Err(error) => Answers::Failed(error),
        }
    }
}

impl<V: Send + 'static, E: Send + 'static> Answer for Result<Vec<V>, E> {
    type Value = V;
    type Error = E;

    fn into_answers(self) -> Answers<V, E> {
        match self {
            Ok(values) => Answers::Values(values),
            Err(error) => Answers::Failed(error),
        }
    }
}

impl<V: Send + 'static, E: Send + 'static> Answer for Vec<Result<V, E>> {
    type Value = V;
    type Error = E;

    fn into_answers(self) -> Answers<V, E> {
        Answers::Each(self)
    }
}

impl<V: Send + 'static, E: Send + 'static> Answer for Answers<V, E> {
    type Value = V;
    type Error = E;

    fn into_answers(self) -> Self {
        self
    }
}
