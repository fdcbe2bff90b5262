//! Timeouts, retry, breaker, limit and fallback in one pipeline that follows its options live; as layers of tower too.
//!
//! Each policy is easy alone; what users get wrong is how they meet. A retry inside of the breaker hides failures from it; a
//! timeout around the wait for a permit blames the service for the caller's own crowd; a caller who gives up counts as a
//! failure and takes a probe along; an option in the file does nothing. [`Pipeline`] puts them in one order, from data:
//!
//! ```text
//! total timeout { fallback { retry { breaker { place in the limit { attempt timeout { attempt } } } } } }
//! ```
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use std::time::Duration;
//! use dayfly::{Reconfigure, SignalSink};
//! use dayfly_resilience::{CallError, Fallback, Pipeline, PipelineOptions};
//! use dayfly_retry::Verdict;
//! # #[derive(Debug, PartialEq)] enum PayError { Busy(Duration), Unreachable, Declined }
//! # async fn charge(order: &str, attempt: u32) -> Result<&'static str, PayError> {
//! #     match (order, attempt) {
//! #         ("tea", 1) => Err(PayError::Unreachable),
//! #         ("tea", 2) => Err(PayError::Busy(Duration::from_secs(2))),
//! #         ("tea", _) => Ok("receipt"),
//! #         _ => Err(PayError::Declined),
//! #     }
//! # }
//!
//! const CARE: PipelineOptions = PipelineOptions::production().max_concurrency(64);
//!
//! let signals = SignalSink::default();
//! let bank = Pipeline::classified("bank", CARE, &signals, |error: &PayError| match error {
//!     PayError::Busy(wait) => Verdict::RetryAfter(*wait),
//!     PayError::Unreachable => Verdict::Retry,
//!     PayError::Declined => Verdict::Stop,                      // says nothing against the bank
//! });
//!
//! assert_eq!(bank.call(|attempt| charge("tea", attempt)).await, Ok("receipt"));
//! match bank.call(|attempt| charge("gold", attempt)).await {
//!     Err(CallError::Inner(PayError::Declined)) => {}           // a decision for each way it can end
//!     Err(CallError::Open { retry_after }) => println!("come back in {retry_after:?}"),
//!     other => println!("{other:?}"),
//! }
//! let later = Fallback::value("we'll send it");
//! assert_eq!(bank.call_with(&later, |attempt| charge("gold", attempt)).await, Ok("we'll send it"));
//!
//! bank.reconfigure(&CARE.without_breaker().attempts(5)).unwrap(); // holds from the next attempt on
//! # }
//! ```
//!
//! | | what it is |
//! |---|---|
//! | [`Pipeline`], [`PipelineOptions`] | all policies around a call, each of which can be switched off |
//! | [`Timeout`], [`Fallback`] | these two by themselves; the others are in `dayfly-retry`, `dayfly-circuit-breaker`, `dayfly-limit` |
//! | [`Class`] | what the end of an attempt is worth: another attempt, a word for or against the service |
//! | `BreakerLayer`, `RetryLayer`, `LimitLayer`, `TimeoutLayer`, `PipelineLayer` | the same around a service of tower, with the feature `tower` |
//!
//! # Beside others
//!
//! | | here | Polly 8 (.NET) | resilience4j 2 (Java) | tower-resilience 0.14 | failsafe 1.3 |
//! |---|---|---|---|---|---|
//! | timeout, retry, breaker, limit, fallback | yes | yes | yes | yes | breaker |
//! | **hedging, rate limit, cache, chaos** | no | **hedging, rate limit, chaos** | **rate limit, cache** | **all** | no |
//! | **policies in any order** | layers only | **yes** | **yes** | **yes** | |
//! | a refusal is tried again when the breaker says | yes | if one writes it | if one writes it | no | |
//! | a total timeout that cuts an attempt counts against the service | yes | not by default | | no | |
//! | nobody waits for an attempt that begins too late | yes | | | no | |
//! | retry budget | yes | no | no | yes | |
//! | every option live, without losing state | yes | by a new pipeline | some | no | |
//! | options read from configuration | yes | yes | yes | no | |
//! | half-open probes are counted, a dropped one comes back | yes | one, which does not | if the caller says so | yes | any number |
//! | refused before the inner service is asked | yes | | | yes | |
//! | refused also when it opens while the inner one is waited for | yes | | | no | |
//! | a permit is held until the body ends | yes | | | no | |
//! | **callbacks for each event, meters and traces** | signals, `watch` | **yes** | **yes** | **yes** | callbacks |
//! | a call, all policies on, success at once: allocations | 0; as a layer 1 | | | 12 | 0 (breaker) |
//! | its time | 0.07; as a layer 0.14 | | | 1 | |
//! | a limit alone, as a layer | 0.7 of tower's own time | | | 5 | |
//! | **a retry alone, as a layer** | 5 of tower's own time, 0.9 of it with a backoff | | | 21 | |
//!
//! Polly and resilience4j by their documentation of November 2026 (pollydocs.org: circuit breaker, rate limiter, hedging,
//! chaos, dynamic reloads; resilience4j.readme.io: the guides) and sources; what is empty was not looked at.
//!
//! # Guarantees
//! - The policies meet in this order, and each sees what the table of [`Pipeline`] says. At most as many attempts as the
//!   options say; none after the total timeout; nothing is run while the breaker refuses or the limit is full.
//! - A future that is dropped at any await gives back its place in the limit, its probe and a retry that has not begun. The
//!   breaker learns nothing from it, nor from a panic beside it; a panic of the attempt is a failure.
//! - Between two attempts a call holds nothing.
//! - Every option has an effect, from the start on and when it is changed later. A change drops and refuses nothing that is
//!   under way.
//! - A call that never has to wait reads no clock, sets no timer, takes no lock unless others wait for the
//!   limit, and allocates nothing.
//! - Layers: what is called has been made ready, before each attempt; a clone is made ready anew; a refusal uses nobody's
//!   readiness up. The breaker is asked first, and wakes who waits for the inner service when it opens. Who waits sleeps.
//!
//! # Features
//! - `metrics` (off by default): the figures of the breaker and of the retry, `dayfly.circuit_breaker.*` and
//!   `dayfly.retry.attempts`, under the pipeline's name. Of an attempt that is dropped the breaker tells, and the retry not.
//! - `serde` (off by default): [`PipelineOptions`] are read from configuration and written to it, under the rules of the
//!   setters.
//! - `tower` (off by default): the layers. `http`: with it a limit can hold permits until the body of a response ends.
//!
//! # Limits
//! - Time runs from the moment at which a call first has to wait: what an attempt computes before its first pause is not
//!   timed, and no timeout can interrupt it.
//! - An attempt that timed out is dropped, yet what it asked of others may still happen: retry only what may be done twice.
//! - The total timeout stands around the fallback. Whoever wants a value even then puts [`Fallback::call`] around the call.
//! - A wait for the breaker beyond the cap of the backoff is cut to it, and may then be refused again.
//! - Attempts that began while there was no limit are not counted in one that is switched on.
//! - A service with a `LimitLayer` that is ready and never called keeps its permit, as with tower's own.
//! - A `PipelineLayer` boxes its response future: one allocation for each call.
//! - The signals of a pipeline bear its name: two of the same name in one sink cannot be told apart.
//!
//! # When to use something else
//! - `dayfly-retry`, `dayfly-circuit-breaker` or `dayfly-limit`, when one of them is all you need.
//! - In the body of a coordinator: `Retry::conclude`, which gives the slot back between attempts. A pipeline waits in it.
//! - `tower-resilience` for hedging, caches, rate limits or chaos around a tower service.
//! - `governor` for so many per second.

mod class;
mod deadline;
mod error;
mod fallback;
mod following;
#[cfg(feature = "tower")]
mod layers;
mod live;
mod options;
mod pipeline;
mod policies;
mod running;
mod timeout;

pub use class::Class;
pub use error::{CallError, Scope};
pub use fallback::Fallback;
#[cfg(feature = "tower")]
pub use layers::{
    BreakerFuture, BreakerLayer, BreakerService, ByPipeline, Cloned, Hold, Judge, LimitFuture, LimitLayer,
    LimitService, OnErrors, PipelineFuture, PipelineLayer, PipelineService, Repeat, RetryFuture, RetryLayer,
    RetryService, TimeoutFuture, TimeoutLayer, TimeoutService, UntilResponse,
};
#[cfg(feature = "http")]
pub use layers::{HeldBody, UntilBodyEnds};
pub use options::PipelineOptions;
pub use pipeline::{Pipeline, PipelineStats};
pub use timeout::Timeout;
