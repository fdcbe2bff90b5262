//! Parked events that are handed in again.

use std::collections::HashSet;

use dayfly::SignalPattern;

use super::{AcceptError, Relay};
use crate::serve::event::Event;
use crate::serve::telemetry::current_span;

/// How many parked events are read together, and how many one request looks at.
const REPLAY_PAGE: usize = 64;
const REPLAY_LOOK: usize = 10_000;

/// Which parked events are handed in again.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Replay {
    pub(in crate::serve) endpoint: String,
    pub(in crate::serve) ids: Option<HashSet<String>>,
    pub(in crate::serve) kind: Option<SignalPattern>,
    pub(in crate::serve) after: u64,
    pub(in crate::serve) limit: usize,
}

impl Replay {
    fn wants(&self, event: &Event) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&event.id))
            && self.kind.as_ref().is_none_or(|kind| kind.matches(&event.kind))
    }
}

impl Relay {
    /// Hands parked events in again, for their endpoint alone: as many as are wanted, or as the backlog has room for.
    /// Says how many, and after which number to go on, if there is more.
    ///
    /// # Errors
    /// When there is no room at all in the backlog, when the relay ends, and when the store does not write.
    ///
    /// # Cancel safety
    /// Dropped, some events are handed in again; one may be parked and wait at the same time.
    pub(in crate::serve) async fn replay(&self, which: Replay) -> Result<(u64, Option<u64>), AcceptError> {
        let (relay, trace) = (self.clone(), current_span());
        let replayed = self.inner.intake.spawn(async move {
            let replayed = relay.replay_page(&which, trace.as_deref()).await;
            relay.wake();
            replayed
        });
        replayed.await?
    }

    async fn replay_page(
        &self,
        which: &Replay,
        trace: Option<&str>,
    ) -> Result<(u64, Option<u64>), AcceptError> {
        if self.is_draining() {
            return Err(AcceptError::Draining);
        }
        // Two at a time would hand the same events in twice.
        let _one_at_a_time = self.inner.replaying.lock().await;
        let backlog = self.settings().limits.backlog.0;
        let promise = self.ledger().counts().promise_up_to(which.limit as u64, backlog);
        let promise = promise.ok_or(AcceptError::Backlog)?;
        let (mut replayed, mut after, mut looked_at) = (0, which.after, 0);
        loop {
            let page = self.ledger().parked_page(&which.endpoint, after, REPLAY_PAGE).await?;
            for (seq, parked) in page.parked {
                after = seq;
                looked_at += 1;
                if !which.wants(&parked.event) {
                    continue;
                }
                let trace = trace.map(ToOwned::to_owned);
                self.ledger().replay(seq, &which.endpoint, parked.event, trace).await?;
                replayed += 1;
                if replayed == promise.events() {
                    return Ok((replayed, Some(after)));
                }
            }
            match page.more_after {
                None => return Ok((replayed, None)),
                Some(next) if looked_at >= REPLAY_LOOK => return Ok((replayed, Some(next))),
                Some(next) => after = next,
            }
        }
    }
}
