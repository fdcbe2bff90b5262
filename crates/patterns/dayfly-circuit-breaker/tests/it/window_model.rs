//! Windows and a naive model of them, through the same random steps: successes are counted in one place or in another, and
//! nobody can tell.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker, Window};
use dayfly_signal::SignalSink;
use proptest::prelude::*;
use tokio::time::advance;

const TENTH: Duration = Duration::from_millis(100);
const SLOW_AFTER: u64 = 2;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many calls, each of which takes so many tenths of a second.
    Calls {
        times: u8,
        failed: bool,
        tenths: u64,
    },
    Wait {
        tenths: u64,
    },
    Look,
    Follow(Rules),
    Reset,
    /// Admitted now, it ends as a failure when everything else has been done.
    Keep,
}

/// What may be changed while it counts.
#[derive(Clone, Copy, Debug)]
struct Rules {
    failed: u8,
    slow: Option<u8>,
    minimum: u32,
    window: Size,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Calls(u32),
    /// Seconds.
    Time(u64),
}

impl Rules {
    fn options(self) -> BreakerOptions {
        let options = BreakerOptions::new()
            .without_failure_threshold()
            .failure_rate(f64::from(self.failed) / 4.0)
            .slow_after(TENTH * u32::try_from(SLOW_AFTER).unwrap())
            .minimum_calls(self.minimum)
            .open_for(Duration::from_secs(1))
            .window(match self.window {
                Size::Calls(calls) => Window::Calls(calls),
                Size::Time(seconds) => Window::Time(Duration::from_secs(seconds)),
            });
        match self.slow {
            Some(share) => options.slow_rate(f64::from(share) / 4.0),
            None => options,
        }
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let window = prop_oneof![(1_u32..40).prop_map(Size::Calls), (1_u64..4).prop_map(Size::Time)];
    (1_u8..=4, prop::option::of(1_u8..=4), 1_u32..12, window)
        .prop_map(|(failed, slow, minimum, window)| Rules { failed, slow, minimum, window })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1_u8..6, 0_u64..2).prop_map(|(times, tenths)| Step::Calls { times, failed: false, tenths }),
        2 => (1_u8..60).prop_map(|times| Step::Calls { times, failed: false, tenths: 0 }),
        4 => (1_u8..4, 0_u64..2).prop_map(|(times, tenths)| Step::Calls { times, failed: true, tenths }),
        2 => (1_u8..4).prop_map(|times| Step::Calls { times, failed: false, tenths: SLOW_AFTER + 1 }),
        4 => (0_u64..25).prop_map(|tenths| Step::Wait { tenths }),
        2 => Just(Step::Look),
        1 => rules().prop_map(Step::Follow),
        1 => Just(Step::Reset),
        1 => Just(Step::Keep),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Call {
    /// In tenths of a second of the whole run.
    at: u64,
    failed: bool,
    slow: bool,
}

/// All calls of the period that may still be in the window, and the shares taken anew each time.
#[derive(Debug)]
struct Model {
    rules: Rules,
    now: u64,
    state: BreakerState,
    /// When the open time has passed.
    until: u64,
    calls: Vec<Call>,
    /// When the current part of the window of time began, in hundredths of a second.
    part_began: u64,
}

impl Model {
    fn begin(&mut self, state: BreakerState) {
        self.state = state;
        self.clear();
    }

    fn clear(&mut self) {
        self.calls.clear();
        self.part_began = self.now * 10;
    }

    fn let_go(&mut self) {
        match self.rules.window {
            Size::Calls(size) => {
                let surplus = self.calls.len().saturating_sub(size as usize);
                self.calls.drain(..surplus);
            }
            Size::Time(seconds) => {
                // A tenth of the window, in hundredths of a second.
                let part = seconds * 10;
                let passed = (self.now * 10 - self.part_began) / part;
                if passed >= 10 {
                    self.clear();
                    return;
                }
                self.part_began += passed * part;
                let oldest = self.part_began.saturating_sub(9 * part);
                self.calls.retain(|call| call.at * 10 >= oldest);
            }
        }
    }

