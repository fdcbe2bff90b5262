//! What endpoints did not take: listed, kept for a while, and handed in again when somebody asks.

use dayfly_kv::{Key, Precondition, Prefix, PutOptions, Scan};
use serde::{Deserialize, Serialize};

use super::{Entering, Ledger, LedgerError, decode, digits, encode};
use crate::serve::event::Event;
use crate::serve::unix_millis;

pub(super) const DISABLED: &str = "disabled/";

/// An event that an endpoint did not take.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::serve) struct Parked {
    /// The event.
    pub(in crate::serve) event: Event,
    /// Why the last attempt failed.
    pub(in crate::serve) error: String,
    /// How many attempts there were.
    pub(in crate::serve) attempts: u32,
    /// Since when, in milliseconds of Unix time.
    pub(in crate::serve) since: u64,
}

/// Some of what is parked for an endpoint, in the order of its numbers.
#[derive(Debug, Default)]
pub(in crate::serve) struct ParkedPage {
    pub(in crate::serve) parked: Vec<(u64, Parked)>,
    /// The number to go on after, if there is more.
    pub(in crate::serve) more_after: Option<u64>,
    /// What stands there and cannot be read.
    pub(in crate::serve) corrupt: Vec<String>,
}

/// Why an endpoint gets nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::serve) struct Disabled {
    pub(in crate::serve) reason: String,
    /// Where it was: under another URL it is another receiver, and enabled.
    pub(in crate::serve) url: String,
    pub(in crate::serve) since: u64,
}

impl Ledger {
    /// Parks an event for an endpoint, which is then done with it.
    ///
    /// # Errors
    /// When the store cannot write; then it still waits, and may be parked as well.
    ///
    /// # Cancel safety
    /// Dropped, it may be parked and wait at the same time; parking it again is well.
    pub(in crate::serve) async fn park(
        &self,
        seq: u64,
        endpoint: &str,
        event: &Event,
        error: &str,
        attempts: u32,
    ) -> Result<bool, LedgerError> {
        let parked = Parked { event: event.clone(), error: error.to_owned(), attempts, since: unix_millis() };
        let options = PutOptions::new().time_to_live(self.keep.parked);
        // It stands in both places for a moment, never in none.
        let put = self.parked.put(&parked_key(endpoint, seq)?, encode(&parked)?, options).await;
        put.map_err(LedgerError::writing)?;
        let was_waiting = self.done(seq, endpoint).await?;
        if was_waiting {
            self.counts.parked(endpoint);
        }
        Ok(was_waiting)
    }

    /// A page of what is parked for an endpoint, after a number.
    ///
    /// # Errors
    /// When the store cannot read.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    pub(in crate::serve) async fn parked_page(
        &self,
        endpoint: &str,
        after: u64,
        limit: usize,
    ) -> Result<ParkedPage, LedgerError> {
        let prefix = Prefix::new(format!("{endpoint}/")).map_err(LedgerError::reading)?;
        let scan = Scan::new(prefix).after(parked_key(endpoint, after)?).limit(limit);
        let found = self.parked.scan(&scan).await.map_err(LedgerError::reading)?;
        let mut page = ParkedPage {
            corrupt: found.corrupt.iter().map(ToString::to_string).collect(),
            more_after: found.next.as_ref().and_then(parked_number),
            parked: Vec::with_capacity(found.entries.len()),
        };
        for (key, entry) in &found.entries {
            match (parked_number(key), decode(entry)) {
                (Some(seq), Ok(parked)) => page.parked.push((seq, parked)),
                _ => page.corrupt.push(format!("parked/{key} is no parked event")),
            }
        }
        Ok(page)
    }

    /// Hands a parked event in again, for its endpoint alone, at the end of the line.
    ///
    /// # Errors
    /// When the store cannot write; then it is still parked.
    ///
    /// # Cancel safety
    /// Dropped, it may wait and be parked at the same time; replaying it again delivers it again, under the same id.
    pub(in crate::serve) async fn replay(
        &self,
        seq: u64,
        endpoint: &str,
        event: Event,
        trace: Option<String>,
    ) -> Result<(), LedgerError> {
        let waiting = vec![endpoint.to_owned()];
        let entering = Entering { event, named: false, waiting, overflowing: Vec::new(), trace };
        self.accept(vec![entering]).await?;
        let deleted = self.parked.delete(&parked_key(endpoint, seq)?, Precondition::Any).await;
        if deleted.map_err(LedgerError::writing)? {
            self.counts.unparked(endpoint);
        }
        Ok(())
    }

    /// Remembers that an endpoint is disabled, or that it is not any more.
    ///
    /// # Errors
    /// When the store cannot write.
    ///
    /// # Cancel safety
    /// Dropped, it may or may not be remembered.
    pub(in crate::serve) async fn set_disabled(
        &self,
        endpoint: &str,
        disabled: Option<&Disabled>,
    ) -> Result<(), LedgerError> {
        let key = Key::new(format!("{DISABLED}{endpoint}")).map_err(LedgerError::writing)?;
        match disabled {
            Some(disabled) => {
                let put = self.meta.put(&key, encode(disabled)?, PutOptions::new()).await;
                put.map(drop).map_err(LedgerError::writing)
            }
            None => self.meta.delete(&key, Precondition::Any).await.map(drop).map_err(LedgerError::writing),
        }
    }
}

fn parked_key(endpoint: &str, seq: u64) -> Result<Key, LedgerError> {
    Key::new(format!("{endpoint}/{}", digits(seq))).map_err(LedgerError::reading)
}

fn parked_number(key: &Key) -> Option<u64> {
    key.as_str().rsplit_once('/')?.1.parse().ok()
}
