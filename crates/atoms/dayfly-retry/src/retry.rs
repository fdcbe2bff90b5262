//! The retrier: options that can change, a classifier, perhaps a budget and signals.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dayfly::{Ended, Fixed, Operation, Reconfigure, SignalSink};

use crate::backoff::seed_of;
use crate::budget::Grant;
use crate::plan::plan;
use crate::{GaveUp, RetryBudget, RetryOptions, Verdict};
use figures::Figures;
use live::Live;
use news::News;

mod call;
#[cfg(feature = "metrics")]
mod figures;
#[cfg(not(feature = "metrics"))]
#[path = "retry/uncounted.rs"]
mod figures;
mod live;
mod news;
mod steps;

pub use steps::{Attempts, NextAttempt};

/// Tries a call again when it fails, as its options, its classifier and its budget allow.
///
/// There are two ways to use it. [`call`](Self::call) makes the attempts and waits between them. In the body of a
/// coordinator, [`conclude`](Self::conclude), [`decide`](Self::decide) and [`next_attempt`](Self::next_attempt) only say
/// how the attempt ends: the coordinator does the waiting, and the slot is free meanwhile.
///
/// It is cheap to clone, and clones follow the same options: make one for each thing that is called, and share it. `E` is
/// the error of its calls.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use std::time::Duration;
/// use dayfly_retry::{Retry, RetryOptions, Verdict};
///
/// enum BankError { Busy(Duration), Unreachable, Declined }
///
/// let retry = Retry::new(RetryOptions::new().attempts(4), |error: &BankError| match error {
///     BankError::Busy(wait) => Verdict::RetryAfter(*wait),
///     BankError::Unreachable => Verdict::Retry,
///     BankError::Declined => Verdict::Stop,
/// });
/// let paid = retry.call(|attempt| async move {
///     match attempt {
///         1 => Err(BankError::Unreachable),
///         2 => Err(BankError::Busy(Duration::from_secs(3))),
///         _ => Ok("paid"),
///     }
/// });
/// assert_eq!(paid.await.ok(), Some("paid"));
/// # }
/// ```
pub struct Retry<E> {
    inner: Arc<Inner<E>>,
}

struct Inner<E> {
    live: Arc<Live>,
    classify: Arc<dyn Fn(&E) -> Verdict + Send + Sync>,
    /// Timed-out attempts are worth another one, unless somebody says otherwise.
    classify_timeout: Option<Arc<dyn Fn(u32) -> Verdict + Send + Sync>>,
    budget: Option<RetryBudget>,
    news: Option<News>,
    figures: Figures,
}

