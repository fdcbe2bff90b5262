//! What led to a signal, and which signals may follow which.

use std::sync::Arc;

use crate::signal::{Label, SinkId};
use crate::{Signal, SignalId, SignalOptions};

/// Why a signal may not follow the one that it was to be caused by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blocked {
    /// The chain of causes has reached its greatest depth.
    TooDeep {
        /// The depth that may not be exceeded.
        max_depth: u32,
    },
    /// The same name and key stand in the chain already.
    Cycle {
        /// The name that would repeat.
        name: String,
    },
    /// The cause is terminal: nothing may follow it.
    AfterTerminal {
        /// The terminal name.
        name: String,
    },
}

impl std::fmt::Display for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooDeep { max_depth } => {
                write!(f, "the chain of causes is {max_depth} signals deep already")
            }
            Self::Cycle { name } => write!(f, "`{name}` would be among its own causes"),
            Self::AfterTerminal { name } => write!(f, "nothing may follow `{name}`"),
        }
    }
}

impl std::error::Error for Blocked {}

/// Where a signal stands in a chain of causes. A root has depth 1 and no chain.
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    pub(crate) cause: Option<SignalId>,
    /// How many events led here, this one included. A leaf has no chain, and a loop through leaves ends all the same.
    steps: u32,
    chain: Option<Arc<Link>>,
}

/// A cause, and what led to it.
#[derive(Debug)]
struct Link {
    label: Arc<Label>,
    earlier: Option<Arc<Link>>,
}

impl Lineage {
    pub(crate) const ROOT: Self = Self { cause: None, steps: 1, chain: None };

    /// The place in the chain: 1 where there is none.
    pub(crate) fn depth(&self) -> u32 {
        self.chain.iter().flat_map(|nearest| nearest.iter()).fold(1, |depth, _| depth + 1)
    }

    /// The place of a signal with this name behind `cause`, if it may stand there.
    ///
    /// A leaf is raised without a chain, as a root is, also behind the deepest signal of one.
    pub(crate) fn behind(
        cause: &Signal,
        name: &str,
        key: Option<&str>,
        (options, sink): (&SignalOptions, SinkId),
    ) -> Result<Self, Blocked> {
        let before = &cause.lineage;
        if options.terminal.matches(cause.name()) {
            return Err(Blocked::AfterTerminal { name: cause.name().to_owned() });
        }
        let steps = before.steps + 1;
        let is_leaf = options.leaf.matches(name);
        // A leaf may be one deeper, and nothing follows that.
        if before.steps.saturating_sub(u32::from(is_leaf)) >= options.max_depth {
            return Err(Blocked::TooDeep { max_depth: options.max_depth });
        }
        if is_leaf {
            return Ok(Self { steps, ..Self::ROOT });
        }
        let chain = Link { label: Arc::clone(&cause.label), earlier: before.chain.clone() };
        if chain.iter().any(|link| *link.label.name == *name && link.label.key.as_deref() == key) {
            return Err(Blocked::Cycle { name: name.to_owned() });
        }
        // An id means something in its own sink only.
        let id = (cause.sink == sink).then_some(cause.id);
        Ok(Self { cause: id, steps, chain: Some(Arc::new(chain)) })
    }
}

impl Link {
    fn iter(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |link| link.earlier.as_deref())
    }
}
