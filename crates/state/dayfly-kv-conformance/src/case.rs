//! One thing that is examined, and how that ends.

use std::error::Error;
use std::fmt;
use std::pin::Pin;

use dayfly_kv::Capability;

use crate::subject::Subject;

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Broken>> + Send + 'a>>;

/// One thing that is examined.
#[derive(Clone, Copy)]
pub struct Case {
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [Need],
    pub(crate) run: for<'a> fn(&'a Subject) -> Running<'a>,
}

/// What a case needs, and is excluded without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// The store can do something that not every store can.
    Can(Capability),
    /// The subject has a clock that can be moved.
    Clock,
}

/// A rule of the contract that a backend breaks, and how.
#[derive(Debug)]
pub struct Broken(String);

/// How a case ends.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The backend keeps the rule.
    Passed,
    /// The backend cannot do what the case needs, and says why.
    Excluded {
        /// What it cannot do.
        need: Need,
        /// Why.
        reason: String,
    },
    /// The backend breaks the rule.
    Broken(Broken),
}

impl Case {
    /// Its name: the rule.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it needs.
    pub const fn needs(&self) -> &'static [Need] {
        self.needs
    }

    /// Examines a subject that nobody else has.
    ///
    /// # Cancel safety
    /// Nothing is lost but the examination.
    pub async fn examine(&self, subject: Subject) -> Outcome {
        match self.excluded(&subject).await {
            Ok(None) => {}
            Ok(Some((need, reason))) => return Outcome::Excluded { need, reason },
            Err(broken) => return Outcome::Broken(broken),
        }
        match (self.run)(&subject).await {
            Ok(()) => Outcome::Passed,
            Err(broken) => Outcome::Broken(broken),
        }
    }

    async fn excluded(&self, subject: &Subject) -> Result<Option<(Need, String)>, Broken> {
        let store = subject.store().await?;
        for need in self.needs {
            let missing = match need {
                Need::Clock if !subject.has_clock() => {
                    Some("the subject has no clock that can be moved".to_owned())
                }
                Need::Clock => None,
                Need::Can(capability) => {
                    let mut missing = store.capabilities().missing();
                    missing.find(|(missing, _)| missing == capability).map(|(_, reason)| reason.to_owned())
                }
            };
            if let Some(reason) = missing {
                return Ok(Some((*need, reason)));
            }
        }
        Ok(None)
    }
}

impl Broken {
    pub(crate) fn new(how: impl Into<String>) -> Self {
        Self(how.into())
    }
}

/// Whatever fails where nothing may fail breaks the contract.
impl<E: Error> From<E> for Broken {
    fn from(error: E) -> Self {
        let mut how = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            how = format!("{how}: {cause}");
            source = cause.source();
        }
        Self(how)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Can(capability) => capability.fmt(f),
            Self::Clock => f.write_str("a clock that can be moved"),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("needs", &self.needs).finish_non_exhaustive()
    }
}

/// Holds, or the contract is broken: says what was expected.
macro_rules! ensure {
    ($holds:expr, $($how:tt)+) => {
        if !$holds {
            return Err($crate::case::Broken::new(format!($($how)+)));
        }
    };
}

/// Both are equal, or the contract is broken.
macro_rules! ensure_eq {
    ($found:expr, $wanted:expr, $($how:tt)+) => {{
        let (found, wanted) = (&$found, &$wanted);
        if found != wanted {
            let how = format!($($how)+);
            return Err($crate::case::Broken::new(format!("{how}: expected {wanted:?}, found {found:?}")));
        }
    }};
}

/// A conflict with exactly this etag, or the contract is broken.
macro_rules! ensure_conflict {
    ($result:expr, $error:ident, $current:expr, $($how:tt)+) => {{
        let how = format!($($how)+);
        match $result {
            Err(dayfly_kv::$error::Conflict(conflict)) => {
                ensure_eq!(conflict.current.as_ref(), $current, "{how}: the conflict's etag");
            }
            other => {
                return Err($crate::case::Broken::new(format!("{how}: expected a conflict, found {other:?}")));
            }
        }
    }};
}

pub(crate) use {ensure, ensure_conflict, ensure_eq};
