//! What the result of a service is worth.

use dayfly_circuit_breaker::Judgement;
use dayfly_retry::Verdict;

use crate::Class;

/// Says what the result of a service is worth, be it a response or an error: any closure that takes it and returns something
/// that a [`Class`] can be made of. A response may well be a failure, such as a 503.
pub trait Judge<R, E> {
    /// What it is worth.
    fn judge(&self, result: &Result<R, E>) -> Class;
}

/// Every error is a failure that is worth another attempt, and every response is fine.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnErrors;

impl<R, E> Judge<R, E> for OnErrors {
    #[inline]
    fn judge(&self, result: &Result<R, E>) -> Class {
        match result {
            Ok(_) => Class::FINE,
            Err(_) => Class::new(Verdict::Retry, Judgement::Failure),
        }
    }
}

impl<R, E, C, F> Judge<R, E> for F
where
    C: Into<Class>,
    F: Fn(&Result<R, E>) -> C,
{
    #[inline]
    fn judge(&self, result: &Result<R, E>) -> Class {
        self(result).into()
    }
}
