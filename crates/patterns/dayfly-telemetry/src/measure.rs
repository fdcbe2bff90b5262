//! The value in a payload: a duration as people write it, or a number.

/// What a payload says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Measure {
    /// A duration, whatever unit it was written in.
    Seconds(f64),
    /// A number without a unit.
    Number(f64),
}

/// Every unit with its length in seconds: those in which options are written, and `µs`.
const UNITS: [(&[&str], f64); 8] = [
    (&["ns", "nsec", "nanos"], 1e-9),
    (&["us", "usec", "µs", "μs", "micros"], 1e-6),
    (&["ms", "msec", "millis"], 1e-3),
    (&["s", "sec", "secs", "second", "seconds"], 1.0),
    (&["m", "min", "mins", "minute", "minutes"], 60.0),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600.0),
    (&["d", "day", "days"], 86_400.0),
    (&["w", "week", "weeks"], 604_800.0),
];

impl Measure {
    /// Reads `12.5`, `-3`, `1e6`, `35ms`, `1.5 s` and `1h 30m`; nothing for anything else, for what is not finite and for
    /// a duration below zero.
    pub(crate) fn read(payload: &str) -> Option<Self> {
        let text = payload.trim();
        if let Ok(number) = text.parse::<f64>() {
            return number.is_finite().then_some(Self::Number(number));
        }
        let mut seconds = 0.0;
        let mut rest = text;
        while !rest.is_empty() {
            let (part, more) = part(rest)?;
            seconds += part;
            rest = more;
        }
        (seconds.is_finite() && !text.is_empty()).then_some(Self::Seconds(seconds))
    }

    pub(crate) const fn value(self) -> f64 {
        match self {
            Self::Seconds(value) | Self::Number(value) => value,
        }
    }
}

/// The first number with its unit in seconds, and what stands behind it.
fn part(text: &str) -> Option<(f64, &str)> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, behind) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let behind = behind.trim_start();
    let end = behind.find(|letter: char| !letter.is_alphabetic()).unwrap_or(behind.len());
    let (unit, more) = behind.split_at(end);
    let (_, length) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
    Some((number * length, more.trim_start()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_durations_are_told_apart() {
        for (payload, measure) in [
            ("12.5", Measure::Number(12.5)),
            (" -3 ", Measure::Number(-3.0)),
            ("1e6", Measure::Number(1e6)),
            ("0", Measure::Number(0.0)),
            ("500ms", Measure::Seconds(0.5)),
            ("1.5 s", Measure::Seconds(1.5)),
            ("250µs", Measure::Seconds(0.000_25)),
            ("1h 30m", Measure::Seconds(5_400.0)),
            ("1m30s", Measure::Seconds(90.0)),
            ("1hour 5mins 2secs", Measure::Seconds(3_902.0)),
            ("2weeks 1day", Measure::Seconds(1_296_000.0)),
            ("7msec", Measure::Seconds(0.007)),
        ] {
            let read = Measure::read(payload).unwrap();
            assert_eq!(std::mem::discriminant(&read), std::mem::discriminant(&measure), "{payload}");
            assert!((read.value() - measure.value()).abs() < 1e-12, "{payload}: {read:?}");
        }
    }

    #[test]
    fn what_is_no_value_is_none() {
        let huge = format!("{}h", "9".repeat(400));
        for payload in [
            "",
            "  ",
            "ms",
            "12 apples",
            "NaN",
            "inf",
            "-inf",
            "-5ms",
            "1..2s",
            "5 30s",
            "1e400",
            "٣s",
            &huge,
        ] {
            assert_eq!(Measure::read(payload), None, "{payload}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_value_is_finite(payload in "\\PC{0,24}") {
            if let Some(measure) = Measure::read(&payload) {
                prop_assert!(measure.value().is_finite());
            }
        }

        #[test]
        fn a_duration_is_read_as_it_is_written(nanos in 0..u64::MAX / 2) {
            let duration = Duration::from_nanos(nanos);
            let written = format!("{duration:?}");
            let Some(Measure::Seconds(read)) = Measure::read(&written) else {
                return Err(TestCaseError::fail(written));
            };
            let exact = duration.as_secs_f64();
            prop_assert!((read - exact).abs() <= exact * 1e-9, "{} is read as {}", written, read);
        }
    }
}
