//! Running an item in its caller's thread: where nothing else is to be done, a worker's task need not be woken for it.
//!
//! The caller takes the turn of a worker that sleeps: it claims the one item that it has just handed in, starts it in the
//! worker's slot, and tells the core what has become of it. A body that suspends stays in its slot, and from there on
//! it is the worker's.

use std::sync::Arc;

use dayfly_signal::OperationId;
use tokio::runtime::Handle;
use tokio::task::{coop, yield_now};
use tokio::time::Instant;

use super::attempt_end::AttemptEndOf;
use super::inbox::Offer;
use super::worker::{Site, Worker};
use super::{Engine, Key};
use crate::schedule::Schedule;
use crate::{EnqueueError, Operation, desk};

type OfferOf<S> = Offer<<S as Schedule>::Item, <S as Schedule>::Key>;

impl<S> Engine<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    /// Takes an item in, and runs it at once if nothing else runs and bodies are known to be quick.
    pub(crate) async fn run(
        self: &Arc<Self>,
        offer: OfferOf<S>,
    ) -> Result<OperationId, EnqueueError<S::Item>> {
        if !coop::has_budget_remaining() {
            // A caller whose bodies are always ready in its own turn would keep its thread for ever.
            yield_now().await;
        }
        match self.run_in_place(offer) {
            Ok(id) => Ok(id),
            Err(offer) => self.enqueue(offer).await,
        }
    }

    fn run_in_place(self: &Arc<Self>, offer: OfferOf<S>) -> Result<OperationId, OfferOf<S>> {
        // A body finds the runtime around it that its coordinator was started on.
        let is_at_home = Handle::try_current().is_ok_and(|here| here.id() == self.runtime.id());
        // A crew has threads of its own for its bodies.
        if is_at_home && self.crew.is_none() { self.staff.run_in_place(self, offer) } else { Err(offer) }
    }
}

impl<S, Fut> Worker<S, Fut>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
    Fut: Future<Output = AttemptEndOf<S>> + Send + 'static,
{
    /// Says also whether the worker's own task has something to do now.
    pub(super) fn run_in_place<F>(
        &mut self,
        site: &Site<'_, S, F>,
        offer: OfferOf<S>,
    ) -> Result<(OperationId, bool), OfferOf<S>>
    where
        F: Fn(S::Item, Operation) -> Fut,
    {
        // A body that takes long would keep the caller from handing in what other workers could run meanwhile.
        if self.is_gone || self.pace.is_slow() {
            return Err(offer);
        }
        let id = self.claim_own(site.engine, offer)?;
        desk::open(self.now, || self.start_claimed(site));
        // What suspends is woken in the worker's task. There is one: only in its turns do bodies become known as quick.
        self.settle_own(site.engine);
        Ok((id, !self.rests))
    }

    /// Hands the item in and claims it, if it would be the only one.
    fn claim_own(&mut self, engine: &Arc<Engine<S>>, offer: OfferOf<S>) -> Result<OperationId, OfferOf<S>> {
        let Self { index, effects, claimed, .. } = self;
        let now = Instant::now();
        let word = engine.word();
        let mut core = engine.lock_core();
        let mut inbox = engine.lock_inbox();
        if !inbox.is_empty() || !core.is_free(now) {
            return Err(offer);
        }
        let entry = inbox.pass(offer, now)?;
        let id = entry.id;
        core.accept(entry, effects);
        core.claim(*index, 1, now, claimed, effects);
        inbox.rise(*index);
        inbox.set_tells_workers(core.may_start());
        drop((inbox, core));
        self.pace.start(now);
        (self.word, self.now) = (word, now);
        self.batch += 1;
        self.take_seats();
        Ok(id)
    }

    /// Tells the core what has become of the item. The worker rests then, unless something has come in meanwhile.
    fn settle_own(&mut self, engine: &Arc<Engine<S>>) {
        let Self { index, returns, effects, board, pace, polled, .. } = self;
        engine.ask_observers(effects);
        let now = Instant::now();
        let mut core = engine.lock_core();
        // Kept for all of the visit: it is short, and a lock more is what an operation costs here.
        let mut inbox = engine.lock_inbox();
        core.absorb(|supply| inbox.swap(supply), effects);
        pace.stop(std::mem::take(polled), now);
        core.settle(*index, returns, now, effects);
        board.settle();
        core.shrink_window(now, effects);
        self.rests = core.startable() == 0;
        let end = engine.publish(&mut core, effects, &mut inbox, self.rests);
        if self.rests {
            inbox.rest(*index);
        }
        drop((inbox, core));
        engine.carry_out(effects, &end);
        effects.told_workers = 0;
        (self.has_started, self.is_urgent) = (false, false);
    }
}
