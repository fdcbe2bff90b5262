//! What a start finds: how much waits, and what an earlier process left half done.

use std::collections::BTreeMap;

use dayfly_kv::{Prefix, Scan};

use super::{Ledger, LedgerError, decode};

/// How many records are looked at together: as much as is in memory at once.
const AT_ONCE: usize = 128;

/// What a start has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Recovered {
    /// Events that wait.
    pub(in crate::serve) events: u64,
    /// Events whose id was claimed only now: they were being taken in when the process ended.
    pub(in crate::serve) claimed: u64,
    /// Events that were removed, because their id belongs to another.
    pub(in crate::serve) duplicates: u64,
    /// What stands there and cannot be read.
    pub(in crate::serve) corrupt: Vec<String>,
}

impl Ledger {
    /// Counts what waits, and finishes what was being taken in.
    pub(super) async fn recover(&self) -> Result<Recovered, LedgerError> {
        let mut recovered = Recovered::default();
        let mut from = Some(0);
        while let Some(next) = from {
            let page = self.page(next, u64::MAX, AT_ONCE).await?;
            from = page.more_from;
            recovered.corrupt.extend(page.corrupt);
            for (seq, record) in page.records {
                if record.claims && seq >= self.sequence.unsettled_from() {
                    if !self.claim(&record.event.id, seq).await? {
                        self.take_back([seq].into_iter()).await;
                        recovered.duplicates += 1;
                        continue;
                    }
                    recovered.claimed += 1;
                }
                recovered.events += 1;
                self.counts.entered(&record.waiting);
            }
        }
        self.count_parked().await?;
        Ok(recovered)
    }

    /// Counts what is parked.
    pub(super) async fn count_parked(&self) -> Result<(), LedgerError> {
        let mut parked = BTreeMap::<String, u64>::new();
        let mut scan = Scan::new(Prefix::all()).limit(AT_ONCE);
        loop {
            let page = self.parked.scan(&scan).await.map_err(LedgerError::reading)?;
            for (key, _) in &page.entries {
                if let Some((endpoint, _)) = key.as_str().split_once('/') {
                    *parked.entry(endpoint.to_owned()).or_default() += 1;
                }
            }
            let Some(next) = page.next else { break };
            scan = scan.after(next);
        }
        self.counts.set_parked(parked);
        Ok(())
    }

    /// The endpoints that are disabled, each with the reason and the URL that it had.
    pub(in crate::serve) async fn disabled(
        &self,
    ) -> Result<BTreeMap<String, super::parked::Disabled>, LedgerError> {
        let prefix = Prefix::new(super::parked::DISABLED).map_err(LedgerError::reading)?;
        let mut scan = Scan::new(prefix).limit(AT_ONCE);
        let mut disabled = BTreeMap::new();
        loop {
            let page = self.meta.scan(&scan).await.map_err(LedgerError::reading)?;
            for (key, entry) in &page.entries {
                if let Some(name) = key.as_str().strip_prefix(super::parked::DISABLED) {
                    disabled.insert(name.to_owned(), decode(entry)?);
                }
            }
            let Some(next) = page.next else { return Ok(disabled) };
            scan = scan.after(next);
        }
    }
}
