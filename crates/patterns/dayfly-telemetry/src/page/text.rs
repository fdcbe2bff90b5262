//! How figures are written: the text form 0.0.4 of Prometheus, with the names that OpenTelemetry gives its own there.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use metrics::{Key, Unit};

use super::families::{Family, Kind, Value, lock};

/// The name that a figure has on the page.
pub(super) fn name(name: &str, kind: Kind, unit: Option<Unit>) -> String {
    let mut written = plain(name, true);
    let mut end_in = |suffix: &str| {
        if !written.ends_with(suffix) {
            written.push_str(suffix);
        }
    };
    if unit == Some(Unit::Seconds) {
        end_in("_seconds");
    }
    if kind == Kind::Counter {
        end_in("_total");
    }
    written
}

/// Labels as they stand between the braces, in order. Of two that are written alike the last counts.
pub(super) fn labels(key: &Key, kind: Kind) -> String {
    let mut labels: Vec<(String, String)> = Vec::new();
    for label in key.labels() {
        let mut name = plain(label.key(), false);
        // The name of the bound of a bucket is taken.
        if kind == Kind::Histogram && name == "le" {
            name.push('_');
        }
        labels.retain(|(other, _)| *other != name);
        labels.push((name, escaped(label.value())));
    }
    labels.sort();
    let labels: Vec<String> = labels.into_iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    labels.join(",")
}

/// Letters, digits and underscores, and colons where they may be; no digit first, and never empty.
fn plain(name: &str, with_colons: bool) -> String {
    let taken =
        |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || with_colons && letter == ':';
    let mut written: String = name.chars().map(|letter| if taken(letter) { letter } else { '_' }).collect();
    if written.is_empty() || written.starts_with(|letter: char| letter.is_ascii_digit()) {
        written.insert(0, '_');
    }
    written
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Appends a family.
pub(super) fn write(page: &mut String, name: &str, family: &Family) {
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    if !family.help.is_empty() {
        let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
        line(page, format_args!("# HELP {name} {help}"));
    }
    line(page, format_args!("# TYPE {name} {kind}"));
    for (labels, value) in &family.series {
        let labelled = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        match value {
            Value::Counter(count) => {
                line(page, format_args!("{name}{labelled} {}", count.load(Ordering::Relaxed)));
            }
            Value::Gauge(level) => {
                let level = f64::from_bits(level.load(Ordering::Relaxed));
                line(page, format_args!("{name}{labelled} {}", number(level)));
            }
            Value::Histogram(buckets) => {
                let buckets = lock(buckets);
                let comma = if labels.is_empty() { "" } else { "," };
                let mut so_far = 0;
                for (bound, within) in buckets.bounds.iter().zip(&buckets.within) {
                    so_far += within;
                    line(page, format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {so_far}"));
                }
                line(page, format_args!("{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", buckets.count));
                line(page, format_args!("{name}_sum{labelled} {}", number(buckets.sum)));
                line(page, format_args!("{name}_count{labelled} {}", buckets.count));
            }
        }
    }
}

/// A number as Prometheus reads it.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a text does not fail.
    let _written = writeln!(page, "{text}");
}
