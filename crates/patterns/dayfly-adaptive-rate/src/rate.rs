//! So many starts per period for each key, and pauses.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use dayfly::{Fixed, Reconfigure};
use dayfly_signal::setting::length;
use dayfly_signal::{Listener, Signal, SignalKind, SignalSink};
use tokio::task::coop::consume_budget;

use crate::error::RetryAfter;
use crate::options::RateOptions;
use crate::pacer::{Arrival, ticks};
use crate::shared::{Desk, Shared};
use crate::stats::RateStats;
use crate::text::with_text;
use crate::wait::Wait;

/// How often something may start, for each key by itself, with pauses that whoever is called asks for.
///
/// **Keys** are whatever has a text: `"acme"`, `&order.customer`. Two keys with one text are one key, as they are in
/// signals. For a rate that has no keys, take one name for all: `rate.until_ready("api")`.
///
/// **Order.** Within a key it is first come, first served, in the order of the first polls; keys do not wait for each
/// other. Whoever waits is woken when its time has come, and its start is counted when it is polled. A future that is not
/// polled within 10 ms is passed over and keeps its place; if those behind it do not come either, each round wakes twice
/// as many.
///
/// **Pauses.** A signal `rate-limit:500ms` (see [`pause_on`](RateOptions::pause_on)), or
/// [`retry_after`](Self::retry_after), allows no start for that long: none of its key if it has one, and otherwise none at
/// all. A pause never shortens another. While one lasts, the signal `rate.limited.<name>` is held, with the key if it has
/// one, so that coordinators can [defer](dayfly::CoordinatorOptions::defer_on) on it. Where no runtime could let it go in
/// time it is not held, and the starts are delayed all the same. What is no length of time is ignored, counted
/// ([`malformed`](RateStats::malformed)), and told by a signal `rate.malformed.<name>` with the same key and payload.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use std::time::Duration;
/// use dayfly::SignalSink;
/// use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
/// use tokio::time::Instant;
///
/// let signals = SignalSink::default();
/// let rate = AdaptiveRate::new("mail", RateOptions::per_second(2).burst(1), &signals);
/// let start = Instant::now();
/// rate.until_ready("a.example").await;                          // at once
/// rate.until_ready("a.example").await;                          // half a second later
/// rate.until_ready("b.example").await;                          // another key: at once
/// assert_eq!(start.elapsed().as_millis(), 500);
///
/// signals.raise("rate-limit:3s");
/// let refused = rate.check("c.example").unwrap_err();
/// assert_eq!(refused.after.as_secs(), 3);
/// # }
/// ```
///
/// Clones are handles of the same rate. With the last one its pauses end and it listens to no signal any more.
#[derive(Clone)]
pub struct AdaptiveRate {
    shared: Arc<Shared>,
    /// It knows the rate only while that is there.
    _listener: Arc<Listener>,
}

impl AdaptiveRate {
    /// A rate of this name, which is how its signals are told apart.
    #[must_use]
    pub fn new(name: &str, options: RateOptions, signals: &SignalSink) -> Self {
        let obeyed = options.obeyed();
        let shared = Shared::new(name, options, signals);
        let rate = Arc::downgrade(&shared);
        let listener = signals.listen(obeyed, move |signal| {
            if let Some(rate) = rate.upgrade() {
                obey(&rate, signal);
            }
        });
        Self { shared, _listener: Arc::new(listener) }
    }

    /// Waits until something of this key may start, and counts the start.
    ///
    /// # Panics
    /// When it has to wait and neither the runtime that it is polled in nor the one that the rate was made in has a timer.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future gives up its place in line and counts no start.
    pub async fn until_ready<K: Display + ?Sized>(&self, key: &K) {
        // A task that never has to wait lets others run as often as with Tokio's own waits.
        consume_budget().await;
        let arrival = with_text(key, |text| self.shared.arrive(self.shared.named(text)));
        if let Arrival::InLine(place) = arrival {
            Wait::new(&self.shared, place).await;
        }
    }

    /// Counts a start of this key, if there may be one now and nobody waits for it.
    ///
    /// # Errors
    /// When there may not; then nothing was counted.
    pub fn check<K: Display + ?Sized>(&self, key: &K) -> Result<(), RetryAfter> {
        let now = self.shared.now();
        let checked = with_text(key, |text| {
            let named = self.shared.named(text);
            self.shared.visit(|Desk { pacer, .. }| pacer.check(named, now))
        });
        checked.map_err(|wait| RetryAfter { after: Duration::from_nanos(wait) })
    }

