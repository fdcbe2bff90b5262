//! What the end of a handler means for its items and for those who wait for them.

use std::sync::Arc;

use super::desk::Counts;
use crate::batch_rules::Sameness;
use crate::replies::{Reply, Token};
use crate::state::Waiter;
use crate::{Answers, BatchError};
use dayfly::contain::{contain, drop_each};

/// How a handler ended.
pub(super) enum End<V, E> {
    Answered(Answers<V, E>),
    Panicked,
    Cancelled,
}

/// What that means.
pub(super) struct Verdict<E> {
    pub(super) counts: Counts,
    /// Absent when every item is done.
    pub(super) error: Option<BatchError<E>>,
    /// Which items failed, when that is not all of them.
    pub(super) failed: Option<Vec<usize>>,
}

/// Who is to be told what.
pub(super) type Tidings<V, E> = Vec<(Token, Option<Reply<V, E>>)>;

/// Judges a batch of so many items. What those who wait are to be told is added to `tidings`.
pub(super) fn judge<T, V, E>(
    end: End<V, E>,
    items: usize,
    waiters: &[Waiter],
    sameness: Option<&Sameness<T, V>>,
    tidings: &mut Tidings<V, E>,
) -> Verdict<E> {
    let mut tell_all = |reply: &dyn Fn() -> Reply<V, E>| {
        let tokens = waiters.iter().filter_map(|waiter| waiter.token);
        tidings.extend(tokens.map(|token| (token, Some(reply()))));
    };
    let (counts, error) = match end {
        End::Answered(Answers::Done(value)) => {
            tell_all(&|| Reply::Done(value()));
            return Verdict::done(items);
        }
        End::Answered(Answers::Values(values)) if values.len() == items => {
            tell_each(values.into_iter().map(Ok), waiters, sameness, tidings);
            return Verdict::done(items);
        }
        End::Answered(Answers::Each(results)) if results.len() == items => {
            let results: Vec<_> = results.into_iter().map(|result| result.map_err(Arc::new)).collect();
            let verdict = Verdict::of_each(&results);
            tell_each(results.into_iter(), waiters, sameness, tidings);
            return verdict;
        }
        End::Answered(Answers::Values(values)) => {
            let answers = values.len();
            drop_each(values);
            tell_all(&|| Reply::Miscounted { items, answers });
            (Counts::failed(items), BatchError::Miscounted { items, answers })
        }
        End::Answered(Answers::Each(results)) => {
            let answers = results.len();
            drop_each(results);
            tell_all(&|| Reply::Miscounted { items, answers });
            (Counts::failed(items), BatchError::Miscounted { items, answers })
        }
        End::Answered(Answers::Failed(error)) => {
            let error = Arc::new(error);
            tell_all(&|| Reply::Failed(Arc::clone(&error)));
            (Counts::failed(items), BatchError::Failed(error))
        }
        End::Panicked => {
            tell_all(&|| Reply::Panicked);
            (Counts::failed(items), BatchError::Panicked)
        }
        End::Cancelled => {
            tell_all(&|| Reply::Cancelled);
            (Counts { cancelled: items as u64, ..Counts::default() }, BatchError::Cancelled)
        }
    };
    Verdict { counts, error: Some(error), failed: None }
}

impl Counts {
    fn failed(items: usize) -> Self {
        Self { failed: items as u64, ..Self::default() }
    }
}

impl<E> Verdict<E> {
    fn done(items: usize) -> Self {
        let counts = Counts { completed: items as u64, ..Counts::default() };
        Self { counts, error: None, failed: None }
    }

    fn of_each<V>(results: &[Result<V, Arc<E>>]) -> Self {
        let errors = results.iter().enumerate().filter_map(|(at, result)| Some((at, result.as_ref().err()?)));
        let (failed, errors): (Vec<usize>, Vec<Arc<E>>) =
            errors.map(|(at, error)| (at, Arc::clone(error))).unzip();
        if errors.is_empty() {
            return Self::done(results.len());
        }
        let counts = Counts {
            completed: (results.len() - errors.len()) as u64,
            failed: errors.len() as u64,
            cancelled: 0,
        };
        Self { counts, error: Some(BatchError::Items(errors)), failed: Some(failed) }
    }
}

/// Gives each who waits the result of its own item.
fn tell_each<T, V, E>(
    mut results: impl Iterator<Item = Result<V, Arc<E>>>,
    waiters: &[Waiter],
    sameness: Option<&Sameness<T, V>>,
    tidings: &mut Tidings<V, E>,
) {
    let Some(Sameness { copy, .. }) = sameness else {
        // Each item has one who waits at most, and both stand in the order of the items.
        let mut next = 0;
        for waiter in waiters {
            drop_each(results.by_ref().take(waiter.at - next));
            next = waiter.at + 1;
            if let Some((token, result)) = waiter.token.zip(results.next()) {
                tidings.push((token, Some(result.map_or_else(Reply::Failed, Reply::Done))));
            }
        }
        drop_each(results);
        return;
    };
    let results: Vec<_> = results.collect();
    for waiter in waiters {
        let Some(token) = waiter.token else { continue };
        let reply = match &results[waiter.at] {
            // A clone is foreign: its panic is that of the item.
            Ok(value) => contain(|| copy(value)).map_or(Reply::Panicked, Reply::Done),
            Err(error) => Reply::Failed(Arc::clone(error)),
        };
        tidings.push((token, Some(reply)));
    }
    drop_each(results);
}
