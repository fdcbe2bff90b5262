//! The right to make one call, and the duty to say how it went.

use crate::CircuitBreaker;
use crate::run::Admitted;

/// How a call went, as far as the breaker is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It speaks for the service.
    Success,
    /// It speaks against the service.
    Failure,
    /// It says nothing about the service: a caller's mistake, for example.
    Ignored,
}

/// The right to make one call. Say how it went; a permit that is dropped without a word says nothing, as when the caller
/// gave up, and gives its probe back. Dropped by a panic, it counts as a failure.
#[derive(Debug)]
#[must_use = "a permit that is dropped says nothing about the call"]
pub struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    pass: Option<Pass>,
}

/// The same, for a call that outlives the borrow: in a task of its own, for example.
#[derive(Debug)]
#[must_use = "a permit that is dropped says nothing about the call"]
pub struct OwnedPermit {
    breaker: CircuitBreaker,
    pass: Option<Pass>,
}

/// Under what a call was admitted, and when it began where that matters: in nanoseconds of the breaker's life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) call: Admitted,
    pub(crate) began: u64,
}

macro_rules! permit {
    ([$($lifetime:tt)*], $name:ty, $breaker:ty) => {
        impl<$($lifetime)*> $name {
            #[inline]
            pub(crate) const fn new(breaker: $breaker, pass: Pass) -> Self {
                Self { breaker, pass: Some(pass) }
            }

            /// The call succeeded.
            #[inline]
            pub fn success(self) {
                self.record(Judgement::Success);
            }

            /// The call failed.
            #[inline]
            pub fn failure(self) {
                self.record(Judgement::Failure);
            }

            /// The call went as it is judged.
            #[inline]
            pub fn record(mut self, judgement: Judgement) {
                if let Some(pass) = self.pass.take() {
                    self.breaker.complete(pass, judgement);
                }
            }
        }

        impl<$($lifetime)*> Drop for $name {
            #[inline]
            fn drop(&mut self) {
                let Some(pass) = self.pass.take() else { return };
                let says = if std::thread::panicking() { Judgement::Failure } else { Judgement::Ignored };
                self.breaker.complete(pass, says);
            }
        }
    };
}

permit!(['a], Permit<'a>, &'a CircuitBreaker);
permit!([], OwnedPermit, CircuitBreaker);
