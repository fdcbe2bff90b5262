//! Numbers that are never given out twice, in this process or the next.
//!
//! Numbers are reserved in blocks: the end of a block is durable before its first number is used, and the next process goes
//! on there. With it stands up to where everything had been settled by then: what a killed process left half done is not
//! before that.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dayfly_kv::{Key, PutOptions, Store};
use serde::{Deserialize, Serialize};

use super::{LedgerError, decode, encode};
use crate::serve::frontier::Frontier;

const BLOCK: u64 = 4_096;

/// Gives out numbers.
#[derive(Debug)]
pub(super) struct Sequence {
    meta: Arc<dyn Store>,
    frontier: Mutex<Frontier>,
    /// The first number that is not reserved. Held across the reservation, so that only one is under way.
    reserved: tokio::sync::Mutex<u64>,
    /// What stood there when it was opened.
    unsettled_from: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Reservation {
    reserved: u64,
    settled: u64,
}

/// A run of numbers. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Run<'a> {
    sequence: &'a Sequence,
    numbers: Range<u64>,
}

impl Sequence {
    pub(super) async fn open(meta: Arc<dyn Store>) -> Result<Self, LedgerError> {
        let found = meta.get(&key()?).await.map_err(LedgerError::reading)?;
        let found: Option<Reservation> = found.as_ref().map(decode).transpose()?;
        let Reservation { reserved, settled } = found.unwrap_or(Reservation { reserved: 1, settled: 1 });
        Ok(Self {
            meta,
            frontier: Mutex::new(Frontier::starting_at(reserved)),
            reserved: tokio::sync::Mutex::new(reserved),
            unsettled_from: settled,
        })
    }

    /// What an earlier process may have left half done begins here.
    pub(super) fn unsettled_from(&self) -> u64 {
        self.unsettled_from
    }

    pub(super) fn settled(&self) -> u64 {
        self.frontier().settled()
    }

    /// Gives out a run of numbers.
    pub(super) async fn begin(&self, count: u64) -> Result<Run<'_>, LedgerError> {
        let mut reserved = self.reserved.lock().await;
        let (next, settled) = {
            let frontier = self.frontier();
            (frontier.next(), frontier.settled())
        };
        if next + count > *reserved {
            let reservation = Reservation { reserved: next + count + BLOCK, settled };
            let written = self.meta.put(&key()?, encode(&reservation)?, PutOptions::new()).await;
            written.map_err(LedgerError::writing)?;
            *reserved = reservation.reserved;
        }
        Ok(Run { sequence: self, numbers: self.frontier().begin(count) })
    }

    /// Nothing that panics runs under this lock, so a poisoned one still guards a sound state.
    fn frontier(&self) -> MutexGuard<'_, Frontier> {
        self.frontier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run<'_> {
    pub(super) fn numbers(&self) -> Range<u64> {
        self.numbers.clone()
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.sequence.frontier().end(self.numbers.start);
    }
}

fn key() -> Result<Key, LedgerError> {
    Key::new("sequence").map_err(LedgerError::reading)
}
