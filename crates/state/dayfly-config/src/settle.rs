//! When to read, and when what was read counts: a plain machine that is told the time.
//!
//! ```text
//!           hint, poll            reading: something new
//!   Idle ────────────▶ Due ─────────────────────────────▶ Settling ◀─┐ hint: waits on
//!    ▲                  │ reading: nothing new               │  │     │ reading: new again
//!    ├──────────────────┘                                    │  └─────┘
//!    └───────────────────────────────────────────────────────┘
//!        reading: the same again, or the bound is reached: judge it; back to what is known: forget it
//! ```
//!
//! Events are hints, the content decides. A content that was judged is known, whatever the judgement, so that the same
//! wrong content is reported once.

use std::time::Duration;

use tokio::time::Instant;

use crate::contents::Fingerprint;
use crate::options::WatchOptions;

#[derive(Debug)]
pub(crate) struct Settle {
    quiet: Duration,
    within: Duration,
    poll_every: Option<Duration>,
    known: Fingerprint,
    state: State,
    /// Readings after which nothing was new are a quiet time apart, however many hints come.
    rested_at: Instant,
    poll_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Due { at: Instant },
    Settling { seen: Fingerprint, until: Instant, at: Instant },
}

/// What a reading means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing, or nothing yet.
    Wait,
    /// This content counts: judge it.
    Judge,
}

impl Settle {
    pub(crate) fn new(options: &WatchOptions, now: Instant, known: Fingerprint) -> Self {
        Self {
            quiet: options.settle,
            within: options.settle_within,
            poll_every: options.poll_every,
            known,
            state: State::Idle,
            rested_at: now,
            poll_at: options.poll_every.map(|pause| after(now, pause)),
        }
    }

    /// Something may have changed.
    pub(crate) fn hint(&mut self, now: Instant) {
        self.state = match self.state {
            State::Idle => State::Due { at: now.max(self.rested_at) },
            due @ State::Due { .. } => due,
            State::Settling { seen, until, .. } => {
                State::Settling { seen, until, at: after(now, self.quiet).min(until) }
            }
        };
    }

    /// When to come back, if nothing happens before.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Idle => self.poll_at,
            State::Due { at } | State::Settling { at, .. } => Some(at),
        }
    }

    /// Whether it is time to read.
    pub(crate) fn wants_reading(&self, now: Instant) -> bool {
        self.due().is_some_and(|at| at <= now)
    }

    /// This was read, and the reading ended now.
    pub(crate) fn read(&mut self, now: Instant, print: Fingerprint) -> Verdict {
        self.poll_at = self.poll_every.map(|pause| after(now, pause));
        let settling =
            |until: Instant| State::Settling { seen: print, until, at: after(now, self.quiet).min(until) };
        let (state, verdict) = match self.state {
            _ if print == self.known => (State::Idle, Verdict::Wait),
            State::Settling { seen, until, .. } if seen == print || now >= until => {
                (State::Idle, Verdict::Judge)
            }
            State::Settling { until, .. } => (settling(until), Verdict::Wait),
            State::Idle | State::Due { .. } if self.quiet.is_zero() => (State::Idle, Verdict::Judge),
            State::Idle | State::Due { .. } => (settling(after(now, self.within)), Verdict::Wait),
        };
        self.state = state;
        if state == State::Idle {
            self.rested_at = after(now, self.quiet);
        }
        if verdict == Verdict::Judge {
            self.known = print;
        }
        verdict
    }

    /// This was judged by request, without waiting for anything.
    pub(crate) fn judged(&mut self, now: Instant, print: Fingerprint) {
        self.known = print;
        self.state = State::Idle;
        self.rested_at = after(now, self.quiet);
        self.poll_at = self.poll_every.map(|pause| after(now, pause));
    }
}

/// An instant that does not overflow; far enough is as good as never.
fn after(now: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);
    now.checked_add(wait.min(FAR)).unwrap_or(now)
}

#[cfg(test)]
mod tests;
