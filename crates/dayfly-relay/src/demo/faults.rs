//! What goes wrong at a receiver, decided by seed, event and request number alone: never by the clock, never by
//! which request comes first. A seed tells the same story every time.

use std::time::Duration;

use super::dice::dice;

/// After so many requests for one event a receiver behaves, so that every run ends.
const FAULTS_PER_EVENT: u64 = 6;

/// The share of requests that go wrong with `--chaos 1`.
const HEAVIEST: f64 = 0.6;

/// How a receiver is in the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Temper {
    /// Its name in reports and signals.
    pub(super) name: &'static str,
    /// The share of requests that go wrong without any `--chaos`, in percent.
    pub(super) faults_percent: u8,
    /// Whether it is down at the beginning.
    pub(super) begins_down: bool,
}

/// The three receivers of the demo.
pub(super) const TEMPERS: [Temper; 3] = [
    Temper { name: "healthy", faults_percent: 0, begins_down: false },
    Temper { name: "flaky", faults_percent: 15, begins_down: false },
    Temper { name: "down", faults_percent: 0, begins_down: true },
];

impl Temper {
    /// How many connections it accepts and drops before it begins to answer: enough to open a circuit, and no more
    /// than a short history can bear, since each of its events waits for the whole outage.
    #[must_use]
    pub(super) fn refused_connections(self, events: u64) -> u64 {
        if self.begins_down { (events / 2).clamp(5, 40) } else { 0 }
    }
}

/// What a receiver does with one authentic request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conduct {
    /// Takes the event and says so.
    Serve,
    /// Takes its time first.
    ServeSlowly(Duration),
    /// Takes the event and then claims that it could not: the sender comes again, with a duplicate.
    ServeAndDeny,
    /// Takes the event and drops the connection without an answer: also a duplicate.
    ServeAndHangUp,
    /// Answers 503.
    Unavailable,
    /// Answers 429 and asks for a pause of so many seconds.
    TooMany {
        /// The value of `Retry-After`.
        retry_after: u64,
    },
}

/// The faults of one receiver.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    seed: u64,
    receiver: &'static str,
    share: f64,
}

impl Faults {
    /// The faults of a receiver with this temper; `chaos` from 0 to 1 adds to them.
    #[must_use]
    pub(super) fn new(temper: Temper, chaos: f64, seed: u64) -> Self {
        let base = f64::from(temper.faults_percent) / 100.0;
        let share = base + (HEAVIEST - base) * chaos.clamp(0.0, 1.0);
        Self { seed, receiver: temper.name, share }
    }

    /// What happens to the `request`th request for an event, counted from 0.
    #[must_use]
    pub(super) fn conduct(&self, event: &str, request: u64) -> Conduct {
        let mut dice = dice(self.seed, &["fault", self.receiver, event, &request.to_string()]);
        if request >= FAULTS_PER_EVENT || dice.f64() >= self.share {
            return Conduct::Serve;
        }
        match dice.u32(0..200) {
            0..60 => Conduct::Unavailable,
            60..100 => Conduct::ServeAndDeny,
            100..130 => Conduct::ServeAndHangUp,
            130..170 => Conduct::ServeSlowly(Duration::from_millis(dice.u64(5..40))),
            // A whole second is the shortest pause that the header can ask for, so it is rare.
            170..199 => Conduct::TooMany { retry_after: 0 },
            _ => Conduct::TooMany { retry_after: 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(index: usize, chaos: f64, seed: u64) -> Faults {
        Faults::new(TEMPERS[index], chaos, seed)
    }

    fn share_of_faults(faults: &Faults) -> usize {
        (0..1000).filter(|event| faults.conduct(&event.to_string(), 0) != Conduct::Serve).count()
    }

    #[test]
    fn a_seed_tells_the_same_story() {
        let story = |seed| {
            let faults = faults(1, 0.5, seed);
            (0..200).map(|event| faults.conduct(&event.to_string(), 0)).collect::<Vec<_>>()
        };
        assert_eq!(story(7), story(7));
        assert_ne!(story(7), story(8));
    }

    #[test]
    fn chaos_raises_the_share_for_everybody() {
        assert_eq!(share_of_faults(&faults(0, 0.0, 1)), 0);
        assert!((100..200).contains(&share_of_faults(&faults(1, 0.0, 1))));
        assert!((550..650).contains(&share_of_faults(&faults(0, 1.0, 1))));
        assert!((550..650).contains(&share_of_faults(&faults(1, 1.0, 1))));
    }

    #[test]
    fn every_event_gets_through_in_the_end() {
        let faults = faults(1, 1.0, 3);
        assert!((0..1000).all(|event| faults.conduct(&event.to_string(), 6) == Conduct::Serve));
    }
}
