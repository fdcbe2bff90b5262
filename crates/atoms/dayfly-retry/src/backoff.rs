//! How long to wait before an attempt: a schedule, a cap and jitter, as data.

use std::time::Duration;

use dayfly_signal::setting::kept;

use draw::Draw;

mod delays;
mod draw;
#[cfg(feature = "serde")]
mod form;
mod rules;

pub use delays::Delays;
pub(crate) use draw::seed_of;

/// The cap, unless a delay that was written out is longer.
const USUAL_CAP: Duration = Duration::from_secs(60);

/// The most delays that a list may have. They stand in the value itself, so that a backoff can be a constant.
const MOST_LISTED: usize = 16;

/// The links of decorrelated jitter's chain that are looked back on at most.
const LINKS: u32 = 64;

/// How long to wait before an attempt: a schedule, a cap and jitter.
///
/// | schedule | delay before retry *n* |
/// |---|---|
/// | [`constant`](Self::constant) | always the same |
/// | [`linear`](Self::linear) | *n* steps |
/// | [`exponential`](Self::exponential) | the first one, times the [`factor`](Self::factor) (2) to the power of *n* - 1 |
/// | [`listed`](Self::listed) | the *n*-th of the list; after its end the last one |
///
/// Nothing overflows: a delay that is too long is the [`cap`](Self::cap), which jitter never exceeds either. The same
/// retry and seed always give the same delay.
///
/// ```
/// use std::time::Duration;
/// use dayfly_retry::{Backoff, Jitter};
///
/// const PLAIN: Backoff = Backoff::exponential(Duration::from_millis(100)).cap(Duration::from_secs(1));
/// let delays: Vec<u128> = PLAIN.delays(0).take(6).map(|delay| delay.as_millis()).collect();
/// assert_eq!(delays, [100, 200, 400, 800, 1_000, 1_000]);
///
/// const SPREAD: Backoff = PLAIN.jitter(Jitter::Full);
/// assert!(SPREAD.delay(3, 42) <= Duration::from_millis(400));
/// assert_eq!(SPREAD.delay(3, 42), SPREAD.delays(42).nth(2).unwrap());
/// ```
///
/// With the feature `serde`, configuration names the schedule and gives its delay:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly_retry::{Backoff, Jitter};
/// let spread: Backoff = toml::from_str(
///     r#"
///     exponential = "100ms"
///     factor = 1.5
///     cap = "30s"
///     jitter = "equal"
///     "#,
/// ).unwrap();
/// let same = Backoff::exponential(Duration::from_millis(100))
///     .factor(1.5)
///     .cap(Duration::from_secs(30))
///     .jitter(Jitter::Equal);
/// assert_eq!(spread, same);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Backoff {
    schedule: Schedule,
    cap: Duration,
    jitter: Jitter,
}

/// How delays are spread, so that those who failed together do not come back together.
///
/// The names are those of the article [Exponential Backoff And
/// Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). With the feature `serde`,
/// configuration writes them in lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Jitter {
    /// Exactly what the schedule says.
    #[default]
    None,
    /// Anything from zero to what the schedule says: spreads best.
    Full,
    /// Anything from half of what the schedule says to all of it: never retries at once.
    Equal,
    /// Anything from the schedule's first delay to three times the delay before, whatever the schedule says later. Retry 65
    /// and every 64th after it take the cap for the delay before.
    Decorrelated,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a list in the value itself lets a backoff be a constant")]
enum Schedule {
    Constant(Duration),
    Linear(Duration),
    Exponential { first: Duration, factor: f64 },
    Listed { delays: [Duration; MOST_LISTED], count: usize },
}

impl Backoff {
    /// Always the same delay.
    pub const fn constant(delay: Duration) -> Self {
        Self::new(&Schedule::Constant(delay), delay)
    }

    /// One step before the first retry, two before the second, and so on.
    pub const fn linear(step: Duration) -> Self {
        Self::new(&Schedule::Linear(step), step)
    }

    /// This delay before the first retry, and before every other [`factor`](Self::factor) times the one before: twice,
    /// unless that is changed.
    pub const fn exponential(first: Duration) -> Self {
        Self::new(&Schedule::Exponential { first, factor: 2.0 }, first)
    }

