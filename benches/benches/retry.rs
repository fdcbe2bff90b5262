//! What does it cost to be ready to try again, when the first attempt succeeds? (Section I)

use std::future::{Ready, ready};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use backon::Retryable;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::runtimes::ct;
use dayfly_retry::{Retry, RetryBudget, RetryBudgetOptions, RetryOptions};
use tokio::runtime::Runtime;
use tower::retry::Policy;
use tower::retry::budget::{Budget, TpsBudget};
use tower::{Service, ServiceExt, service_fn};

const CALLS: u64 = 2_000_000;
const ATTEMPTS: u32 = 3;
const DELAY: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let runtime = ct();
    success_at_once(&mut runner, &runtime);
    within_a_budget(&mut runner, &runtime);
    with_timeouts(&mut runner, &runtime);
    runner.end()
}

/// Succeeds at once, in a way that nobody can foresee.
async fn attempt(number: u64) -> Result<u64, ()> {
    black_box(Ok(number))
}

fn success_at_once(runner: &mut Runner, runtime: &Runtime) {
    let dayfly = Retry::on_every_error(RetryOptions::new());
    let mut tower = tower::retry::Retry::new(Attempts { left: ATTEMPTS, budget: None }, service_fn(attempt));
    runner.ask(
        Contest::new("retry, success at once", CALLS)
            .with("tower", |n| runtime.block_on(calls_of_tower(&mut tower, n)))
            .with("nothing", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        assert_eq!(attempt(number).await, Ok(number));
                    }
                });
            })
            .with("dayfly", |n| runtime.block_on(calls_of_dayfly(&dayfly, n)))
            .with("tokio-retry", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        let delays = tokio_retry::strategy::FixedInterval::new(DELAY).take(2);
                        let call = tokio_retry::Retry::start(delays, || attempt(number));
                        assert_eq!(call.await, Ok(number));
                    }
                });
            })
            .with("backon", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        let delays = backon::ConstantBuilder::new().with_delay(DELAY).with_max_times(2);
                        assert_eq!((|| attempt(number)).retry(delays).await, Ok(number));
                    }
                });
            }),
    );
}

fn within_a_budget(runner: &mut Runner, runtime: &Runtime) {
    let budget = Arc::new(TpsBudget::default());
    let policy = Attempts { left: ATTEMPTS, budget: Some(Arc::clone(&budget)) };
    let mut tower = tower::retry::Retry::new(policy, service_fn(attempt));
    let full = Retry::on_every_error(RetryOptions::new()).budget(&RetryBudget::default());
    // So large that it never fills up, and every call has to be written down.
    let endless = RetryBudget::new(RetryBudgetOptions::new().share(1e-6).burst(u32::MAX));
    let filling = Retry::on_every_error(RetryOptions::new()).budget(&endless);
    runner.ask(
        Contest::new("retry with a shared budget, success at once", CALLS)
            .with("tower", |n| runtime.block_on(calls_of_tower(&mut tower, n)))
            .with("dayfly, nothing more to save", |n| runtime.block_on(calls_of_dayfly(&full, n)))
            .with("dayfly, saving", |n| runtime.block_on(calls_of_dayfly(&filling, n))),
    );
}

fn with_timeouts(runner: &mut Runner, runtime: &Runtime) {
    let timed =
        RetryOptions::new().attempt_timeout(Duration::from_secs(5)).total_timeout(Duration::from_secs(9));
    let retry = Retry::on_every_error(timed);
    runner.ask(
        Contest::new("retry with timeouts, success at once", CALLS / 10)
            .with("tokio's timeout twice", |n| {
                runtime.block_on(async {
                    for number in 0..n {
                        let inner = tokio::time::timeout(Duration::from_secs(5), attempt(number));
                        let ended = tokio::time::timeout(Duration::from_secs(9), inner).await;
                        assert!(matches!(ended, Ok(Ok(Ok(done))) if done == number));
                    }
                });
            })
            .with("dayfly", |n| runtime.block_on(calls_of_dayfly(&retry, n))),
    );
}

async fn calls_of_dayfly(retry: &Retry<()>, calls: u64) {
    for number in 0..calls {
        assert_eq!(retry.call(|_| attempt(number)).await, Ok(number));
    }
}

async fn calls_of_tower<S: Service<u64, Response = u64, Error = ()>>(service: &mut S, calls: u64) {
    for number in 0..calls {
        let ended = service.ready().await.expect("it always is").call(number).await;
        assert_eq!(ended, Ok(number));
    }
}

/// As many attempts as are left, and a budget where there is one: what tower's documentation shows.
#[derive(Clone)]
struct Attempts {
    left: u32,
    budget: Option<Arc<TpsBudget>>,
}

impl Policy<u64, u64, ()> for Attempts {
    type Future = Ready<()>;

    fn retry(&mut self, _request: &mut u64, result: &mut Result<u64, ()>) -> Option<Ready<()>> {
        if result.is_ok() {
            if let Some(budget) = &self.budget {
                budget.deposit();
            }
            return None;
        }
        if self.left == 1 || self.budget.as_ref().is_some_and(|budget| !budget.withdraw()) {
            return None;
        }
        self.left -= 1;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}