    /// How long somebody who came now would wait for a start of this key, if nothing changes meanwhile. Counts nothing.
    #[must_use]
    pub fn delay<K: Display + ?Sized>(&self, key: &K) -> Duration {
        let now = self.shared.now();
        with_text(key, |text| {
            let named = self.shared.named(text);
            Duration::from_nanos(self.shared.visit(|Desk { pacer, .. }| pacer.delay(named, now)))
        })
    }

    /// Allows no start of this key for so long from now on, up to [`max_pause`](RateOptions::max_pause): what a response
    /// or an error asked for. A pause that ends later stays.
    pub fn retry_after<K: Display + ?Sized>(&self, key: &K, time: Duration) {
        with_text(key, |text| pause(&self.shared, Some(text), time));
    }

    /// As [`retry_after`](Self::retry_after), for all keys.
    pub fn retry_all_after(&self, time: Duration) {
        pause(&self.shared, None, time);
    }

    /// Ends the pause of this key, but not one of all keys; says whether there was one.
    pub fn resume<K: Display + ?Sized>(&self, key: &K) -> bool {
        let now = self.shared.now();
        with_text(key, |text| {
            let named = self.shared.named(text);
            self.shared.visit(|Desk { pacer, .. }| pacer.resume(named, now))
        })
    }

    /// Ends the pause of all keys, but not those of single ones; says whether there was one.
    pub fn resume_all(&self) -> bool {
        let now = self.shared.now();
        self.shared.visit(|Desk { pacer, .. }| pacer.resume_all(now))
    }

    /// The options that hold now.
    #[must_use]
    pub fn options(&self) -> RateOptions {
        self.shared.visit(|Desk { options, .. }| options.clone())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.shared.announcer().name()
    }

    /// Its figures at this moment.
    #[must_use]
    pub fn stats(&self) -> RateStats {
        let now = self.shared.now();
        self.shared.visit(|Desk { pacer, malformed, .. }| {
            let (keys, waiting, paused_keys) = pacer.figures(now);
            let (crowded, cut) = pacer.excesses();
            let is_paused = pacer.is_paused(None);
            RateStats { keys, waiting, paused_keys, is_paused, malformed: *malformed, cut, crowded }
        })
    }
}

/// What a signal asks for.
fn obey(rate: &Shared, signal: &Signal) {
    if signal.kind() != SignalKind::Raised || rate.announcer().is_own(signal) {
        return;
    }
    if let Some(Ok(time)) = signal.payload().map(length) {
        pause(rate, signal.key(), time);
    } else {
        rate.visit(|Desk { malformed, .. }| *malformed += 1);
        rate.announcer().report(signal);
    }
}

fn pause(rate: &Shared, key: Option<&str>, time: Duration) {
    let (now, time) = (rate.now(), ticks(time));
    let named = key.map(|key| rate.named(key));
    rate.visit(|Desk { pacer, .. }| match named {
        Some(named) => pacer.pause(named, time, now),
        None => pacer.pause_all(time, now),
    });
}

/// Every option but `pause_on` can be followed at once. What keys owe stays owed, start by start, but never more than the
/// new burst. It costs a look at each key that is kept.
impl Reconfigure<RateOptions> for AdaptiveRate {
    fn check(&self, options: &RateOptions) -> Result<(), Fixed> {
        self.shared.visit(|desk| fixed(desk.options, options))
    }

    fn reconfigure(&self, options: &RateOptions) -> Result<(), Fixed> {
        let (now, options) = (self.shared.now(), options.clone());
        self.shared.visit(|desk| {
            fixed(desk.options, &options)?;
            desk.pacer.follow(options.rules(), now);
            *desk.options = options;
            Ok(())
        })
    }
}

fn fixed(own: &RateOptions, options: &RateOptions) -> Result<(), Fixed> {
    if own.pause_on == options.pause_on { Ok(()) } else { Err(Fixed::new("pause_on")) }
}

impl fmt::Debug for AdaptiveRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RateStats { keys, waiting, is_paused, .. } = self.stats();
        let mut debug = f.debug_struct("AdaptiveRate");
        debug.field("name", &self.name()).field("keys", &keys).field("waiting", &waiting);
        debug.field("is_paused", &is_paused).finish_non_exhaustive()
    }
}