    fn end(&mut self, failed: bool, tenths: u64) {
        let slow = self.rules.slow.is_some() && tenths > SLOW_AFTER;
        match self.state {
            BreakerState::Closed => {
                self.let_go();
                self.calls.push(Call { at: self.now, failed, slow });
                self.let_go();
                let (calls, failed, slow) = self.counts();
                let enough = match self.rules.window {
                    Size::Calls(size) => self.rules.minimum.min(size),
                    Size::Time(_) => self.rules.minimum,
                };
                let reaches = |part: u32, share: u8| part > 0 && part * 4 >= u32::from(share) * calls;
                let is_slow = self.rules.slow.is_some_and(|share| reaches(slow, share));
                if calls >= enough && (reaches(failed, self.rules.failed) || is_slow) {
                    self.begin(BreakerState::Open);
                    self.until = self.now + 10;
                }
            }
            BreakerState::HalfOpen if failed || slow => {
                self.begin(BreakerState::Open);
                self.until = self.now + 10;
            }
            BreakerState::HalfOpen => self.begin(BreakerState::Closed),
            state => panic!("nothing is admitted when {state:?}"),
        }
    }

    fn wait(&mut self, tenths: u64) {
        self.now += tenths;
        if self.state == BreakerState::Open && self.now >= self.until {
            self.begin(BreakerState::HalfOpen);
        }
    }

    fn follow(&mut self, rules: Rules) {
        let is_new = rules.window != self.rules.window;
        self.rules = rules;
        if is_new {
            self.clear();
        }
    }

    fn counts(&self) -> (u32, u32, u32) {
        let count = |which: fn(&Call) -> bool| {
            u32::try_from(self.calls.iter().filter(|call| which(call)).count()).unwrap()
        };
        (count(|_| true), count(|call| call.failed), count(|call| call.slow))
    }
}

async fn run(rules: Rules, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let breaker = CircuitBreaker::new("b", rules.options(), &SignalSink::default());
    let (state, calls) = (BreakerState::Closed, Vec::new());
    let mut model = Model { rules, now: 0, state, until: 0, calls, part_began: 0 };
    let mut kept = Vec::new();
    for step in steps {
        match step {
            Step::Calls { times, failed, tenths } => {
                for _ in 0..times {
                    let Ok(permit) = breaker.try_acquire() else {
                        prop_assert_eq!(model.state, BreakerState::Open);
                        break;
                    };
                    advance(TENTH * u32::try_from(tenths).unwrap()).await;
                    model.wait(tenths);
                    if failed {
                        permit.failure();
                    } else {
                        permit.success();
                    }
                    model.end(failed, tenths);
                }
            }
            Step::Wait { tenths } => {
                advance(TENTH * u32::try_from(tenths).unwrap()).await;
                model.wait(tenths);
            }
            Step::Look => {
                model.let_go();
                let (seen, counts) = (breaker.stats(), model.counts());
                if model.state == BreakerState::Closed {
                    prop_assert_eq!((seen.calls, seen.failed, seen.slow), counts);
                }
            }
            Step::Follow(rules) => {
                breaker.reconfigure(&rules.options()).unwrap();
                model.follow(rules);
            }
            Step::Reset => {
                breaker.reset();
                model.begin(BreakerState::Closed);
            }
            Step::Keep => kept.extend(breaker.try_acquire_owned().ok().map(|permit| (permit, model.state))),
        }
        // What is kept must not be a probe, or the model would have to know.
        kept.retain(|(_, state)| *state == BreakerState::Closed);
        prop_assert_eq!(breaker.state(), model.state);
    }
    breaker.reset();
    for (permit, _) in kept {
        permit.failure();
    }
    prop_assert_eq!((breaker.state(), breaker.stats().calls), (BreakerState::Closed, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn windows_agree_with_the_naive_model(rules in rules(), steps in prop::collection::vec(step(), 0..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(run(rules, steps))?;
    }
}
