//! What becomes of a signal: which reports it makes, and what of it is shown. No lock, no clock, no client.

use dayfly_signal::{PatternSet, SignalKind};
use hashbrown::HashSet;

use crate::TelemetryOptions;
use crate::measure::Measure;

/// Decides, and remembers what sampling and the bound on series need.
#[derive(Debug)]
pub(crate) struct Policy {
    samples: Vec<Sample>,
    redact_payload_of: PatternSet,
    redact_payload_like: PatternSet,
    redact_key_of: PatternSet,
    count_by_name: PatternSet,
    max_series: usize,
    series: HashSet<Box<str>>,
    /// The names that are counted by name.
    counted: HashSet<Box<str>>,
}

#[derive(Debug)]
struct Sample {
    patterns: PatternSet,
    one_in: u32,
    /// Events since the last one that was reported.
    passed: u32,
}

/// A signal as the policy sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) name: &'a str,
    pub(crate) payload: Option<&'a str>,
    pub(crate) kind: SignalKind,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a decision of its own")]
pub(crate) struct Ruling {
    pub(crate) is_event: bool,
    pub(crate) is_exception: bool,
    pub(crate) measure: Option<Measure>,
    /// It should have been a metric, and is none.
    pub(crate) is_unmeasured: bool,
    pub(crate) hides_payload: bool,
    pub(crate) hides_key: bool,
    /// It is counted by its name.
    pub(crate) is_counted_apart: bool,
}

impl Policy {
    pub(crate) fn new(options: &TelemetryOptions) -> Self {
        let sample = |(patterns, one_in): &(PatternSet, u32)| Sample {
            patterns: patterns.clone(),
            one_in: *one_in,
            passed: 0,
        };
        Self {
            samples: options.sample.iter().map(sample).collect(),
            redact_payload_of: options.redact_payload_of.clone(),
            redact_payload_like: options.redact_payload_like.clone(),
            redact_key_of: options.redact_key_of.clone(),
            count_by_name: options.count_by_name.clone(),
            max_series: options.max_series,
            series: HashSet::new(),
            counted: HashSet::new(),
        }
    }

    /// Follows other options. The series that there are stay, so that their number stays what it is.
    pub(crate) fn follow(&mut self, options: &TelemetryOptions) {
        let (series, counted) = (std::mem::take(&mut self.series), std::mem::take(&mut self.counted));
        *self = Self { series, counted, ..Self::new(options) };
    }

    pub(crate) fn judge(&mut self, seen: Seen<'_>) -> Ruling {
        let is_raised = seen.kind == SignalKind::Raised;
        let hides_payload = seen.payload.is_some_and(|payload| {
            self.redact_payload_of.matches(seen.name) || self.redact_payload_like.matches(payload)
        });
        let is_perf = is_raised && seen.name.starts_with("perf.");
        let shown = seen.payload.filter(|_| is_perf && !hides_payload);
        let measure = shown.and_then(Measure::read);
        let measure = measure.filter(|_| has_place(&mut self.series, self.max_series, seen.name));
        let is_counted_apart = is_raised
            && self.count_by_name.matches(seen.name)
            && has_place(&mut self.counted, self.max_series, seen.name);
        Ruling {
            is_event: self.is_sampled(seen.name),
            is_exception: is_raised && seen.name.starts_with("error."),
            measure,
            is_unmeasured: is_perf && measure.is_none(),
            hides_payload,
            hides_key: self.redact_key_of.matches(seen.name),
            is_counted_apart,
        }
    }

    /// Whether the next event of this name is reported.
    fn is_sampled(&mut self, name: &str) -> bool {
        let Some(sample) = self.samples.iter_mut().find(|sample| sample.patterns.matches(name)) else {
            return true;
        };
        let is_first = sample.passed == 0;
        sample.passed = (sample.passed + 1) % sample.one_in;
        is_first
    }
}

