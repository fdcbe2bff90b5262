//! What a value must obey beyond its types.

use crate::problem::Problem;

/// Says whether a value that could be read may be put in force. Closures of this form do.
///
/// It is asked before every swap, the first included, on a thread for blocking work. A panic counts as a refusal.
///
/// ```
/// use dayfly_config::Invalid;
///
/// struct Limits { low: u32, high: u32 }
///
/// let check = |limits: &Limits| -> Result<(), Invalid> {
///     if limits.low > limits.high {
///         return Err(Invalid::at("low", "must not be above `high`"));
///     }
///     Ok(())
/// };
/// # fn takes(_: impl dayfly_config::Validate<Limits>) {} takes(check);
/// ```
pub trait Validate<T>: Send + Sync + 'static {
    /// Whether the value obeys.
    ///
    /// # Errors
    /// Names what does not.
    fn validate(&self, value: &T) -> Result<(), Invalid>;
}

impl<T, F> Validate<T> for F
where
    F: Fn(&T) -> Result<(), Invalid> + Send + Sync + 'static,
{
    fn validate(&self, value: &T) -> Result<(), Invalid> {
        self(value)
    }
}

/// Lets everything pass that could be read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Anything;

impl<T> Validate<T> for Anything {
    fn validate(&self, _: &T) -> Result<(), Invalid> {
        Ok(())
    }
}

/// What a value does not obey: one rule or several, each with the key that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    pub(crate) problems: Vec<Problem>,
}

impl Invalid {
    /// A broken rule that is about the whole.
    #[must_use]
    pub fn new(rule: impl Into<String>) -> Self {
        Self::at("", rule)
    }

    /// A broken rule that is about this key, such as `orders.max_concurrency`: the report says where it stands.
    #[must_use]
    pub fn at(key: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { problems: vec![Problem::new(rule).at(key)] }
    }

    /// Several, in one answer.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        self
    }
}
