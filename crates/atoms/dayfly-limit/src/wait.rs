//! Waiting in line.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::coop::consume_budget;
use tokio::time::timeout_at;

use crate::admission::{Refusal, WaiterId};
use crate::keys::{KeyIds, Named};
use crate::request::{Priority, Request};
use crate::shared::{Asked, Shared};

/// A request that waits for its turn. It takes its place when it is first polled and leaves it when it is
/// dropped.
struct Wait<'a, K> {
    shared: &'a Shared<K>,
    permits: usize,
    priority: Priority,
    stage: Stage<K>,
}

enum Stage<K> {
    /// It has asked, and nothing was free.
    Coming(Named<K>),
    InLine(WaiterId),
    Done,
}

/// Why nothing was granted.
pub(crate) enum Unmet {
    Refused(Refusal),
    TimedOut,
}

/// Asks and waits for its turn, no longer than the request allows. What is granted is the caller's to give back.
#[inline]
pub(crate) async fn wait<K: Eq>(
    shared: &Shared<K>,
    named: Named<K>,
    request: Request,
) -> Result<KeyIds, Unmet> {
    // A task that does nothing but take what is free lets others run as often as with Tokio's own waits.
    consume_budget().await;
    let Request { permits, priority, until } = request;
    if shared.pass(permits) {
        return Ok(KeyIds::None);
    }
    let named = match shared.ask(named, permits) {
        Asked::Admitted(keys) => return Ok(keys),
        Asked::Refused(refusal) => return Err(Unmet::Refused(refusal)),
        Asked::Full(named) => named,
    };
    let wait = Wait { shared, permits, priority, stage: Stage::Coming(named) };
    let granted = match until.deadline() {
        None => wait.await,
        Some(deadline) => timeout_at(deadline, wait).await.map_err(|_| Unmet::TimedOut)?,
    };
    granted.map_err(Unmet::Refused)
}

/// Asks and does not wait. What is granted is the caller's to give back.
#[inline]
pub(crate) fn try_ask<K: Eq>(
    shared: &Shared<K>,
    named: Named<K>,
    permits: usize,
    priority: Priority,
) -> Result<KeyIds, Option<Refusal>> {
    if shared.pass(permits) {
        return Ok(KeyIds::None);
    }
    let asked = match shared.ask(named, permits) {
        Asked::Admitted(keys) => Asked::Admitted(keys),
        Asked::Full(named) => shared.ask_in_line(named, permits, priority),
        Asked::Refused(refusal) => Asked::Refused(refusal),
    };
    match asked {
        Asked::Admitted(keys) => Ok(keys),
        Asked::Full(()) => Err(None),
        Asked::Refused(refusal) => Err(Some(refusal)),
    }
}

// Nothing is ever pinned in place here.
impl<K> Unpin for Wait<'_, K> {}

impl<K: Eq> Future for Wait<'_, K> {
    type Output = Result<KeyIds, Refusal>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let asked = match std::mem::replace(&mut this.stage, Stage::Done) {
            Stage::Coming(named) => {
                let waker = context.waker().clone();
                this.shared.join(named, this.permits, this.priority, waker)
            }
            Stage::InLine(id) => {
                // It is in line also while a waker panics.
                this.stage = Stage::InLine(id);
                // Most often its turn has come, and no waker is needed.
                match this.shared.look(id, None) {
                    Asked::Full(()) => this.shared.look(id, Some(context.waker().clone())),
                    asked => asked,
                }
                .at(id)
            }
            // Only async functions poll it, and they do so no more.
            Stage::Done => return Poll::Pending,
        };
        match asked {
            Asked::Admitted(keys) => {
                this.stage = Stage::Done;
                Poll::Ready(Ok(keys))
            }
            Asked::Refused(refusal) => {
                this.stage = Stage::Done;
                Poll::Ready(Err(refusal))
            }
            Asked::Full(id) => {
                this.stage = Stage::InLine(id);
                Poll::Pending
            }
        }
    }
}

impl<K> Drop for Wait<'_, K> {
    fn drop(&mut self) {
        if let Stage::InLine(id) = self.stage {
            self.shared.leave(id);
        }
    }
}
