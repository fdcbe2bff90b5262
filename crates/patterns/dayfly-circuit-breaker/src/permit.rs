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
    pass: Pass,
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

impl<'a> Permit<'a> {
    #[inline]
    pub(crate) const fn new(breaker: &'a CircuitBreaker, pass: Pass) -> Self {
        Self { breaker, pass }
    }

    /// The call went as it is judged.
    #[inline]
    pub fn record(self, judgement: Judgement) {
        let Self { breaker, pass } = self;
        // There is nothing in it that has to be dropped, and nothing more to say.
        std::mem::forget(self);
        breaker.complete(pass, judgement);
    }
}

impl OwnedPermit {
    #[inline]
    pub(crate) const fn new(breaker: CircuitBreaker, pass: Pass) -> Self {
        Self { breaker, pass: Some(pass) }
    }

    /// The call went as it is judged.
    #[inline]
    pub fn record(mut self, judgement: Judgement) {
        if let Some(pass) = self.pass.take() {
            self.breaker.complete(pass, judgement);
        }
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.breaker.complete(self.pass, says_when_dropped());
    }
}

impl Drop for OwnedPermit {
    #[inline]
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.breaker.complete(pass, says_when_dropped());
        }
    }
}

fn says_when_dropped() -> Judgement {
    if std::thread::panicking() { Judgement::Failure } else { Judgement::Ignored }
}

macro_rules! says {
    ($($permit:ty),*) => {$(
        impl $permit {
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
        }
    )*};
}

says!(Permit<'_>, OwnedPermit);
