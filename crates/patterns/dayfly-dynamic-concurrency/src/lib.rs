//! A limit that follows load: signals double and halve it, and latencies move it along a guarded gradient.
//!
//! How much may run at once is a number that nobody knows and that changes: a server loses half of its workers, a query gets
//! slower, a neighbour takes the rest. This crate owns how that number is found again. What formulas get wrong by hand:
//! timeouts that are all equally long and so look calm; a moving average that takes an incident for normal; room for a
//! queue that is added while the limit should fall; answers of before a measurement that are measured; a measurement that
//! drops the limit to one.
//!
//! | | what it is |
//! |---|---|
//! | [`AdaptiveLimit`] | moves a limit, on signals and by samples |
//! | [`SetLimit`], [`SetWith`] | what can be moved: limiters, coordinators, whatever has a setter |
//! | [`Sample`] | one call under way, and what its end says about load |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use std::time::Duration;
//! use dayfly::SignalSink;
//! use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions};
//! use dayfly_limit::Limiter;
//! # async fn query(page: u32) -> Result<u32, &'static str> { Ok(page) }
//!
//! const CARE: AdaptiveLimitOptions =
//!     AdaptiveLimitOptions::new().bounds(2, 64).initial(8).max_latency(Duration::from_secs(2));
//!
//! let (signals, database) = (SignalSink::default(), Limiter::default());
//! let limit = AdaptiveLimit::new(database.clone(), CARE, &signals);
//!
//! let permit = database.acquire().await.unwrap();   // waiting for a permit is no latency of the database
//! let row = limit.measure_within(Duration::from_secs(1), query(7)).await;
//! drop(permit);
//! assert_eq!(row, Ok(7));
//!
//! signals.raise("load.high");                       // much work waits: twice as many, at once
//! assert_eq!(database.limit(), 16);
//! # }
//! ```
//!
//! # The gradient and its guard rails
//!
//! A window of samples speaks when it is long enough and there are enough of them. `latency` is its median, `baseline` the
//! latency without a queue.
//!
//! - `latency > tolerance × baseline`: the limit is multiplied by `tolerance × baseline / latency`, by a half at the least.
//! - Otherwise, while half of it is in use, it grows by `√limit` at most, the less the nearer latency is to what is
//!   tolerated. It comes to rest at about `tolerance` times what is answered without a queue.
//! - **Timeouts are drops.** With drops among them the window's latencies say nothing; the limit falls by their share.
//! - **The ceiling is absolute, and so is the floor.** Room for a queue is never added to a limit that falls.
//! - **Nothing drops to one.** The baseline is measured under half of the limit, every
//!   [`probe_every`](AdaptiveLimitOptions::probe_every), and half of that again only while halving halves latency.
//! - **What is stale is not heard.** Samples bear the generation of the limit under which they began. A latency counts for
//!   that one only; a drop counts unless drops have lowered the limit since it began.
//! - **It recovers.** Latencies that stay over what is tolerated at the floor are not of our making: the baseline is measured
//!   anew there, and rises twofold at most for each measurement.
//! - **It does not believe everything.** What takes longer than [`max_latency`](AdaptiveLimitOptions::max_latency) is a drop,
//!   however long that lasts.
//!
//! The traces that broke others, under their formulas and under this one, are drawn in the repository's `docs/plots`.
//!
//! # Beside others
//!
//! | | here | `tower-acc` 0.1 | `tower-resilience-adaptive` 0.14 | Netflix `Gradient2` | Envoy |
//! |---|---|---|---|---|---|
//! | what it moves | limiters, coordinators, yours | its own tower service | its own tower service | its own limiter | its own filter |
//! | formulas | a guarded gradient | **AIMD, gradient, Vegas, your own** | **AIMD, gradient, Vegas** | **several** | gradient |
//! | timeouts lower it | by their share, a crowd once | AIMD and Vegas, each | each halves it | no | no |
//! | its baseline | measured at half of the limit | average, or least | average, or least | average | measured at a fixed limit |
//! | samples of an earlier limit | ignored | count | count | count | ignored while it measures |
//! | a latency that is never normal | yes | no | AIMD | no | no |
//! | signals move it too | yes | no | no | no | no |
//! | options that change live | all but the signals | no | no | no | yes |
//! | a `tower::Layer` | no | **yes** | **yes** | | |
//! | throughput lost to measuring | up to half of it for a window in 30 s | **none** | **none** | **none** | most of it for 50 calls a minute |
//! | a call that is done at once, permit included | 1.4 | **1** | 2.2, one allocation | | |
//!
//! # Guarantees
//! - The limit is never outside of its bounds, and no window takes more than half of it away.
//! - One raise is one step: it doubles or halves once, in the raiser's call. That it ages out or is taken back is none.
//! - What is moved is told of the limit without a lock and never twice at once; what it is told last is what is in force. Its
//!   panic costs nobody else anything.
//! - Every future may be dropped at any await, every sample without a word: it is in flight no more, and says nothing.
//! - Nothing polls, there is no task and no timer: windows are judged when samples end. Memory does not grow with samples.
//!
//! # Features
//! - `serde` (off by default): [`AdaptiveLimitOptions`] are read from configuration and written to it, under the rules of the
//!   setters.
//!
//! # Limits
//! - It holds nobody back itself, and knows only of calls that are measured.
//! - A timeout around [`measure`](AdaptiveLimit::measure) hides what matters most: use
//!   [`measure_within`](AdaptiveLimit::measure_within), or set `max_latency`.
//! - Whether all calls of a service are slow because of an incident or for good cannot be told from latencies: without
//!   `max_latency` it adapts to both.
//! - Clients that share a server do not know of each other; each finds the queue of the others in its baseline. Their drops
//!   and `max_latency` bound that.
//! - It needs traffic. Where calls stop in the middle of a probe, half of the limit stays until the next ones end.
//! - Latencies are kept to a sixteenth, and a sample takes a short lock at each end. Calls of a few microseconds are mostly
//!   noise, and nothing here takes it away.
//!
//! # When to use something else
//! - A fixed limit, when you know the number, or `dayfly-circuit-breaker` when calls fail instead of getting slow.
//! - `dayfly-adaptive-rate` when the service says how often it wants to be asked.
//! - `tower-acc` for a ready layer in front of a tower service, or for a formula of your own.

mod adaptive_limit;
mod control;
mod error;
mod gradient;
mod histogram;
mod options;
mod sample;
mod set_limit;
mod shared;
mod stats;

pub use adaptive_limit::AdaptiveLimit;
pub use error::MeasureError;
pub use options::AdaptiveLimitOptions;
pub use sample::{Judgement, Sample};
pub use set_limit::{SetLimit, SetWith};
pub use stats::AdaptiveLimitStats;
