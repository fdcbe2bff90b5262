//! What a receiver makes of authentic requests: each event once, folded into a tree, with an eye on the order.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::event::{Change, Entry, Event, ParseTextError, RepoPath, Tree, WirePath};

/// The body of a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    /// What kind of event this is.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The ordering key, for people to read.
    pub(super) key: String,
    /// When the relay took it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timestamp: Option<String>,
    /// The event itself.
    pub(super) data: Data,
}

/// A change of a path on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Data {
    commit: String,
    path: WirePath,
    sequence: u64,
    /// What stands at the path now; `null` when it is gone.
    entry: Option<WireEntry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEntry {
    mode: String,
    object: String,
}

impl From<&Event> for Data {
    fn from(event: &Event) -> Self {
        let entry = match &event.change {
            Change::Set(Entry { mode, object }) => {
                Some(WireEntry { mode: mode.to_string(), object: object.as_str().to_owned() })
            }
            Change::Delete => None,
        };
        Self {
            commit: event.commit.as_str().to_owned(),
            path: WirePath::from(&event.path),
            sequence: event.sequence,
            entry,
        }
    }
}

/// What an event is called on the wire.
pub(super) const KIND: &str = "path.changed";

#[cfg(test)]
impl From<&Event> for Message {
    fn from(event: &Event) -> Self {
        let (kind, key) = (KIND.to_owned(), event.path.to_string());
        Self { kind, key, timestamp: None, data: Data::from(event) }
    }
}

/// Everything that a receiver has taken.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    taken: HashSet<String>,
    newest: HashMap<RepoPath, u64>,
    tree: Tree,
    duplicates: u64,
    order_violations: u64,
}

impl Inbox {
    /// Takes an event, unless it has been here already.
    ///
    /// # Errors
    /// When the message is not what the sender of this demo writes; nothing is taken then.
    pub(super) fn take(&mut self, id: &str, message: Message) -> Result<(), ParseTextError> {
        let Data { path, sequence, entry, .. } = message.data;
        let path = RepoPath::try_from(path)?;
        let entry = entry.map(|entry| Entry::parse(&entry.mode, &entry.object)).transpose()?;

        if !self.taken.insert(id.to_owned()) {
            self.duplicates += 1;
            return Ok(());
        }
        let newest = self.newest.entry(path.clone()).or_default();
        if sequence != *newest + 1 {
            self.order_violations += 1;
        }
        *newest = sequence;
        match entry {
            Some(entry) => self.tree.insert(path, entry),
            None => self.tree.remove(&path),
        };
        Ok(())
    }

    /// The ids of all events that were taken.
    #[must_use]
    pub(super) fn taken(&self) -> &HashSet<String> {
        &self.taken
    }

    /// What the events add up to.
    #[must_use]
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// How many events came again and were not taken twice.
    #[must_use]
    pub(super) fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// How many events did not follow on the one before them of the same path.
    #[must_use]
    pub(super) fn order_violations(&self) -> u64 {
        self.order_violations
    }
}
