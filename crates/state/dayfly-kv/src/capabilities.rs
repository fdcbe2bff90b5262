//! What a store can do, and why it cannot do the rest.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// The most bytes of a value, unless a store is told otherwise: 512 KiB.
pub const DEFAULT_MAX_VALUE_BYTES: usize = 512 * 1024;

/// Something that not every store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Writes with a precondition are atomic among the users of one opened store.
    CompareAndSwap,
    /// They are atomic among all processes that have the store open.
    AcrossProcesses,
    /// What was acknowledged is there after the process was killed.
    Durability,
    /// Entries may have a time to live.
    TimeToLive,
    /// Entries are listed in the order of their keys.
    Scan,
    /// Entries are listed in the reverse order, too.
    ReverseScan,
    /// Changes are told: those of this process at least.
    Watch,
    /// Changes by all processes that have the store open are told.
    WatchAcrossProcesses,
    /// Changes are told from a cursor on, also after the store was opened again.
    WatchResume,
}

/// What a store was found to do when it was opened: probed, not assumed.
///
/// ```
/// use dayfly_kv::{Capabilities, Capability};
///
/// let found = Capabilities::new(512 * 1024).without(Capability::Watch, "the folder's file system tells nothing");
/// assert!(found.has(Capability::Scan));
/// let missing = found.require(&[Capability::Watch]).unwrap_err();
/// assert_eq!(missing.to_string(), "the store has no watch: the folder's file system tells nothing");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The most bytes that a value has.
    pub max_value_bytes: usize,
    /// How finely deadlines are kept. None is earlier than asked for, nor later by as much as a step.
    pub time_to_live_step: Duration,
    missing: Vec<(Capability, String)>,
}

/// A store cannot do something.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the store has no {capability}: {reason}")]
#[non_exhaustive]
pub struct MissingCapability {
    /// What it cannot do.
    pub capability: Capability,
    /// Why.
    pub reason: String,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::CompareAndSwap,
        Self::AcrossProcesses,
        Self::Durability,
        Self::TimeToLive,
        Self::Scan,
        Self::ReverseScan,
        Self::Watch,
        Self::WatchAcrossProcesses,
        Self::WatchResume,
    ];
}

impl Capabilities {
    /// Everything, for values of at most so many bytes.
    pub const fn new(max_value_bytes: usize) -> Self {
        Self { missing: Vec::new(), max_value_bytes, time_to_live_step: Duration::from_nanos(1) }
    }

    /// All but this, for that reason (a lowercase fragment).
    #[must_use]
    pub fn without(mut self, capability: Capability, reason: impl Into<String>) -> Self {
        self.missing.retain(|(missing, _)| *missing != capability);
        self.missing.push((capability, reason.into()));
        self
    }

    /// Sets how finely deadlines are kept: a nanosecond unless set.
    #[must_use]
    pub const fn time_to_live_step(mut self, step: Duration) -> Self {
        self.time_to_live_step = step;
        self
    }

    /// Whether the store can do it.
    pub fn has(&self, capability: Capability) -> bool {
        self.missing.iter().all(|(missing, _)| *missing != capability)
    }

    /// Whether the store can do all of this.
    ///
    /// # Errors
    /// The first that it cannot, and why.
    pub fn require(&self, wanted: &[Capability]) -> Result<(), MissingCapability> {
        let is_missing = |wanted: &&Capability| self.missing.iter().find(|(missing, _)| missing == *wanted);
        match wanted.iter().find_map(|wanted| is_missing(&wanted)) {
            Some((capability, reason)) => {
                Err(MissingCapability { capability: *capability, reason: reason.clone() })
            }
            None => Ok(()),
        }
    }

    /// What it cannot do, each with the reason.
    pub fn missing(&self) -> impl Iterator<Item = (Capability, &str)> {
        self.missing.iter().map(|(capability, reason)| (*capability, reason.as_str()))
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CompareAndSwap => "compare-and-swap",
            Self::AcrossProcesses => "compare-and-swap across processes",
            Self::Durability => "durability",
            Self::TimeToLive => "time to live",
            Self::Scan => "scan",
            Self::ReverseScan => "scan in reverse",
            Self::Watch => "watch",
            Self::WatchAcrossProcesses => "watch across processes",
            Self::WatchResume => "watch from a cursor on",
        })
    }
}
