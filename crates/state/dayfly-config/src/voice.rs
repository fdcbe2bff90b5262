//! What others hear of reloads: signals, and figures where they are asked for.

use dayfly_signal::{Draft, Hold, SignalHandle, SignalSink};

use crate::problem::Rejection;

/// A new generation is in force; the payload is its number.
const RELOADED: &str = "config.reloaded";
/// A content was not taken; the payload says why and where.
const REJECTED: &str = "config.rejected";
/// Held while what stands in the sources is not what is in force.
const STALE: &str = "config.stale";

#[derive(Debug)]
pub(crate) struct Voice {
    sink: SignalSink,
    reloaded: SignalHandle,
    rejected: SignalHandle,
}

/// What came of a reading that was judged.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome<'a> {
    Reloaded(u64),
    Unchanged,
    Rejected(&'a Rejection),
}

impl Voice {
    pub(crate) fn new(sink: &SignalSink) -> Self {
        let (reloaded, rejected) = (sink.handle(RELOADED), sink.handle(REJECTED));
        Self { sink: sink.clone(), reloaded, rejected }
    }

    pub(crate) fn tell(&self, outcome: Outcome<'_>) {
        match outcome {
            Outcome::Reloaded(generation) => drop(self.reloaded.raise_with(&generation.to_string())),
            Outcome::Rejected(rejection) => drop(self.rejected.raise_with(shortened(&rejection.to_string()))),
            Outcome::Unchanged => {}
        }
        count(outcome);
    }

    pub(crate) fn hold_stale(&self) -> Hold {
        self.sink.hold(Draft::named(STALE))
    }
}

/// A payload is a hint of where to look; the whole stands in the rejection.
fn shortened(text: &str) -> &str {
    const LONGEST: usize = 512;
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(feature = "metrics")]
fn count(outcome: Outcome<'_>) {
    let outcome = match outcome {
        Outcome::Reloaded(_) => "reloaded",
        Outcome::Unchanged => "unchanged",
        Outcome::Rejected(_) => "rejected",
    };
    metrics::counter!("dayfly.config.reloads", "outcome" => outcome).increment(1);
}

#[cfg(not(feature = "metrics"))]
const fn count(_: Outcome<'_>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_ends_within_its_bound_and_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = "x".to_owned() + &"ü".repeat(400);
        assert_eq!((shortened(&long).len(), shortened("")), (511, ""));
    }

    #[cfg(feature = "metrics")]
    #[test]
    fn each_outcome_is_counted_by_its_name() {
        let figures = dayfly_testing::Figures::new();
        figures.of(|| {
            let voice = Voice::new(&SignalSink::default());
            voice.tell(Outcome::Reloaded(2));
            voice.tell(Outcome::Unchanged);
            voice.tell(Outcome::Unchanged);
        });
        let name = |outcome: &str| format!("dayfly.config.reloads{{outcome={outcome}}}");
        assert_eq!(figures.all(), [(name("reloaded"), 1.0), (name("unchanged"), 2.0)]);
    }
}
