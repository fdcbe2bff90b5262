//! The decision itself: whether there is another attempt, and after how long.

use std::time::Duration;

use crate::{GaveUp, RetryOptions, Verdict};

/// What is decided after an attempt that failed. `made` counts the attempts so far, and `left` is the time that the call
/// still has, if that is limited.
///
/// The budget is not asked here: it is asked last, so that nobody pays for a retry that does not take place.
pub(crate) fn plan(
    options: &RetryOptions,
    made: u32,
    verdict: Verdict,
    left: Option<Duration>,
    seed: u64,
) -> Result<Duration, GaveUp> {
    if verdict == Verdict::Stop {
        return Err(GaveUp::NotRetryable);
    }
    if made >= options.attempts {
        return Err(GaveUp::AttemptsExhausted);
    }
    let delay = match verdict {
        Verdict::RetryAfter(wait) => wait.min(options.backoff.longest()),
        Verdict::Retry | Verdict::Stop => options.backoff.delay(made, seed),
    };
    // An attempt that begins when the time is over has been waited for in vain.
    if left.is_some_and(|left| delay >= left) {
        return Err(GaveUp::DeadlineExceeded);
    }
    Ok(delay)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Backoff;

    fn verdicts() -> impl Strategy<Value = Verdict> {
        prop_oneof![
            Just(Verdict::Retry),
            (0_u64..8).prop_map(|seconds| Verdict::RetryAfter(Duration::from_secs(seconds))),
            Just(Verdict::RetryAfter(Duration::MAX)),
            Just(Verdict::Stop),
        ]
    }

    proptest! {
        #[test]
        fn a_retry_is_allowed_by_every_limit_and_refused_by_the_first_that_is_reached(
            attempts in 1_u32..6,
            made in 1_u32..8,
            verdict in verdicts(),
            left in proptest::option::of(0_u64..8),
            delay in 0_u64..8,
            cap in 1_u64..8,
        ) {
            let seconds = Duration::from_secs;
            let options = RetryOptions::new()
                .attempts(attempts)
                .backoff(Backoff::constant(seconds(delay)).cap(seconds(cap)));
            let wait = match verdict {
                Verdict::RetryAfter(wait) => wait,
                Verdict::Retry | Verdict::Stop => seconds(delay),
            };
            let wait = if wait > seconds(cap) { seconds(cap) } else { wait };
            let expected = if verdict == Verdict::Stop {
                Err(GaveUp::NotRetryable)
            } else if made >= attempts {
                Err(GaveUp::AttemptsExhausted)
            } else if left.is_some_and(|left| wait.as_secs() >= left) {
                Err(GaveUp::DeadlineExceeded)
            } else {
                Ok(wait)
            };
            prop_assert_eq!(plan(&options, made, verdict, left.map(seconds), 0), expected);
        }
    }
}
