//! How a call ends.

use crate::error::{ClearError, DeleteError, GetError, PutError, ScanError, SweepError, WatchError};

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    Conflict,
    Unknown,
    Corrupt,
    Unavailable,
    Refused,
    Dropped,
}

impl Ending {
    pub(crate) const ALL: [Self; 7] = [
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
pub(crate) trait HasEnding {
    fn ending(&self) -> Ending;
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
