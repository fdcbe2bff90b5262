//! The pipeline and a naive model of it, through the same calls on the same virtual clock.

use std::cell::RefCell;

use dayfly_circuit_breaker::{BreakerOptions, BreakerState};
use dayfly_resilience::{CallError, Pipeline, PipelineOptions, Scope};
use dayfly_retry::{Backoff, Verdict};
use dayfly_signal::SignalSink;
use dayfly_testing::paused;
use proptest::prelude::*;
use tokio::time::{Duration, Instant, sleep};

/// Times are milliseconds throughout.
#[derive(Clone, Copy, Debug)]
struct Rules {
    total: Option<u64>,
    attempts: u32,
    delay: u64,
    cap: u64,
    breaker: Option<(u32, u64, u32)>,
    attempt: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Well,
    /// It is worth another attempt.
    Busy,
    /// The caller's own mistake.
    Wrong,
}

/// What an attempt does: so long, and then that.
type Attempt = (u64, How);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Well,
    Failed(How),
    Open(u64),
    TimedOut(Scope),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Closed { in_a_row: u32 },
    Open { until: u64 },
    HalfOpen { passed: u32 },
}

/// What is promised, written down as plainly as can be.
struct Model {
    rules: Rules,
    now: u64,
    state: State,
}

impl Model {
    fn call(&mut self, script: &[Attempt]) -> (Outcome, u32) {
        let deadline = self.rules.total.map(|total| self.now + total);
        let mut script = script.iter();
        let (mut made, mut number) = (0, 1);
        loop {
            let outcome = if let Some(wait) = self.refusal() {
                Outcome::Open(wait)
            } else {
                made += 1;
                self.attempt(*script.next().unwrap(), deadline)
            };
            let delay = match outcome {
                Outcome::Well | Outcome::Failed(How::Wrong) | Outcome::TimedOut(Scope::Total) => None,
                Outcome::Open(wait) => Some(wait.min(self.rules.cap)),
                _ => Some(self.rules.delay.min(self.rules.cap)),
            };
            let Some(delay) = delay else { return (outcome, made) };
            if number == self.rules.attempts || deadline.is_some_and(|deadline| self.now + delay >= deadline)
            {
                return (outcome, made);
            }
            self.now += delay;
            number += 1;
        }
    }

    fn refusal(&mut self) -> Option<u64> {
        self.elapse();
        match self.state {
            State::Open { until } if self.rules.breaker.is_some() => Some(until - self.now),
            _ => None,
        }
    }

    fn elapse(&mut self) {
        if let State::Open { until } = self.state
            && self.now >= until
        {
            self.state = State::HalfOpen { passed: 0 };
        }
    }

    fn attempt(&mut self, (length, how): Attempt, deadline: Option<u64>) -> Outcome {
        let left = deadline.map(|deadline| deadline - self.now);
        let (limit, scope) = match (self.rules.attempt, left) {
            (Some(own), Some(left)) if own < left => (own, Scope::Attempt),
            (_, Some(left)) => (left, Scope::Total),
            (Some(own), None) => (own, Scope::Attempt),
            (None, None) => (u64::MAX, Scope::Attempt),
        };
        self.now += length.min(limit);
        let outcome = match how {
            _ if length > limit => Outcome::TimedOut(scope),
            How::Well => Outcome::Well,
            how => Outcome::Failed(how),
        };
        self.learn(match outcome {
            Outcome::Well => Some(true),
            Outcome::Failed(How::Wrong) => None,
            _ => Some(false),
        });
        outcome
    }

    fn learn(&mut self, went_well: Option<bool>) {
        let (Some((threshold, open_for, successes)), Some(went_well)) = (self.rules.breaker, went_well)
        else {
            return;
        };
        let open = State::Open { until: self.now + open_for };
        self.state = match (self.state, went_well) {
            (State::Closed { in_a_row }, false) if in_a_row + 1 < threshold => {
                State::Closed { in_a_row: in_a_row + 1 }
            }
            (State::HalfOpen { passed }, true) if passed + 1 < successes => {
                State::HalfOpen { passed: passed + 1 }
            }
            (State::Closed { .. } | State::HalfOpen { .. }, true) => State::Closed { in_a_row: 0 },
            (_, false) => open,
            (state, true) => state,
        };
    }
}