    /// These delays one after the other, and then the last one for ever.
    ///
    /// # Panics
    /// When there are none, or more than 16.
    #[track_caller]
    pub const fn listed(delays: &[Duration]) -> Self {
        let given = kept(rules::listed(delays));
        let mut delays = [Duration::ZERO; MOST_LISTED];
        let mut longest = Duration::ZERO;
        let mut at = 0;
        while at < given.len() {
            delays[at] = given[at];
            longest = longer(longest, given[at]);
            at += 1;
        }
        Self::new(&Schedule::Listed { delays, count: given.len() }, longest)
    }

    const fn new(schedule: &Schedule, longest_given: Duration) -> Self {
        Self { schedule: *schedule, cap: longer(USUAL_CAP, longest_given), jitter: Jitter::None }
    }

    /// Sets how many times longer each delay is than the one before it.
    ///
    /// # Panics
    /// When it is below 1 or no finite number, and when the schedule is not exponential.
    #[track_caller]
    pub const fn factor(mut self, times: f64) -> Self {
        let times = kept(rules::factor(times));
        match &mut self.schedule {
            Schedule::Exponential { factor, .. } => *factor = times,
            _ => panic!("a factor belongs to an exponential backoff"),
        }
        self
    }

    /// Sets the longest delay there is, that of [`Verdict::RetryAfter`](crate::Verdict::RetryAfter) included. Unless it is
    /// set, it is 60 s, or the longest delay that was written out if that is longer. `Duration::MAX` is no cap.
    pub const fn cap(mut self, longest: Duration) -> Self {
        self.cap = longest;
        self
    }

    /// Sets how delays are spread. Unless it is set, they are not.
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// How long to wait before a retry; 1 is the first one, which is the second attempt.
    ///
    /// Calls with different seeds are spread independently of each other. Retry 0 is the first attempt, for which
    /// nobody waits.
    #[must_use]
    pub fn delay(&self, retry: u32, seed: u64) -> Duration {
        if retry == 0 {
            return Duration::ZERO;
        }
        let draw = Draw::new(seed);
        match self.jitter {
            Jitter::None => self.scheduled(retry),
            Jitter::Full => draw.up_to(self.scheduled(retry), retry),
            Jitter::Equal => {
                let most = self.scheduled(retry);
                most.saturating_sub(draw.up_to(most / 2, retry))
            }
            Jitter::Decorrelated => self.decorrelated(retry, draw),
        }
    }

    /// All delays in their order, without an end.
    pub const fn delays(&self, seed: u64) -> Delays {
        Delays::new(self, seed)
    }

    /// The longest delay there is.
    pub(crate) const fn longest(&self) -> Duration {
        self.cap
    }

    /// The delay before a retry, counted from 1, without jitter.
    fn scheduled(&self, retry: u32) -> Duration {
        let delay = match &self.schedule {
            Schedule::Constant(delay) => *delay,
            Schedule::Linear(step) => step.saturating_mul(retry),
            Schedule::Exponential { first, factor } => grown(*first, *factor, retry - 1),
            Schedule::Listed { delays, count } => {
                let at = usize::try_from(retry - 1).unwrap_or(usize::MAX);
                delays[at.min(count - 1)]
            }
        };
        delay.min(self.cap)
    }

    /// The chain is short, however many retries there were, since every 64th link is drawn without a look back.
    fn decorrelated(&self, retry: u32, draw: Draw) -> Duration {
        let least = self.scheduled(1);
        let begin = (retry - 1) / LINKS * LINKS + 1;
        let mut delay = if begin == 1 { least } else { self.cap };
        for link in begin..=retry {
            let most = delay.saturating_mul(3).max(least);
            delay = least.saturating_add(draw.up_to(most.saturating_sub(least), link)).min(self.cap);
        }
        delay
    }
}

/// `first` times `factor` to a power. What no duration can hold is the longest one.
fn grown(first: Duration, factor: f64, power: u32) -> Duration {
    let power = i32::try_from(power).unwrap_or(i32::MAX);
    // An infinite growth of nothing would be no number.
    let growth = factor.powi(power).min(f64::MAX);
    Duration::try_from_secs_f64(first.as_secs_f64() * growth).unwrap_or(Duration::MAX)
}

const fn longer(one: Duration, other: Duration) -> Duration {
    if one.as_nanos() > other.as_nanos() { one } else { other }
}

#[cfg(test)]
mod tests;
