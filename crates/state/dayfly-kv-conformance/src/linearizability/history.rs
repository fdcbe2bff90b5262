//! What was done to one key, and what was seen of it.

/// Which write a value came from.
pub type WriteId = u64;

/// What is there: the value of a write, or nothing.
pub(super) type State = Option<WriteId>;

/// Something that a client has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// When it was called: a place in the order of all calls and returns.
    pub called: u64,
    /// When it returned; `None` when its answer was lost. A read without an answer is left out of the history.
    pub returned: Option<u64>,
    /// What it was, and what came of it.
    pub action: Action,
}

/// What was done, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A read.
    Get {
        /// What it found.
        found: Seen,
    },
    /// A write of the value that is known by this number.
    Put {
        /// The number.
        write: WriteId,
        /// On what condition.
        condition: Option<Condition>,
        /// Whether it was done, or refused as a conflict; `None` when the answer was lost.
        done: Option<bool>,
    },
    /// A deletion.
    Delete {
        /// On what condition.
        condition: Option<Condition>,
        /// Whether something was deleted; `Some(false)` without a condition means that nothing was there, and with one
        /// that it was refused. `None` when the answer was lost.
        done: Option<bool>,
    },
}

/// What a read has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// Nothing.
    Nothing,
    /// The value of this write.
    Write(WriteId),
}

/// On what condition something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is there.
    Absent,
    /// Something is there.
    Present,
    /// The value of this write is there.
    Matches(WriteId),
}

impl Condition {
    fn holds(self, state: Option<WriteId>) -> bool {
        match self {
            Self::Absent => state.is_none(),
            Self::Present => state.is_some(),
            Self::Matches(write) => state == Some(write),
        }
    }
}

impl Operation {
    /// What is there after the operation has happened, if it can happen when this is there.
    pub(super) fn apply(&self, state: State) -> Option<State> {
        let holds = |condition: Option<Condition>| condition.is_none_or(|condition| condition.holds(state));
        match &self.action {
            Action::Get { found: Seen::Nothing } => state.is_none().then_some(state),
            Action::Get { found: Seen::Write(write) } => (state == Some(*write)).then_some(state),
            Action::Put { write, condition, done } => match (done, holds(*condition)) {
                (Some(true) | None, true) => Some(Some(*write)),
                (Some(false), false) => Some(state),
                // What was refused without being answered is as if it had not happened.
                (Some(_) | None, _) => None,
            },
            Action::Delete { condition, done } => match (done, holds(*condition)) {
                (Some(true), true) if state.is_some() => Some(None),
                (Some(false), true) if state.is_none() && !matches!(condition, Some(Condition::Present)) => {
                    Some(None)
                }
                (Some(false), false) => Some(state),
                (None, true) => Some(None),
                _ => None,
            },
        }
    }
}
