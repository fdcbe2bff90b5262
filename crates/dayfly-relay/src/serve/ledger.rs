//! What has been taken in and is not done yet, in a store that outlives the process.
//!
//! ```text
//! events/<number>             an event and the endpoints that it still waits for
//! ids/<id>                    the number that this id was first taken in under; forgotten after a while
//! parked/<endpoint>/<number>  an event that an endpoint did not take, with the reason
//! meta/…                      up to where numbers are given out; endpoints that are disabled
//! ```
//!
//! An event is written first and its id is claimed second, and it is acknowledged and dispatched only after both. So when
//! the process is killed at any moment, what was acknowledged is there, and what was not may be there without its claim:
//! the next start claims it, or removes it when the id belongs to another.
//!
//! Done is an update: the endpoint leaves the record, and with the last one the record goes. It comes after the delivery,
//! so what is killed in between is delivered again: at least once.

mod counts;
mod error;
mod parked;
mod recovery;
mod sequence;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dayfly::SignalSink;
use dayfly_kv::{
    Backend, Capability, DeleteError, Entry, InstrumentedStore, Key, Namespace, Precondition, Prefix,
    PutError, PutOptions, Scan, Store,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

pub(super) use counts::Counts;
pub(crate) use error::LedgerError;
pub(super) use parked::Disabled;
pub(super) use recovery::Recovered;

use self::sequence::Sequence;
use super::event::Event;

/// How many writes of one request are under way at once. The store gives what comes together one commit.
const WRITES_AT_ONCE: usize = 256;

/// How often a write is tried whose record changes under it, or whose answer is lost.
const TRIES: u32 = 64;

/// Everything that was taken in and is not done yet.
#[derive(Debug)]
pub(super) struct Ledger {
    events: Arc<dyn Store>,
    ids: Arc<dyn Store>,
    parked: Arc<dyn Store>,
    meta: Arc<dyn Store>,
    sequence: Sequence,
    counts: Counts,
    keep: Keep,
}

/// How long the ledger remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keep {
    /// How long an id is known after it was taken in.
    pub(super) ids: Duration,
    /// How long a parked event is kept.
    pub(super) parked: Duration,
}

/// An event and the endpoints that it still waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The form of the record, for later versions to read it by.
    v: u8,
    pub(super) event: Event,
    pub(super) waiting: Vec<String>,
    /// Whether its id has to be claimed. Those that the relay drew itself belong to nobody else.
    claims: bool,
    /// The span that it was taken in by, as a `traceparent`: deliveries are linked to it, also after a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<String>,
}

/// An event to be taken in.
#[derive(Clone, Debug)]
pub(super) struct Entering {
    pub(super) event: Event,
    /// Whether its id was given by who sent it.
    pub(super) named: bool,
    /// The endpoints that want it.
    pub(super) waiting: Vec<String>,
    /// Those of them that have too much waiting: for them it is parked at once.
    pub(super) overflowing: Vec<String>,
    /// The span that it is taken in by, as a `traceparent`.
    pub(super) trace: Option<String>,
}

/// What became of an event that was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Its id.
    pub id: String,
    /// Whether an event of this id had been taken in before. Then this one was not.
    pub duplicate: bool,
    /// How many endpoints it waits for.
    pub endpoints: usize,
}

/// Some of the events that wait, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct EventPage {
    pub(super) records: Vec<(u64, Record)>,
    /// The first number after the page, if there is more.
    pub(super) more_from: Option<u64>,
    /// What stands there and cannot be read.
    pub(super) corrupt: Vec<String>,
}

const REQUIRED: [Capability; 3] = [Capability::CompareAndSwap, Capability::TimeToLive, Capability::Scan];

impl Ledger {
    /// Opens the ledger of a store, and finishes what an earlier process did not.
    ///
    /// # Errors
    /// When the store cannot be opened or read, or cannot do what a ledger needs.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was finished is finished, and the rest is left to the next start.
    pub(super) async fn open(
        backend: &dyn Backend,
        keep: Keep,
        signals: &SignalSink,
    ) -> Result<(Self, Recovered), LedgerError> {
        let open = async |entity: &str| {
            let namespace = Namespace::new("relay", "ledger", entity).map_err(LedgerError::opening)?;
            let store = backend.open(&namespace).await.map_err(LedgerError::opening)?;
            store.capabilities().require(&REQUIRED).map_err(LedgerError::opening)?;
            let store: Arc<dyn Store> = Arc::new(InstrumentedStore::new(store, signals));
            Ok(store)
        };
        let (events, ids) = (open("events").await?, open("ids").await?);
        let (parked, meta) = (open("parked").await?, open("meta").await?);
        let sequence = Sequence::open(Arc::clone(&meta)).await?;
        let ledger = Self { events, ids, parked, meta, sequence, counts: Counts::default(), keep };
        let recovered = ledger.recover().await?;
        Ok((ledger, recovered))
    }

