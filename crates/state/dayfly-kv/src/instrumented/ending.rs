//! How a call ends.

use super::InstrumentedStore;
#[cfg(feature = "metrics")]
use super::figures::Figures;
use crate::error::{ClearError, DeleteError, GetError, PutError, ScanError, SweepError, WatchError};

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    Conflict,
    Unknown,
    Corrupt,
    Unavailable,
    Refused,
    Dropped,
}

impl Ending {
    pub(super) const ALL: [Self; 7] = [
        Self::Done,
        Self::Conflict,
        Self::Unknown,
        Self::Corrupt,
        Self::Unavailable,
        Self::Refused,
        Self::Dropped,
    ];
}

/// What knows how the call ended that it is the error of.
pub(super) trait HasEnding {
    fn ending(&self) -> Ending;
}

/// A call under way. It has ended when this is dropped, be it that nobody waited for it.
pub(super) struct Called<'a> {
    store: &'a InstrumentedStore,
    operation: &'static str,
    ending: Ending,
    #[cfg(feature = "metrics")]
    figures: Figures,
}

impl<'a> Called<'a> {
    pub(super) fn new(store: &'a InstrumentedStore, operation: &'static str) -> Self {
        Self {
            store,
            operation,
            ending: Ending::Dropped,
            #[cfg(feature = "metrics")]
            figures: Figures::start(),
        }
    }

    pub(super) fn ended(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Called<'_> {
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        self.figures.note(self.operation, self.ending);
        self.store.ended(self.operation, self.ending);
    }
}

impl HasEnding for GetError {
    fn ending(&self) -> Ending {
        match self {
            Self::Corrupt(_) => Ending::Corrupt,
            Self::Unavailable(_) => Ending::Unavailable,
        }
    }
}

impl HasEnding for PutError {
    fn ending(&self) -> Ending {
        match self {
            Self::Conflict(_) => Ending::Conflict,
            Self::TooLarge { .. } | Self::Unsupported(_) => Ending::Refused,
            Self::Unknown(_) => Ending::Unknown,
            Self::Corrupt(_) => Ending::Corrupt,
            Self::Unavailable(_) => Ending::Unavailable,
        }
    }
}

impl HasEnding for DeleteError {
    fn ending(&self) -> Ending {
        match self {
            Self::Conflict(_) => Ending::Conflict,
            Self::Unsupported(_) => Ending::Refused,
            Self::Unknown(_) => Ending::Unknown,
            Self::Corrupt(_) => Ending::Corrupt,
            Self::Unavailable(_) => Ending::Unavailable,
        }
    }
}

impl HasEnding for ScanError {
    fn ending(&self) -> Ending {
        match self {
            Self::Unsupported(_) => Ending::Refused,
            Self::Unavailable(_) => Ending::Unavailable,
        }
    }
}

impl HasEnding for WatchError {
    fn ending(&self) -> Ending {
        match self {
            Self::Unsupported(_) => Ending::Refused,
            Self::Unavailable(_) => Ending::Unavailable,
        }
    }
}

impl HasEnding for SweepError {
    fn ending(&self) -> Ending {
        let Self::Unavailable(_) = self;
        Ending::Unavailable
    }
}

impl HasEnding for ClearError {
    fn ending(&self) -> Ending {
        let Self::Unavailable(_) = self;
        Ending::Unavailable
    }
}
