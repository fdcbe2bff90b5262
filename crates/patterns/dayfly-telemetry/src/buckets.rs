//! The bounds of the buckets of distributions.

/// Of seconds. Those that OpenTelemetry has are meant for milliseconds.
pub(crate) const SECONDS: [f64; 18] = [
    0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0,
];

/// Of anything else, as OpenTelemetry has them.
#[cfg(feature = "prometheus")]
pub(crate) const NUMBERS: [f64; 15] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1_000.0, 2_500.0, 5_000.0, 7_500.0,
    10_000.0,
];