fn options(rules: Rules) -> PipelineOptions {
    let milliseconds = Duration::from_millis;
    let backoff = Backoff::constant(milliseconds(rules.delay)).cap(milliseconds(rules.cap));
    let mut options = PipelineOptions::new().attempts(rules.attempts).backoff(backoff).max_concurrency(1);
    if let Some(total) = rules.total {
        options = options.total_timeout(milliseconds(total));
    }
    if let Some(attempt) = rules.attempt {
        options = options.attempt_timeout(milliseconds(attempt));
    }
    if let Some((failures, open_for, successes)) = rules.breaker {
        let breaker = BreakerOptions::new().failure_threshold(failures).successes(successes);
        options = options.breaker(breaker.open_for(milliseconds(open_for)));
    }
    options
}

async fn compare(rules: Rules, calls: &[(u64, Vec<Attempt>)]) -> Result<(), TestCaseError> {
    let classify = |how: &How| Verdict::from(*how == How::Busy);
    let bank = Pipeline::classified("bank", options(rules), &SignalSink::default(), classify);
    let start = Instant::now();
    let mut model = Model { rules, now: 0, state: State::Closed { in_a_row: 0 } };
    for (pause, script) in calls {
        sleep(Duration::from_millis(*pause)).await;
        model.now += pause;
        let expected = model.call(script);

        let steps = RefCell::new(script.iter());
        let mut made = 0;
        let ended = bank.call(|_| {
            made += 1;
            let (length, how) = *steps.borrow_mut().next().unwrap();
            async move {
                if length > 0 {
                    sleep(Duration::from_millis(length)).await;
                }
                if how == How::Well { Ok(()) } else { Err(how) }
            }
        });
        let outcome = match ended.await {
            Ok(()) => Outcome::Well,
            Err(CallError::Inner(how)) => Outcome::Failed(how),
            Err(CallError::Open { retry_after }) => {
                Outcome::Open(u64::try_from(retry_after.as_millis()).unwrap())
            }
            Err(CallError::TimedOut { scope, .. }) => Outcome::TimedOut(scope),
            Err(other) => panic!("{other:?}"),
        };
        prop_assert_eq!((outcome, made), expected);
        prop_assert_eq!(start.elapsed(), Duration::from_millis(model.now), "at what time");
        model.elapse();
        let state = match model.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        };
        let seen = bank.stats();
        prop_assert_eq!(seen.breaker.state, state);
        if let State::Closed { in_a_row } = model.state {
            prop_assert_eq!(seen.breaker.failures_in_a_row, in_a_row);
        }
        prop_assert_eq!(seen.limiter.in_use, 0);
    }
    Ok(())
}

fn rules() -> impl Strategy<Value = Rules> {
    let breaker = proptest::option::of((1_u32..5, 1_u64..40, 1_u32..3));
    let timeouts = (proptest::option::of(1_u64..60), proptest::option::of(1_u64..12));
    (timeouts, 1_u32..5, 0_u64..8, 1_u64..30, breaker).prop_map(
        |((total, attempt), attempts, delay, cap, breaker)| Rules {
            total,
            attempts,
            delay,
            cap,
            breaker,
            attempt,
        },
    )
}

fn calls() -> impl Strategy<Value = Vec<(u64, Vec<Attempt>)>> {
    let how = prop_oneof![2 => Just(How::Well), 4 => Just(How::Busy), 1 => Just(How::Wrong)];
    let script = proptest::collection::vec((0_u64..15, how), 5);
    proptest::collection::vec((0_u64..30, script), 1..15)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn the_pipeline_does_what_its_policies_say_one_by_one(rules in rules(), calls in calls()) {
        paused(compare(rules, &calls))?;
    }
}
