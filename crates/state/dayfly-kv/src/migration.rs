//! Moving entries from one store to another, or from one version to the next.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::clock::{Clock, SystemClock};
use crate::codec::{Codec, DecodeError};
use crate::entry::Entry;
use crate::error::{Corrupt, GetError, PutError};
use crate::key::Key;
use crate::nonce::Nonce;
use crate::put::PutOptions;
use crate::scan::Scan;
use crate::store::Store;

mod options;
mod report;

pub use options::{MigrationOptions, OnExisting};
pub use report::{EntryError, MigrateError, MigrationReport};

type Change = Box<dyn FnMut(&Key, &Bytes) -> Result<Option<Bytes>, DecodeError> + Send>;

/// A migration: every entry of one store, changed on the way, is written to another store or back to the same one.
///
/// It works page by page, in the order of the keys, and can be stopped anywhere: [`report`](Self::report) says up to which
/// key all is done, and another migration goes on [`after`](MigrationOptions::after) that one. The same migration goes on
/// with the entry at which it was broken off, and does none twice: each write carries a mark, so that one whose answer was
/// lost is found again. Another process knows of no mark: what it does again does no harm where an entry that is there
/// already with the same bytes is left alone, or where `change` leaves alone what it has changed. The entries that it reads
/// stay where they are, and keep what is left of their time to live.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use dayfly_kv::{Bytes, Key, MemoryStore, Migration, MigrationOptions, Namespace, PutOptions, Store};
///
/// let old = Arc::new(MemoryStore::new(Namespace::new("acme", "shop", "order")?));
/// let new = Arc::new(MemoryStore::new(Namespace::new("acme", "archive", "order")?));
/// old.put(&Key::new("17")?, Bytes::from_static(b"..."), PutOptions::new()).await?;
///
/// let rehearsal = MigrationOptions::new().dry_run();
/// assert_eq!(Migration::copy(old.clone(), new.clone(), &rehearsal).run().await?.written, 1);
/// assert_eq!(new.get_now(&Key::new("17")?), None);
///
/// assert_eq!(Migration::copy(old, new.clone(), &MigrationOptions::new()).run().await?.written, 1);
/// assert!(new.get_now(&Key::new("17")?).is_some());
/// # Ok(()) }
/// ```
pub struct Migration {
    from: Arc<dyn Store>,
    to: Target,
    change: Change,
    options: MigrationOptions,
    clock: Arc<dyn Clock>,
    report: MigrationReport,
    /// The page under way, less what is done of it.
    page: Option<Listed>,
    /// What the writes of the entry under way are marked with, to find out whether one of them was done.
    mark: Nonce,
    is_done: bool,
}

/// What is left of a page.
struct Listed {
    entries: VecDeque<(Key, Entry)>,
    next: Option<Key>,
}

#[derive(Debug)]
enum Target {
    Other(Arc<dyn Store>),
    /// The store that is read, so that only what was read is replaced.
    Same,
}

/// How often an entry is read again that others change meanwhile.
const ATTEMPTS: usize = 8;

impl Migration {
    /// Copies entries to another store as they are.
    pub fn copy(from: Arc<dyn Store>, to: Arc<dyn Store>, options: &MigrationOptions) -> Self {
        Self::new(from, Target::Other(to), Box::new(|_, value| Ok(Some(value.clone()))), options)
    }

    /// Copies entries to another store, changed: `None` leaves one out.
    pub fn copy_with(
        from: Arc<dyn Store>,
        to: Arc<dyn Store>,
        options: &MigrationOptions,
        change: impl FnMut(&Key, &Bytes) -> Result<Option<Bytes>, DecodeError> + Send + 'static,
    ) -> Self {
        Self::new(from, Target::Other(to), Box::new(change), options)
    }

    /// Changes entries where they are: `None` leaves one as it is. What others write meanwhile is changed in turn, and
    /// never overwritten with what it was.
    pub fn in_place(
        store: Arc<dyn Store>,
        options: &MigrationOptions,
        change: impl FnMut(&Key, &Bytes) -> Result<Option<Bytes>, DecodeError> + Send + 'static,
    ) -> Self {
        Self::new(store, Target::Same, Box::new(change), options)
    }

