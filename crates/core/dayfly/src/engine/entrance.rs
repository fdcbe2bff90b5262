//! How items come in: at once where there is room, and otherwise in line.

use std::collections::VecDeque;
use std::sync::Arc;

use dayfly_signal::OperationId;

use super::in_line::InLine;
use super::inbox::{Accepted, Offer, Refusal, Refused};
use super::room::NoRoom;
use super::{Engine, Key, staff};
use crate::contain::wake_each;
use crate::schedule::Schedule;
use crate::{EnqueueError, TryEnqueueError};

type OfferOf<S> = Offer<<S as Schedule>::Item, <S as Schedule>::Key>;

impl<S> Engine<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    pub(crate) async fn enqueue(
        self: &Arc<Self>,
        offer: OfferOf<S>,
    ) -> Result<OperationId, EnqueueError<S::Item>> {
        match self.offer(offer) {
            Ok(id) => Ok(id),
            Err(Refused { why: Refusal::Duplicate, offer }) => Err(EnqueueError::Duplicate(offer.item)),
            Err(Refused { why: Refusal::Room(NoRoom::Closed), offer }) => {
                Err(EnqueueError::Closed(offer.item))
            }
            Err(Refused { offer, .. }) => InLine { engine: self, offer: Some(offer), ticket: None }.await,
        }
    }

    pub(crate) fn try_enqueue(
        self: &Arc<Self>,
        offer: OfferOf<S>,
    ) -> Result<OperationId, TryEnqueueError<S::Item>> {
        self.try_offer(offer).map_err(|refused| refused.map(|offer| offer.item))
    }

    /// Like [`try_enqueue`](Self::try_enqueue), for who offers again what is refused.
    pub(crate) fn try_offer(
        self: &Arc<Self>,
        offer: OfferOf<S>,
    ) -> Result<OperationId, TryEnqueueError<OfferOf<S>>> {
        self.offer(offer).map_err(|Refused { why, offer }| match why {
            Refusal::Duplicate => TryEnqueueError::Duplicate(offer),
            Refusal::Room(NoRoom::Full) => TryEnqueueError::Full(offer),
            Refusal::Room(NoRoom::KeyFull) => TryEnqueueError::KeyFull(offer),
            Refusal::Room(NoRoom::Closed) => TryEnqueueError::Closed(offer),
        })
    }

    /// Takes an item in if there is room now.
    fn offer(self: &Arc<Self>, offer: OfferOf<S>) -> Result<OperationId, Refused<S::Item, S::Key>> {
        let mut offered = self.lock_inbox().offer(offer);
        if let Err(Refused { why: Refusal::Room(NoRoom::Full | NoRoom::KeyFull), offer }) = offered {
            // Workers tell of starts when they come by; somebody who is refused deserves a closer look.
            self.change(|core, _, effects| core.note_starts(effects));
            offered = self.lock_inbox().offer(offer);
        }
        match offered {
            Ok(accepted) => Ok(self.accepted(&accepted)),
            Err(refused) => {
                if refused.why == Refusal::Duplicate {
                    let producers = self.lock_inbox().take_late();
                    wake_each(producers);
                }
                Err(refused)
            }
        }
    }

    /// Takes in as many as there is room for now, in their order, and says how many.
    pub(crate) fn offer_many(self: &Arc<Self>, offers: &mut VecDeque<OfferOf<S>>) -> u64 {
        let mut told = None;
        let mut count = 0;
        let mut inbox = self.lock_inbox();
        while let Some(offer) = offers.pop_front() {
            match inbox.offer(offer) {
                Ok(accepted) => {
                    count += 1;
                    told = told.or(accepted.tell);
                }
                Err(refused) => {
                    offers.push_front(refused.offer);
                    break;
                }
            }
        }
        drop(inbox);
        if let Some(worker) = told {
            self.tell(worker);
        }
        count
    }

    pub(super) fn accepted(self: &Arc<Self>, accepted: &Accepted) -> OperationId {
        if let Some(worker) = accepted.tell {
            self.tell(worker);
        }
        accepted.id
    }

    /// Has a worker come that has nothing to do.
    pub(super) fn tell(self: &Arc<Self>, worker: usize) {
        let hub = &self.hubs[worker];
        if hub.must_start() {
            staff::start(Arc::clone(self), worker);
        } else {
            hub.nudge();
        }
    }
}