    /// The largest value that the store takes.
    pub(super) fn max_value_bytes(&self) -> usize {
        self.events.capabilities().max_value_bytes
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Every number below this one may be dispatched.
    pub(super) fn settled(&self) -> u64 {
        self.sequence.settled()
    }

    /// Takes events in. When this returns, each of them is durable, or was known already.
    ///
    /// # Errors
    /// When the store cannot write; then none of them is acknowledged, and some may be delivered all the same.
    ///
    /// # Cancel safety
    /// Dropped, any of the events may have been taken in; none is dispatched without having been written.
    pub(super) async fn accept(&self, entering: Vec<Entering>) -> Result<Vec<Receipt>, LedgerError> {
        let run = self.sequence.begin(entering.len() as u64).await?;
        let numbered: Vec<(u64, Entering)> = run.numbers().zip(entering).collect();

        let mut writes = Vec::with_capacity(numbered.len());
        for (seq, entering) in &numbered {
            if !entering.waiting.is_empty() {
                writes.push(self.write(*seq, entering));
            }
        }
        let written = stream::iter(writes).buffer_unordered(WRITES_AT_ONCE).try_collect::<()>().await;
        if let Err(error) = written {
            // Whoever hands in again will have them written again.
            self.take_back(numbered.iter().map(|(seq, _)| *seq)).await;
            return Err(error);
        }
        // Each is brought to its end, also beside one that failed, so that the counts stay right.
        let mut enters = Vec::with_capacity(numbered.len());
        for (seq, entering) in numbered {
            enters.push(self.enter(seq, entering));
        }
        let entered: Vec<_> = stream::iter(enters).buffered(WRITES_AT_ONCE).collect().await;
        drop(run);
        entered.into_iter().collect()
    }

    async fn write(&self, seq: u64, entering: &Entering) -> Result<(), LedgerError> {
        let Entering { event, named, waiting, trace, .. } = entering;
        let (event, waiting, trace) = (event.clone(), waiting.clone(), trace.clone());
        let record = Record { v: 1, event, waiting, claims: *named, trace };
        let bytes = encode(&record)?;
        match self.events.put(&number_key(seq)?, bytes, PutOptions::new()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(LedgerError::writing(error)),
        }
    }

    /// The second half of taking in: the claim of the id, and what follows from it.
    async fn enter(&self, seq: u64, entering: Entering) -> Result<Receipt, LedgerError> {
        let Entering { event, named, waiting, overflowing, .. } = entering;
        let endpoints = waiting.len();
        if endpoints > 0 {
            let claimed = if named { self.claim(&event.id, seq).await } else { Ok(true) };
            if !matches!(claimed, Ok(true)) {
                self.take_back([seq].into_iter()).await;
                return claimed.map(|_| Receipt { id: event.id, duplicate: true, endpoints: 0 });
            }
            self.counts.entered(&waiting);
        }
        for endpoint in &overflowing {
            self.park(seq, endpoint, &event, "too much is waiting for this endpoint", 0).await?;
        }
        Ok(Receipt { id: event.id, duplicate: false, endpoints })
    }

    /// Claims an id for a number. Says whether it belongs to it now.
    async fn claim(&self, id: &str, seq: u64) -> Result<bool, LedgerError> {
        let key = Key::new(id).map_err(LedgerError::writing)?;
        let options = PutOptions::new().absent().time_to_live(self.keep.ids);
        let mut lost = None;
        for _ in 0..TRIES {
            match self.ids.put(&key, Bytes::from(digits(seq)), options.clone()).await {
                Ok(_) => return Ok(true),
                Err(PutError::Conflict(_)) => {
                    // If nothing is there, it was forgotten just now.
                    if let Some(owner) = self.ids.get(&key).await.map_err(LedgerError::reading)? {
                        return Ok(owner.value == digits(seq).as_bytes());
                    }
                }
                // The next try finds out: a claim of ours that was written is a conflict with ourselves.
                Err(PutError::Unknown(unknown)) => lost = Some(PutError::Unknown(unknown)),
                Err(error) => return Err(LedgerError::writing(error)),
            }
        }
        Err(lost.map_or_else(|| LedgerError::contended(id), LedgerError::writing))
    }

    /// Removes records that are not going to be acknowledged. What cannot be removed is delivered, which is allowed.
    async fn take_back(&self, numbers: impl Iterator<Item = u64>) {
        for seq in numbers {
            if let Ok(key) = number_key(seq) {
                drop(self.events.delete(&key, Precondition::Any).await);
            }
        }
    }

    /// A page of the events from a number on, and below another.
    ///
    /// # Errors
    /// When the store cannot read.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    pub(super) async fn page(&self, from: u64, below: u64, limit: usize) -> Result<EventPage, LedgerError> {
        let mut page = EventPage::default();
        if from >= below {
            return Ok(page);
        }
        let after = from.checked_sub(1).map(number_key).transpose()?;
        let scan = Scan::new(Prefix::all()).after(after).limit(limit);
        let found = self.events.scan(&scan).await.map_err(LedgerError::reading)?;
        page.corrupt = found.corrupt.iter().map(ToString::to_string).collect();
        page.more_from =
            found.next.as_ref().and_then(number).map(|last| last + 1).filter(|next| *next < below);
        for (key, entry) in found.entries {
            match (number(&key), decode(&entry)) {
                (Some(seq), Ok(record)) if seq < below => page.records.push((seq, record)),
                (Some(_), Ok(_)) => page.more_from = None,
                _ => page.corrupt.push(format!("events/{key} is no record of an event")),
            }
        }
        Ok(page)
    }

