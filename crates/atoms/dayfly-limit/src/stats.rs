//! Figures of one moment, taken under one lock, so they fit each other.

/// Figures of a [`Limiter`](crate::Limiter).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimiterStats {
    /// Permits that may be in use at once.
    pub limit: usize,
    /// Permits in use: more than the limit after it was lowered, until enough have come back.
    pub in_use: usize,
    /// Requests that wait.
    pub waiting: usize,
}

/// Figures of a [`KeyedLimiter`](crate::KeyedLimiter).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedLimiterStats {
    /// Permits that may be in use at once, of all keys together.
    pub limit: usize,
    /// Permits of one key that may be in use at once.
    pub limit_per_key: usize,
    /// Permits in use: more than the limit after it was lowered, until enough have come back.
    pub in_use: usize,
    /// Requests that wait.
    pub waiting: usize,
    /// Keys that are held or waited for.
    pub keys: usize,
}

/// Figures of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUsage {
    /// Permits of the key in use.
    pub in_use: usize,
    /// Requests that wait for the key.
    pub waiting: usize,
}
