//! Calls, changes and states as figures of the facade `metrics`.
//!
//! Breakers of one name are one family: the breakers of all keys, or the one that is replaced and the one in its place. So
//! there are as many series as there are names, and no label has a key.

mod family;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use dayfly::contain::contain;
use metrics::{Level, Metadata, Recorder, with_recorder};

use self::family::Family;
use crate::machine::BreakerState;
use crate::permit::Judgement;

/// What came of asking to make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Succeeded,
    Failed,
    Ignored,
    Refused,
}

/// One breaker's part in the figures of its name.
pub(crate) struct Figures {
    family: Arc<Family>,
    /// The state under which it stands in the figures.
    told: Mutex<BreakerState>,
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

impl Figures {
    /// Of a breaker that begins closed.
    pub(crate) fn new(name: &str) -> Self {
        let family = Family::of(name);
        let state = BreakerState::Closed;
        family.enter(state);
        Self { family, told: Mutex::new(state) }
    }

    /// To be called under no lock: the recorder is foreign.
    pub(crate) fn called(&self, call: Call) {
        self.family.count(call);
    }

    /// It is in this state now. Changes are told one after the other.
    pub(crate) fn changed(&self, state: BreakerState) {
        let before = std::mem::replace(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner), state);
        if before != state {
            self.family.count_change(before, state);
            // First where it is: who looks in between finds it twice rather than nowhere.
            self.family.enter(state);
            self.family.leave(before);
        }
    }
}

impl From<Judgement> for Call {
    fn from(judgement: Judgement) -> Self {
        match judgement {
            Judgement::Success => Self::Succeeded,
            Judgement::Failure => Self::Failed,
            Judgement::Ignored => Self::Ignored,
        }
    }
}

impl Drop for Figures {
    fn drop(&mut self) {
        self.family.leave(*self.told.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The recorder's panic costs one figure and no call.
fn tell(told: impl FnOnce(&dyn Recorder)) {
    let _told = contain(|| with_recorder(told));
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}
