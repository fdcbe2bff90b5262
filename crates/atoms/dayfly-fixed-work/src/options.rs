//! How many workers there are, and how their work is bounded and remembered.

use std::borrow::Cow;

use dayfly::CoordinatorOptions;
use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How a [`FixedWork`](crate::FixedWork) works.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`workers`](Self::workers) | see below | bodies that run at once |
/// | [`work`](Self::work) | those of [`CoordinatorOptions`] | queue, gates, window |
/// | [`thread_name`](Self::thread_name) | `fixed-work` | the name of each thread, before its number |
/// | [`stack_size`](Self::stack_size) | the platform's | bytes of each thread's stack |
///
/// Where no number of workers is set, there are as many as the process has cores for CPU-bound bodies, and 16 for all
/// others.
///
/// ```
/// use dayfly::CoordinatorOptions;
/// use dayfly_fixed_work::FixedWorkOptions;
///
/// const RESIZE: FixedWorkOptions = FixedWorkOptions::new().workers(4).stack_size(1 << 20);
/// let resize = RESIZE.thread_name("resize").work(CoordinatorOptions::new().queue_capacity(64));
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use dayfly_fixed_work::FixedWorkOptions;
/// let options: FixedWorkOptions =
///     serde_json::from_str(r#"{ "workers": 4, "work": { "queue_capacity": 64 } }"#).unwrap();
/// let error = serde_json::from_str::<FixedWorkOptions>(r#"{ "workers": 0 }"#).unwrap_err();
/// assert!(error.to_string().starts_with("workers must be at least 1, but is 0"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FixedWorkOptions {
    pub(crate) workers: Option<usize>,
    pub(crate) work: CoordinatorOptions,
    pub(crate) thread_name: Cow<'static, str>,
    pub(crate) stack_size: Option<usize>,
}

impl FixedWorkOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            workers: None,
            work: CoordinatorOptions::new(),
            thread_name: Cow::Borrowed("fixed-work"),
            stack_size: None,
        }
    }

    /// Sets how many bodies run at once; where they have threads of their own, there are as many of these.
    ///
    /// # Panics
    /// When it is zero or above 65,536.
    #[must_use]
    #[track_caller]
    pub const fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(kept(rules::workers(workers)));
        self
    }

    /// Sets how work is queued, gated and remembered. The number of workers is the limit on running operations, so
    /// [`max_concurrency`](CoordinatorOptions::max_concurrency) is not looked at.
    #[must_use]
    pub fn work(mut self, work: CoordinatorOptions) -> Self {
        self.work = work;
        self
    }

    /// Sets the name of each thread, which its number follows. Async bodies have no threads of their own.
    ///
    /// # Panics
    /// When there is a NUL in it, which no thread's name can have.
    #[must_use]
    #[track_caller]
    pub fn thread_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        match rules::thread_name(name.into()) {
            Ok(name) => self.thread_name = name,
            Err(rule) => panic!("{rule}"),
        }
        self
    }

    /// Sets how large the stack of each thread is, in bytes. Async bodies have no threads of their own.
    ///
    /// # Panics
    /// When it is above 1 GiB.
    #[must_use]
    #[track_caller]
    pub const fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(kept(rules::stack_size(bytes)));
        self
    }

    /// Leaves the size of stacks to the platform.
    #[must_use]
    pub const fn without_stack_size(mut self) -> Self {
        self.stack_size = None;
        self
    }

    /// The options of the coordinator for so many workers.
    pub(crate) fn work_of(&self, workers: usize) -> CoordinatorOptions {
        self.work.clone().max_concurrency(workers)
    }

    /// The first option that differs from these and holds from the start on.
    pub(crate) fn fixed_difference(&self, other: &Self) -> Option<&'static str> {
        let fixed = [
            ("workers", self.workers == other.workers),
            ("thread_name", self.thread_name == other.thread_name),
            ("stack_size", self.stack_size == other.stack_size),
        ];
        fixed.into_iter().find(|(_, is_same)| !is_same).map(|(option, _)| option)
    }
}

impl Default for FixedWorkOptions {
    fn default() -> Self {
        Self::new()
    }
}