    /// Brings every value up to the version that the codec writes, where it is.
    pub fn up_to_date<V: 'static>(
        store: Arc<dyn Store>,
        options: &MigrationOptions,
        codec: impl Codec<V> + 'static,
    ) -> Self {
        let change = move |_: &Key, value: &Bytes| {
            let newest =
                codec.decode(value).and_then(|value| codec.encode(&value).map_err(DecodeError::malformed))?;
            Ok((newest != *value).then_some(newest))
        };
        Self::in_place(store, options, change)
    }

    fn new(from: Arc<dyn Store>, to: Target, change: Change, options: &MigrationOptions) -> Self {
        let report = MigrationReport { after: options.after.clone(), ..MigrationReport::default() };
        let clock = Arc::new(SystemClock);
        Self {
            from,
            to,
            change,
            options: options.clone(),
            clock,
            report,
            page: None,
            mark: Nonce::unique(),
            is_done: false,
        }
    }

    /// Reckons what is left of a time to live by this clock: the one that the stores have.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What was done so far.
    pub const fn report(&self) -> &MigrationReport {
        &self.report
    }

    /// Does all that is left, and says what was done.
    ///
    /// # Errors
    /// When a page cannot be listed or a store is unavailable. [`report`](Self::report) says what was done until then,
    /// and the next call goes on from there. Entries that cannot be moved do not keep the others from it: the report
    /// has them.
    ///
    /// # Cancel safety
    /// Dropped, the entry under way was written, may yet be, or will never be. The next call finds out, and goes on there.
    pub async fn run(&mut self) -> Result<&MigrationReport, MigrateError> {
        while self.step().await? {}
        Ok(&self.report)
    }

    /// Does one page; says whether there is another.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    ///
    /// # Cancel safety
    /// As for [`run`](Self::run).
    pub async fn step(&mut self) -> Result<bool, MigrateError> {
        if self.is_done {
            return Ok(false);
        }
        // What was listed before this was broken off may be another by now.
        let is_resumed = self.page.is_some();
        if !is_resumed {
            self.list().await?;
        }
        while let Some((key, entry)) = self.page.as_ref().and_then(|page| page.entries.front().cloned()) {
            let entry = if is_resumed { self.read(&key).await? } else { Ok(Some(entry)) };
            let settled = match entry {
                Ok(entry) => self.move_one(&key, entry).await?,
                Err(corrupt) => Settled::Failed(EntryError::Corrupt(corrupt)),
            };
            // Nothing is waited for from here on, so an entry is done and reported, or neither.
            if let Some(page) = &mut self.page {
                page.entries.pop_front();
            }
            self.mark = Nonce::unique();
            self.settle(key, settled);
        }
        let next = self.page.take().and_then(|page| page.next);
        self.is_done = next.is_none();
        self.report.after = next.or(self.report.after.take());
        Ok(!self.is_done)
    }

    /// Lists the next page.
    async fn list(&mut self) -> Result<(), MigrateError> {
        let scan = Scan::new(self.options.prefix.clone()).limit(self.options.page);
        let page = self.from.scan(&scan.after(self.report.after.clone())).await?;
        for corrupt in page.corrupt {
            self.report.failed(corrupt.key.clone(), EntryError::Corrupt(corrupt));
        }
        self.page = Some(Listed { entries: page.entries.into(), next: page.next });
        Ok(())
    }

    fn settle(&mut self, key: Key, settled: Settled) {
        let report = &mut self.report;
        report.read += 1;
        match settled {
            Settled::Written => report.written += 1,
            Settled::Same => report.same += 1,
            Settled::Kept => report.kept += 1,
            Settled::LeftOut => report.left_out += 1,
            Settled::Gone => {}
            Settled::Failed(error) => report.failed(Some(key.clone()), error),
        }
        report.after = Some(key);
    }

    async fn read(&self, key: &Key) -> Result<Result<Option<Entry>, Corrupt>, MigrateError> {
        match self.from.get(key).await {
            Ok(found) => Ok(Ok(found)),
            Err(GetError::Corrupt(corrupt)) => Ok(Err(corrupt)),
            Err(GetError::Unavailable(why)) => Err(why.into()),
        }
    }

    async fn move_one(&mut self, key: &Key, entry: Option<Entry>) -> Result<Settled, MigrateError> {
        let mut current = entry;
        for _ in 0..ATTEMPTS {
            // What was deleted meanwhile has nothing to be moved.
            let Some(entry) = current else { return Ok(Settled::Gone) };
            if matches!(self.to, Target::Same) && entry.nonce == Some(self.mark) {
                return Ok(Settled::Written);
            }
            let value = match (self.change)(key, &entry.value) {
                Ok(Some(value)) => value,
                Ok(None) => return Ok(Settled::LeftOut),
                Err(error) => return Ok(Settled::Failed(EntryError::Undecodable(error))),
            };
            if let Some(settled) = self.write(key, &entry, value).await? {
                return Ok(settled);
            }
            current = match self.read(key).await? {
                Ok(current) => current,
                Err(corrupt) => return Ok(Settled::Failed(EntryError::Corrupt(corrupt))),
            };
        }
        Ok(Settled::Failed(EntryError::Contended))
    }

    /// What became of the entry; `None` when somebody has changed it, and it is to be read again.
    async fn write(&self, key: &Key, entry: &Entry, value: Bytes) -> Result<Option<Settled>, MigrateError> {
        let to = match &self.to {
            Target::Other(other) => other,
            Target::Same => &self.from,
        };
        let mut options = PutOptions::new().nonce(self.mark);
        if let Some(deadline) = entry.deadline {
            let Ok(left) = deadline.time().duration_since(self.clock.now()) else {
                return Ok(Some(Settled::Gone));
            };
            options = options.time_to_live(left);
        }
        let options = match (&self.to, self.options.on_existing) {
            (Target::Same, _) => options.matches(entry.etag.clone()),
            (Target::Other(_), OnExisting::Keep) => options.absent(),
            (Target::Other(_), OnExisting::Replace) => options,
        };
        if matches!(self.to, Target::Other(_)) {
            match to.get(key).await {
                Ok(Some(there)) if there.nonce == Some(self.mark) => return Ok(Some(Settled::Written)),
                Ok(Some(there)) if there.value == value => return Ok(Some(Settled::Same)),
                Ok(Some(_)) if self.options.on_existing == OnExisting::Keep => {
                    return Ok(Some(Settled::Kept));
                }
                Ok(_) => {}
                Err(GetError::Corrupt(_)) if self.options.on_existing == OnExisting::Replace => {}
                Err(GetError::Corrupt(corrupt)) => {
                    return Ok(Some(Settled::Failed(EntryError::Corrupt(corrupt))));
                }
                Err(GetError::Unavailable(why)) => return Err(why.into()),
            }
        }
        if self.options.dry_run {
            return Ok(Some(Settled::Written));
        }
        match to.put(key, value, options).await {
            Ok(_) => Ok(Some(Settled::Written)),
            // Somebody wrote it between our look and our write, or it was an earlier write of ours that came late.
            Err(PutError::Conflict(_)) => Ok(None),
            Err(PutError::Unknown(why) | PutError::Unavailable(why)) => Err(why.into()),
            Err(refused) => Ok(Some(Settled::Failed(EntryError::Refused(refused)))),
        }
    }
}

/// What became of an entry.
enum Settled {
    Written,
    Same,
    Kept,
    LeftOut,
    /// It was deleted or has expired meanwhile.
    Gone,
    Failed(EntryError),
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let migration = &mut f.debug_struct("Migration");
        migration.field("from", &self.from).field("to", &self.to).field("options", &self.options);
        migration.field("report", &self.report).finish_non_exhaustive()
    }
}