impl<E> Retry<E> {
    /// A retrier whose `classify` says what an error is worth: a [`Verdict`], or a `bool`.
    ///
    /// It runs in the call that failed and under no lock. One that panics costs that call.
    #[must_use]
    pub fn new<C, V>(options: RetryOptions, classify: C) -> Self
    where
        C: Fn(&E) -> V + Send + Sync + 'static,
        V: Into<Verdict>,
    {
        let inner = Inner {
            live: Arc::new(Live::new(options)),
            classify: Arc::new(move |error: &E| classify(error).into()),
            classify_timeout: None,
            budget: None,
            news: None,
            figures: Figures::nameless(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A retrier that takes every error for retryable.
    #[must_use]
    pub fn on_every_error(options: RetryOptions) -> Self {
        Self::new(options, |_: &E| Verdict::Retry)
    }

    /// The same retrier with a say in attempts that have timed out, which are tried again otherwise. `classify` is told
    /// which attempt it was.
    #[must_use]
    pub fn classify_timeouts<C, V>(mut self, classify: C) -> Self
    where
        C: Fn(u32) -> V + Send + Sync + 'static,
        V: Into<Verdict>,
    {
        Arc::make_mut(&mut self.inner).classify_timeout =
            Some(Arc::new(move |attempt| classify(attempt).into()));
        self
    }

    /// The same retrier within a budget, which others may share.
    #[must_use]
    pub fn budget(mut self, budget: &RetryBudget) -> Self {
        Arc::make_mut(&mut self.inner).budget = Some(budget.clone());
        self
    }

    /// The same retrier with a name, under which it raises signals: `retry.attempt.<name>` when it has decided on another
    /// attempt, with the attempt's number (`:2` is the first retry), and `retry.exhausted.<name>` when a failure that was
    /// worth another attempt gets none, with what was used up (`:attempts`, `:time` or `:budget`).
    ///
    /// For an operation they are raised in the operation's name, in the sink of its coordinator, also without this: there
    /// they are called `retry.attempt` and `retry.exhausted`.
    ///
    /// With the feature `metrics` its attempts are counted under this name, so it is one of few: no key and no id.
    #[must_use]
    pub fn named(mut self, name: &str, signals: &SignalSink) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.news = Some(News::new(name, signals));
        inner.figures = Figures::named(name);
        self
    }

    /// The options that it follows now.
    pub fn options(&self) -> RetryOptions {
        RetryOptions::clone(&self.inner.live.options())
    }

    /// Ends an attempt of a coordinator's body: a value is done, and an error is what [`decide`](Self::decide) says.
    ///
    /// Use this one rather than `decide` alone where there is a budget: it counts the operations that succeed, too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # async fn charge(order: &u32, attempt: u32) -> Result<(), String> {
    /// #     if attempt > 1 { Ok(()) } else { Err(format!("order {order}: the bank is busy")) }
    /// # }
    /// use dayfly::{Coordinator, CoordinatorOptions, Operation, SignalSink};
    /// use dayfly_retry::{Retry, RetryOptions};
    ///
    /// let retry = Retry::on_every_error(RetryOptions::new());
    /// let body = move |order: u32, op: Operation| {
    ///     let retry = retry.clone();
    ///     async move {
    ///         let charged = charge(&order, op.attempt()).await;
    ///         retry.conclude(&op, order, charged)
    ///     }
    /// };
    /// let orders = Coordinator::spawn(CoordinatorOptions::new(), &SignalSink::default(), body);
    /// orders.enqueue(17).await.unwrap();
    /// assert_eq!(orders.drain().await.completed, 1);
    /// # }
    /// ```
    #[must_use = "the body has to return it"]
    pub fn conclude<T, V>(&self, op: &Operation, item: T, result: Result<V, E>) -> Ended<T, V, E> {
        match result {
            Ok(value) => {
                self.succeeded(op);
                Ended::Done(value)
            }
            Err(error) => self.decide(op, item, error),
        }
    }

    /// Ends an attempt of a coordinator's body that has failed: again after a while, or for good.
    ///
    /// Never waits: the slot is given back, and the coordinator makes the next attempt when it is time. What is given up
    /// fails with this very error; why, a signal tells (see [`named`](Self::named)). An operation that is cancelled is
    /// never tried again.
    ///
    /// The timeouts of the options do not hold here, for an operation does not know when it began.
    #[must_use = "the body has to return it"]
    pub fn decide<T, V>(&self, op: &Operation, item: T, error: E) -> Ended<T, V, E> {
        match self.next_attempt(op, &error) {
            Ok(after) => Ended::Again { item, after },
            Err(_) => Ended::Failed(error),
        }
    }

    /// Says how long a coordinator's operation that has failed is to wait for its next attempt, or why it gets none: what
    /// [`decide`](Self::decide) decides by, for a body that has a use for an item that is given up.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # async fn charge(order: &u32) -> Result<(), String> { Err(format!("order {order}: no funds")) }
    /// use dayfly::{Coordinator, CoordinatorOptions, Operation, SignalSink};
    /// use dayfly_retry::{GaveUp, Retry, RetryOptions};
    ///
    /// let (park, mut parked) = tokio::sync::mpsc::channel(8);
    /// let retry = Retry::on_every_error(RetryOptions::new().attempts(2));
    /// let body = move |order: u32, op: Operation| {
    ///     let (retry, park) = (retry.clone(), park.clone());
    ///     async move {
    ///         let Err(error) = charge(&order).await else {
    ///             retry.succeeded(&op);
    ///             return op.done();
    ///         };
    ///         match retry.next_attempt(&op, &error) {
    ///             Ok(after) => op.again(order, after),
    ///             Err(why) => {
    ///                 park.send((order, why)).await.ok();
    ///                 op.fail(error)
    ///             }
    ///         }
    ///     }
    /// };
    /// let orders = Coordinator::spawn(CoordinatorOptions::new(), &SignalSink::default(), body);
    /// orders.enqueue(17).await.unwrap();
    /// assert_eq!(parked.recv().await, Some((17, GaveUp::AttemptsExhausted)));
    /// # }
    /// ```
    ///
    /// Whoever asks is taken at its word: a retry is taken out of the budget with this, and announced.
    ///
    /// # Errors
    /// Why there is no other attempt; [`GaveUp::Cancelled`] when the operation is cancelled.
    pub fn next_attempt(&self, op: &Operation, error: &E) -> Result<Duration, GaveUp> {
        let inner = &*self.inner;
        let under_way = inner.figures.under_way();
        inner.count_operation(op);
        let verdict = (inner.classify)(error);
        let options = inner.live.options();
        let seed = seed_of(inner.live.seed(&options), op.id().get());
        let planned = plan(&options, op.attempt(), verdict, None, seed);
        let settled = inner.settle(Some(op), op.attempt(), planned);
        under_way.settled(&settled);
        let (after, grant) = settled?;
        grant.spend();
        Ok(after)
    }

    /// Counts a coordinator's operation that has succeeded, for the budget and the figures: what
    /// [`conclude`](Self::conclude) does, for a body that ends in a way of its own. Without either this does nothing.
    pub fn succeeded(&self, op: &Operation) {
        self.inner.count_operation(op);
        self.inner.figures.under_way().succeeded();
    }
}

impl<E> Inner<E> {
    /// Has the last word on what is planned after `made` attempts: nothing follows a cancellation, and the budget is asked
    /// last. Tells of the outcome.
    fn settle(
        &self,
        op: Option<&Operation>,
        made: u32,
        planned: Result<Duration, GaveUp>,
    ) -> Result<(Duration, Grant), GaveUp> {
        if op.is_some_and(Operation::is_cancelled) {
            return Err(GaveUp::Cancelled);
        }
        let settled = planned.and_then(|delay| {
            let grant = Grant::ask(self.budget.as_ref()).ok_or(GaveUp::BudgetExhausted)?;
            Ok((delay, grant))
        });
        let told = settled.as_ref().map(|_| made.saturating_add(1)).map_err(|why| *why);
        News::tell(self.news.as_ref(), op, told);
        settled
    }

    /// Whether there is another attempt after `made` of them, and after how long, if the call has so much time `left`.
    fn next(
        &self,
        op: Option<&Operation>,
        (made, seed): (u32, &mut Option<u64>),
        verdict: Result<Verdict, GaveUp>,
        left: Option<Duration>,
    ) -> Result<(Duration, Grant), GaveUp> {
        let options = self.live.options();
        let seed = *seed.get_or_insert_with(|| self.live.seed_of_call(&options));
        let planned = verdict.and_then(|verdict| plan(&options, made, verdict, left, seed));
        self.settle(op, made, planned)
    }

    fn count_call(&self) {
        if let Some(budget) = &self.budget {
            budget.deposit();
        }
    }

    fn count_operation(&self, op: &Operation) {
        if let Some(budget) = &self.budget
            && op.attempt() == 1
        {
            budget.deposit();
        }
    }
}

/// Every option can be followed. A call that is under way follows with its next failure; how long it may take in all has
/// been settled when it began.
impl<E> Reconfigure<RetryOptions> for Retry<E> {
    fn check(&self, _options: &RetryOptions) -> Result<(), Fixed> {
        Ok(())
    }

    fn reconfigure(&self, options: &RetryOptions) -> Result<(), Fixed> {
        self.inner.live.follow(options.clone());
        Ok(())
    }
}

// Neither of them asks anything of the error's type.
impl<E> Clone for Retry<E> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<E> Clone for Inner<E> {
    fn clone(&self) -> Self {
        Self {
            live: Arc::clone(&self.live),
            classify: Arc::clone(&self.classify),
            classify_timeout: self.classify_timeout.clone(),
            budget: self.budget.clone(),
            news: self.news.clone(),
            figures: self.figures.clone(),
        }
    }
}

impl<E> fmt::Debug for Retry<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("options", &self.inner.live.options())
            .field("budget", &self.inner.budget)
            .finish_non_exhaustive()
    }
}
