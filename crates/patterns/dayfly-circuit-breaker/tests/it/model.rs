//! A breaker and a naive model of it, through the same random steps.

use std::collections::VecDeque;
use std::time::Duration;

use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker, OwnedPermit, Window};
use dayfly_signal::SignalSink;
use proptest::prelude::*;
use tokio::time::advance;

#[derive(Clone, Copy, Debug)]
enum Step {
    Acquire,
    /// Ends the n-th permit that is out: with success, with failure, or without a word.
    End {
        which: usize,
        how: u8,
    },
    Wait {
        tenths: u64,
    },
    ForceOpen,
    ForceClosed,
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Acquire),
        6 => (any::<usize>(), 0_u8..3).prop_map(|(which, how)| Step::End { which, how }),
        2 => (0_u64..15).prop_map(|tenths| Step::Wait { tenths }),
        1 => prop_oneof![Just(Step::ForceOpen), Just(Step::ForceClosed), Just(Step::Reset)],
    ]
}

/// What is promised, written down as plainly as can be.
#[derive(Debug)]
struct Model {
    threshold: u32,
    share: Option<(usize, usize)>,
    probes: usize,
    successes: u32,
    state: BreakerState,
    period: u32,
    /// Tenths of a second until it half-opens.
    left: u64,
    in_a_row: u32,
    window: VecDeque<bool>,
    out: usize,
    passed: u32,
}

impl Model {
    fn enter(&mut self, state: BreakerState) {
        (self.state, self.period) = (state, self.period + 1);
        (self.in_a_row, self.out, self.passed) = (0, 0, 0);
        self.left = 10;
        self.window.clear();
    }

    fn acquire(&mut self) -> Option<u32> {
        let admits = match self.state {
            BreakerState::Closed | BreakerState::ForcedClosed => true,
            BreakerState::HalfOpen => self.out < self.probes,
            _ => false,
        };
        if admits && self.state == BreakerState::HalfOpen {
            self.out += 1;
        }
        admits.then_some(self.period)
    }

    fn end(&mut self, period: u32, how: u8) {
        if period != self.period {
            return;
        }
        match (self.state, how) {
            (BreakerState::HalfOpen, 0) => {
                (self.out, self.passed) = (self.out - 1, self.passed + 1);
                if self.passed == self.successes {
                    self.enter(BreakerState::Closed);
                }
            }
            (BreakerState::HalfOpen, 1) => self.enter(BreakerState::Open),
            (BreakerState::HalfOpen, _) => self.out -= 1,
            (BreakerState::Closed, 0 | 1) => {
                let failed = how == 1;
                self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
                if self.in_a_row == self.threshold {
                    self.enter(BreakerState::Open);
                    return;
                }
                let Some((size, minimum)) = self.share else { return };
                self.window.push_back(failed);
                if self.window.len() > size {
                    self.window.pop_front();
                }
                let bad = self.window.iter().filter(|failed| **failed).count();
                if self.window.len() >= minimum.min(size) && bad > 0 && bad * 2 >= self.window.len() {
                    self.enter(BreakerState::Open);
                }
            }
            _ => {}
        }
    }

    fn wait(&mut self, tenths: u64) {
        if self.state == BreakerState::Open {
            self.left = self.left.saturating_sub(tenths);
            if self.left == 0 {
                self.enter(BreakerState::HalfOpen);
            }
        }
    }
}

async fn run(
    threshold: u32,
    share: Option<(u32, u32)>,
    probes: u32,
    successes: u32,
    steps: Vec<Step>,
) -> Result<(), TestCaseError> {
    let mut options = BreakerOptions::new()
        .failure_threshold(threshold)
        .probes(probes)
        .successes(successes)
        .open_for(Duration::from_secs(1));
    if let Some((size, minimum)) = share {
        options = options.failure_rate(0.5).window(Window::Calls(size)).minimum_calls(minimum);
    }
    let signals = SignalSink::default();
    let breaker = CircuitBreaker::new("b", options, &signals);
    let mut model = Model {
        threshold,
        share: share.map(|(size, minimum)| (size as usize, minimum as usize)),
        probes: probes as usize,
        successes,
        state: BreakerState::Closed,
        period: 0,
        left: 0,
        in_a_row: 0,
        window: VecDeque::new(),
        out: 0,
        passed: 0,
    };
    let mut permits: Vec<(OwnedPermit, u32)> = Vec::new();
    for step in steps {
        match step {
            Step::Acquire => {
                let (got, wanted) = (breaker.try_acquire_owned(), model.acquire());
                prop_assert_eq!(got.is_ok(), wanted.is_some());
                permits.extend(got.ok().zip(wanted));
            }
            Step::End { which, how } if !permits.is_empty() => {
                let (permit, period) = permits.swap_remove(which % permits.len());
                match how {
                    0 => permit.success(),
                    1 => permit.failure(),
                    _ => drop(permit),
                }
                model.end(period, how);
            }
            Step::Wait { tenths } => {
                advance(Duration::from_millis(100 * tenths)).await;
                model.wait(tenths);
            }
            Step::ForceOpen if model.state != BreakerState::ForcedOpen => {
                breaker.force_open();
                model.enter(BreakerState::ForcedOpen);
            }
            Step::ForceClosed if model.state != BreakerState::ForcedClosed => {
                breaker.force_closed();
                model.enter(BreakerState::ForcedClosed);
            }
            Step::End { .. } | Step::ForceOpen | Step::ForceClosed => {}
            Step::Reset => {
                breaker.reset();
                model.enter(BreakerState::Closed);
            }
        }
        prop_assert_eq!(breaker.state(), model.state);
        prop_assert_eq!(signals.is_raised("circuit.open.b"), model.state.is_open());
        if model.state == BreakerState::Closed {
            prop_assert_eq!(breaker.stats().failures_in_a_row, model.in_a_row);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_naive_model(
        threshold in 1_u32..5,
        share in prop::option::of((1_u32..8, 1_u32..8)),
        probes in 1_u32..4,
        successes in 1_u32..4,
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(run(threshold, share, probes, successes, steps))?;
    }
}
