//! What the end of an attempt is worth: to the retry, and to the breaker.

use dayfly_circuit_breaker::Judgement;
use dayfly_retry::Verdict;

/// What the end of an attempt is worth: another attempt or not, and a word for or against the service.
///
/// A classifier may return a [`Verdict`], a [`Judgement`] or a `bool` instead (`true` is a failure that is worth another
/// attempt); what it leaves open follows from what it says:
///
/// | it says | another attempt | the breaker counts |
/// |---|---|---|
/// | [`Verdict::Retry`], [`Verdict::RetryAfter`], `true` | yes | a failure |
/// | [`Verdict::Stop`], `false`, of an error | no | nothing |
/// | [`Verdict::Stop`], `false`, of a response | no | a success |
/// | [`Judgement::Failure`] | yes | a failure |
/// | [`Judgement::Success`], [`Judgement::Ignored`] | no | a success, nothing |
///
/// ```
/// use dayfly_circuit_breaker::Judgement;
/// use dayfly_resilience::Class;
/// use dayfly_retry::Verdict;
///
/// // The service is at fault, and yet the call must not be made twice.
/// const ONCE: Class = Class::new(Verdict::Stop, Judgement::Failure);
/// assert_eq!(ONCE.verdict(), Verdict::Stop);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    verdict: Verdict,
    judgement: Option<Judgement>,
}

impl Class {
    /// The end of a call that went well.
    pub(crate) const FINE: Self = Self::new(Verdict::Stop, Judgement::Success);

    /// Says both.
    #[must_use]
    pub const fn new(verdict: Verdict, judgement: Judgement) -> Self {
        Self { verdict, judgement: Some(judgement) }
    }

    /// Whether another attempt is worth it.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        self.verdict
    }

    /// What the breaker counts, of an error or of what is none.
    pub(crate) fn judgement(self, is_error: bool) -> Judgement {
        self.judgement.unwrap_or(match self.verdict {
            Verdict::Retry | Verdict::RetryAfter(_) => Judgement::Failure,
            Verdict::Stop if is_error => Judgement::Ignored,
            Verdict::Stop => Judgement::Success,
        })
    }
}

impl From<Verdict> for Class {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, judgement: None }
    }
}

impl From<bool> for Class {
    fn from(is_worth_another: bool) -> Self {
        Verdict::from(is_worth_another).into()
    }
}

impl From<Judgement> for Class {
    fn from(judgement: Judgement) -> Self {
        Self { verdict: Verdict::from(judgement == Judgement::Failure), judgement: Some(judgement) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_left_open_follows_from_what_is_said() {
        let after = Verdict::RetryAfter(Duration::from_secs(1));
        for worth in [Class::from(Verdict::Retry), Class::from(after), Class::from(true)] {
            assert_eq!([worth.judgement(true), worth.judgement(false)], [Judgement::Failure; 2]);
        }
        let stop = Class::from(false);
        assert_eq!(stop.judgement(true), Judgement::Ignored);
        assert_eq!(stop.judgement(false), Judgement::Success);
        assert_eq!(Class::from(Judgement::Failure).verdict(), Verdict::Retry);
        assert_eq!(Class::from(Judgement::Ignored).verdict(), Verdict::Stop);
        assert_eq!(Class::FINE.judgement(true), Judgement::Success);
    }
}