/// Whether the name has a place among so many, or gets one.
fn has_place(names: &mut HashSet<Box<str>>, most: usize, name: &str) -> bool {
    if names.contains(name) {
        return true;
    }
    let has_room = names.len() < most;
    if has_room {
        names.insert(name.into());
    }
    has_room
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn raised<'a>(name: &'a str, payload: Option<&'a str>) -> Seen<'a> {
        Seen { name, payload, kind: SignalKind::Raised }
    }

    #[test]
    fn errors_are_exceptions_and_figures_are_metrics() {
        let mut policy = Policy::new(&TelemetryOptions::new());
        let error = policy.judge(raised("error.database", Some("timeout")));
        assert!(error.is_event && error.is_exception && error.measure.is_none() && !error.is_unmeasured);
        let perf = policy.judge(raised("perf.query", Some("35ms")));
        assert!(perf.is_event && !perf.is_exception);
        assert_eq!(perf.measure, Some(Measure::Seconds(0.035)));
        for name in ["error", "errors.x", "perf", "performance.x", "order.paid"] {
            let plain = policy.judge(raised(name, Some("7")));
            assert!(plain.is_event && !plain.is_exception && !plain.is_unmeasured, "{name}");
            assert_eq!(plain.measure, None, "{name}");
        }
    }

    #[test]
    fn what_is_taken_back_is_an_event_only() {
        let mut policy = Policy::new(&TelemetryOptions::new());
        for name in ["error.x", "perf.x"] {
            let back = policy.judge(Seen { name, payload: Some("1"), kind: SignalKind::Retracted });
            assert!(back.is_event && !back.is_exception && back.measure.is_none() && !back.is_unmeasured);
        }
    }

    #[test]
    fn a_hidden_value_is_no_metric() {
        let mut policy = Policy::new(&TelemetryOptions::new().redact_payload_of("perf.secret"));
        let hidden = policy.judge(raised("perf.secret", Some("7")));
        assert!(hidden.hides_payload && hidden.is_unmeasured && hidden.measure.is_none());
    }

    #[test]
    fn a_hostile_stream_of_names_makes_no_more_series_than_allowed() {
        let mut policy = Policy::new(&TelemetryOptions::new().max_series(3));
        let metrics = (0..1_000)
            .filter(|number| policy.judge(raised(&format!("perf.{number}"), Some("1"))).measure.is_some());
        assert_eq!(metrics.count(), 3);
        assert!(policy.judge(raised("perf.0", Some("2"))).measure.is_some(), "a known one goes on");
        policy.follow(&TelemetryOptions::new().max_series(3));
        assert!(policy.judge(raised("perf.new", Some("1"))).measure.is_none());
    }

    #[test]
    fn names_that_are_counted_apart_are_those_that_were_asked_for_and_no_more_than_allowed() {
        let options = TelemetryOptions::new().count_by_name("circuit.open.*").max_series(2);
        let mut policy = Policy::new(&options);
        let mut is_apart = |name: &str| policy.judge(raised(name, None)).is_counted_apart;
        assert!(is_apart("circuit.open.a") && is_apart("circuit.open.b") && is_apart("circuit.open.a"));
        assert!(!is_apart("circuit.open.c") && !is_apart("circuit.changed.a"));
        let back = Seen { name: "circuit.open.a", payload: None, kind: SignalKind::Retracted };
        assert!(!policy.judge(back).is_counted_apart);
        policy.follow(&options.max_series(3));
        assert!(policy.judge(raised("circuit.open.c", None)).is_counted_apart);
        assert!(
            !policy.judge(raised("circuit.open.d", None)).is_counted_apart,
            "the others keep their places"
        );
    }

    proptest! {
        /// Against a model that counts each rule's events from the beginning.
        #[test]
        fn one_in_so_many_is_reported_beginning_with_the_first(
            rates in proptest::collection::vec((0..3_usize, 1..5_u32), 0..4),
            names in proptest::collection::vec(0..4_usize, 0..200),
        ) {
            const NAMES: [&str; 4] = ["a.x", "a.y", "b.x", "error.x"];
            const PATTERNS: [&str; 3] = ["a.*", "*.x", "*"];
            let options = rates.iter().fold(TelemetryOptions::new(), |options, &(pattern, one_in)| {
                options.sample(PATTERNS[pattern], one_in)
            });
            let mut policy = Policy::new(&options);
            let mut counts = vec![0_u32; rates.len()];
            for name in names.into_iter().map(|name| NAMES[name]) {
                let rule = rates.iter().position(|&(pattern, _)| {
                    match PATTERNS[pattern] {
                        "a.*" => name.starts_with("a."),
                        "*.x" => name != "a.y",
                        _ => true,
                    }
                });
                let expected = rule.is_none_or(|rule| {
                    counts[rule] += 1;
                    (counts[rule] - 1).is_multiple_of(rates[rule].1)
                });
                let ruling = policy.judge(raised(name, None));
                prop_assert_eq!(ruling.is_event, expected);
                prop_assert_eq!(ruling.is_exception, name == "error.x");
            }
        }
    }
}