    /// Notes that an endpoint is done with an event. Says whether it waited for it.
    ///
    /// # Errors
    /// When the store cannot write; then it still waits.
    ///
    /// # Cancel safety
    /// Dropped, it may or may not have been noted; noting it again is well.
    pub(super) async fn done(&self, seq: u64, endpoint: &str) -> Result<bool, LedgerError> {
        let key = number_key(seq)?;
        let mut lost = None;
        for _ in 0..TRIES {
            let entry = self.events.get(&key).await.map_err(LedgerError::reading)?;
            let record: Option<Record> = entry.as_ref().map(decode).transpose()?;
            let (Some(entry), Some(mut record)) = (entry, record) else {
                return Ok(self.left(endpoint, lost.is_some(), true));
            };
            let before = record.waiting.len();
            record.waiting.retain(|waiting| waiting != endpoint);
            if record.waiting.len() == before {
                return Ok(self.left(endpoint, lost.is_some(), false));
            }
            let is_last = record.waiting.is_empty();
            let written = if is_last {
                match self.events.delete(&key, Precondition::Matches(entry.etag)).await {
                    Ok(_) => Ok(()),
                    Err(DeleteError::Conflict(_)) => continue,
                    Err(DeleteError::Unknown(unknown)) => Err(unknown),
                    Err(error) => return Err(LedgerError::writing(error)),
                }
            } else {
                match self.events.put(&key, encode(&record)?, PutOptions::new().matches(entry.etag)).await {
                    Ok(_) => Ok(()),
                    Err(PutError::Conflict(_)) => continue,
                    Err(PutError::Unknown(unknown)) => Err(unknown),
                    Err(error) => return Err(LedgerError::writing(error)),
                }
            };
            match written {
                Ok(()) => return Ok(self.left(endpoint, true, is_last)),
                // What is there now tells whether it was applied; to leave twice is to leave once.
                Err(unknown) => lost = Some(unknown),
            }
        }
        Err(lost.map_or_else(|| LedgerError::contended(key.as_str()), LedgerError::writing))
    }

    /// Counts an endpoint out, if it was us who took it out.
    fn left(&self, endpoint: &str, was_us: bool, is_last: bool) -> bool {
        if was_us {
            self.counts.left(endpoint, is_last);
        }
        was_us
    }

    /// Forgets what is too old to be remembered.
    ///
    /// # Errors
    /// When the store cannot remove.
    ///
    /// # Cancel safety
    /// Dropped, some of it is forgotten and the rest is left to the next time.
    pub(super) async fn sweep(&self) -> Result<u64, LedgerError> {
        let ids = self.ids.sweep().await.map_err(LedgerError::writing)?;
        let parked = self.parked.sweep().await.map_err(LedgerError::writing)?;
        if parked > 0 {
            self.count_parked().await?;
        }
        Ok(ids + parked)
    }
}

fn digits(seq: u64) -> String {
    format!("{seq:020}")
}

fn number_key(seq: u64) -> Result<Key, LedgerError> {
    Key::new(digits(seq)).map_err(LedgerError::reading)
}

fn number(key: &Key) -> Option<u64> {
    key.as_str().parse().ok()
}

fn encode(value: &impl Serialize) -> Result<Bytes, LedgerError> {
    serde_json::to_vec(value).map(Bytes::from).map_err(LedgerError::writing)
}

fn decode<T: for<'de> Deserialize<'de>>(entry: &Entry) -> Result<T, LedgerError> {
    serde_json::from_slice(&entry.value).map_err(LedgerError::reading)
}

#[cfg(test)]
mod tests;
