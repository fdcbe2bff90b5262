//! A configuration that follows its sources.

use std::fmt;
use std::sync::Arc;

use dayfly::Reconfigure;
use dayfly_signal::SignalSink;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::binding::{Binding, bind};
use crate::error::{BindError, OpenError, ReloadError};
use crate::follower::{Asked, Bound, Projection, Reload};
use crate::opening::Opening;
use crate::options::WatchOptions;
use crate::origin::Origin;
use crate::pending::Pending;
use crate::problem::{Problem, Rejection};
use crate::reader::Reader;
use crate::report::Report;
use crate::section::Section;
use crate::shared::Shared;
use crate::snapshot::{Current, Snapshot};
use crate::sources::Sources;
use crate::validate::{Anything, Validate};

/// A configuration that follows its sources: a valid value from the start on, and then one generation after the other.
///
/// Cheap to clone. The sources are watched as long as a handle lives: a `Watched`, a [`Section`], a [`Reader`] or a
/// [`Binding`].
pub struct Watched<T> {
    shared: Arc<Shared<T>>,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Watched<T> {
    /// Reads the sources and follows them from now on. What comes of each change is raised in `signals`:
    /// `config.reloaded` with the generation, `config.rejected` with the reasons, and `config.stale`, held while what
    /// stands in the sources is not what is in force.
    ///
    /// # Errors
    /// When there is no valid value to begin with: everything that was found, with file, position and key. Who would
    /// rather wait uses [`spawn`](Self::spawn).
    ///
    /// # Panics
    /// Outside of a Tokio runtime, or in one without time.
    ///
    /// # Cancel safety
    /// Nothing is left behind when it is dropped: no task, no watch.
    pub async fn open(
        sources: Sources,
        options: WatchOptions,
        signals: &SignalSink,
    ) -> Result<Self, OpenError> {
        Self::open_validated(sources, options, signals, Anything).await
    }

    /// As [`open`](Self::open), with a check that every value has to pass, the first one included.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and when the check refuses the first value.
    ///
    /// # Panics
    /// As for [`open`](Self::open).
    ///
    /// # Cancel safety
    /// As for [`open`](Self::open).
    pub async fn open_validated(
        sources: Sources,
        options: WatchOptions,
        signals: &SignalSink,
        validate: impl Validate<T>,
    ) -> Result<Self, OpenError> {
        let opening = Opening::new(sources, options, signals, Box::new(validate))?;
        let Some((opening, judged)) = opening.read().await else {
            return Err(OpenError { problems: vec![Problem::new("the runtime has been shut down")] });
        };
        let judged = judged.map_err(|problems| OpenError { problems })?;
        Ok(Self::of(opening.follow(judged)))
    }

    /// Follows the sources from now on, valid or not; [`Pending::first_valid`] waits for the first value.
    ///
    /// # Errors
    /// When the sources themselves are wrong, which no change of a file can mend: an ending that is unknown, a file that
    /// stands there twice.
    ///
    /// # Panics
    /// Outside of a Tokio runtime, or in one without time.
    pub fn spawn(
        sources: Sources,
        options: WatchOptions,
        signals: &SignalSink,
    ) -> Result<Pending<T>, OpenError> {
        Self::spawn_validated(sources, options, signals, Anything)
    }

    /// As [`spawn`](Self::spawn), with a check that every value has to pass, the first one included.
    ///
    /// # Errors
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Panics
    /// As for [`spawn`](Self::spawn).
    pub fn spawn_validated(
        sources: Sources,
        options: WatchOptions,
        signals: &SignalSink,
        validate: impl Validate<T>,
    ) -> Result<Pending<T>, OpenError> {
        Ok(Pending::start(Opening::new(sources, options, signals, Box::new(validate))?))
    }
}

impl<T> Watched<T> {
    pub(crate) fn of(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    /// The value in force: one atomic load, no lock, no wait.
    #[inline]
    pub fn load(&self) -> Current<T> {
        Current::of(&self.shared.slot)
    }

    /// The value in force, to be kept as long as one likes.
    pub fn snapshot(&self) -> Snapshot<T> {
        Snapshot::new(self.shared.slot.load_full())
    }

    /// A reader with a cache of its own, for loops that look at every turn.
    pub fn reader(&self) -> Reader<T> {
        Reader::of(&self.shared)
    }

    /// Which generation is in force. The first value is 1, every change adds one.
    pub fn generation(&self) -> u64 {
        self.load().generation()
    }

    /// Waits for a value of a later generation than this, and returns the newest. Returns at once when it is in force.
    ///
    /// # Cancel safety
    /// Nothing is lost: it has no state, and asking again with the same generation misses no change.
    pub async fn changed_since(&self, generation: u64) -> Snapshot<T> {
        let mut generations = self.shared.generations();
        // The sender lives in what `self` holds, so this cannot fail.
        drop(generations.wait_for(|newest| *newest > generation).await);
        self.snapshot()
    }

    /// Reads the sources now, without waiting for them to settle, and says which generation is in force then.
    ///
    /// # Errors
    /// When what stands there is not taken, or when the runtime that followed the sources is gone.
    ///
    /// # Cancel safety
    /// A request that was made is carried out, also when nobody waits any more.
    pub async fn reload(&self) -> Result<u64, ReloadError> {
        let (request, answer) = oneshot::channel();
        self.shared.requests.send(request).await.map_err(|_| ReloadError::Stopped)?;
        answer.await.map_err(|_| ReloadError::Stopped)?.map_err(ReloadError::Rejected)
    }

    /// The content that was not taken last: why, where and when. It stays when a later one is taken; whether it still
    /// stands in the sources, [`is_stale`](Self::is_stale) says.
    pub fn last_rejection(&self) -> Option<Arc<Rejection>> {
        self.shared.last_rejection()
    }

    /// Whether what stands in the sources is not what is in force: it was rejected, or a file was removed.
    pub fn is_stale(&self) -> bool {
        self.shared.is_stale()
    }

    /// Whether every file that was there is there. What a removed file said last stays in force.
    pub fn exists(&self) -> bool {
        self.shared.in_force().facts.is_whole
    }

    /// Which source says the value of this key, such as `orders.max_concurrency` or `endpoints.0.url`; none when no source
    /// does, and the value is the type's own default or none at all.
    pub fn provenance(&self, key: &str) -> Option<Origin> {
        let in_force = self.shared.in_force();
        in_force.facts.effective.place(key).map(|place| place.origin.clone())
    }

    /// Every value in force that a source says, with its source, as text and as JSON. Secrets are hidden.
    pub fn report(&self) -> Report {
        Report::of(&self.shared)
    }

    /// A part of the configuration: its key, as the sources name it, and how to find it in the whole.
    ///
    /// From now on a section that is removed from all sources keeps its last value.
    ///
    /// A `project` that panics makes the change that it is asked about a rejected one.
    pub fn section<O>(
        &self,
        key: impl Into<String>,
        project: impl Fn(&T) -> &O + Send + Sync + 'static,
    ) -> Section<T, O> {
        Section::of(&self.shared, key.into(), Arc::new(project))
    }

    /// Lets `target` follow the whole: see [`Section::bind`].
    ///
    /// # Errors
    /// As there.
    pub fn bind<R>(&self, target: R) -> Result<Binding, BindError<R>>
    where
        R: Reconfigure<T> + 'static,
        T: Send + Sync + 'static,
    {
        let whole: Projection<T, T> = Arc::new(|whole| whole);
        bind(&self.shared, "".into(), whole, |_, _| false, Bound(target)).map_err(BindError::unbound)
    }

    /// Lets `target` follow the whole: see [`Section::subscribe`].
    ///
    /// # Errors
    /// As there.
    pub fn subscribe<R>(&self, target: R) -> Result<Binding, BindError<R>>
    where
        R: Reload<T>,
        T: Send + Sync + 'static,
    {
        let whole: Projection<T, T> = Arc::new(|whole| whole);
        bind(&self.shared, "".into(), whole, |_, _| false, Asked(target)).map_err(BindError::unasked)
    }
}

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

// The value may hold secrets of types that print themselves, so it is not shown.
impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("generation", &self.generation()).finish_non_exhaustive()
    }
}
