//! Moving entries from one store to another, or from one version to the next.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::clock::{Clock, SystemClock};
use crate::codec::{Codec, DecodeError};
use crate::entry::Entry;
use crate::error::{GetError, PutError};
use crate::key::Key;
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
/// It works page by page, in the order of the keys, and can be stopped after any of them: what [`run`](Self::run) or
/// [`step`](Self::step) has reported is done, and another migration goes on [`after`](MigrationOptions::after) the last
/// key. Doing a page twice does no harm: an entry that is there already with the same bytes is left alone. The entries
/// that it reads stay where they are, and keep what is left of their time to live.
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
    is_done: bool,
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
        Self { from, to, change, options: options.clone(), clock, report, is_done: false }
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
    /// Dropped, the page under way is done in part; it is done again by the next call, which does no harm.
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
        let scan = Scan::new(self.options.prefix.clone()).limit(self.options.page);
        let page = self.from.scan(&scan.after(self.report.after.clone())).await?;
        // Only a page that was done as a whole is reported, so that doing it again counts nothing twice.
        let mut report = self.report.clone();
        for corrupt in page.corrupt {
            report.failed(corrupt.key.clone(), EntryError::Corrupt(corrupt));
        }
        for (key, entry) in page.entries {
            self.move_one(&key, entry, &mut report).await?;
            report.after = Some(key);
        }
        self.is_done = page.next.is_none();
        report.after = page.next.or(report.after);
        self.report = report;
        Ok(!self.is_done)
    }

    async fn move_one(
        &mut self,
        key: &Key,
        entry: Entry,
        report: &mut MigrationReport,
    ) -> Result<(), MigrateError> {
        report.read += 1;
        let mut current = Some(entry);
        for _ in 0..ATTEMPTS {
            // What was deleted meanwhile has nothing to be moved.
            let Some(entry) = current else { return Ok(()) };
            let value = match (self.change)(key, &entry.value) {
                Ok(Some(value)) => value,
                Ok(None) => {
                    report.left_out += 1;
                    return Ok(());
                }
                Err(error) => {
                    report.failed(Some(key.clone()), EntryError::Undecodable(error));
                    return Ok(());
                }
            };
            match self.write(key, &entry, value, report).await? {
                Written::Settled => return Ok(()),
                Written::Changed => {
                    current = match self.from.get(key).await {
                        Ok(current) => current,
                        Err(GetError::Corrupt(corrupt)) => {
                            report.failed(Some(key.clone()), EntryError::Corrupt(corrupt));
                            return Ok(());
                        }
                        Err(GetError::Unavailable(why)) => return Err(why.into()),
                    };
                }
            }
        }
        report.failed(Some(key.clone()), EntryError::Contended);
        Ok(())
    }

    async fn write(
        &self,
        key: &Key,
        entry: &Entry,
        value: Bytes,
        report: &mut MigrationReport,
    ) -> Result<Written, MigrateError> {
        let to = match &self.to {
            Target::Other(other) => other,
            Target::Same => &self.from,
        };
        let mut options = PutOptions::new();
        if let Some(deadline) = entry.deadline {
            let Ok(left) = deadline.time().duration_since(self.clock.now()) else {
                return Ok(Written::Settled);
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
                Ok(Some(there)) if there.value == value => {
                    report.same += 1;
                    return Ok(Written::Settled);
                }
                Ok(Some(_)) if self.options.on_existing == OnExisting::Keep => {
                    report.kept += 1;
                    return Ok(Written::Settled);
                }
                Ok(_) => {}
                Err(GetError::Corrupt(_)) if self.options.on_existing == OnExisting::Replace => {}
                Err(GetError::Corrupt(corrupt)) => {
                    report.failed(Some(key.clone()), EntryError::Corrupt(corrupt));
                    return Ok(Written::Settled);
                }
                Err(GetError::Unavailable(why)) => return Err(why.into()),
            }
        }
        if self.options.dry_run {
            report.written += 1;
            return Ok(Written::Settled);
        }
        match to.put(key, value, options).await {
            Ok(_) => report.written += 1,
            Err(PutError::Conflict(_)) if matches!(self.to, Target::Same) => return Ok(Written::Changed),
            // Somebody wrote it between our look and our write.
            Err(PutError::Conflict(_)) => report.kept += 1,
            Err(PutError::Unknown(why) | PutError::Unavailable(why)) => return Err(why.into()),
            Err(refused) => report.failed(Some(key.clone()), EntryError::Refused(refused)),
        }
        Ok(Written::Settled)
    }
}

enum Written {
    Settled,
    /// Somebody has changed the entry: it is to be read again.
    Changed,
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let migration = &mut f.debug_struct("Migration");
        migration.field("from", &self.from).field("to", &self.to).field("options", &self.options);
        migration.field("report", &self.report).finish_non_exhaustive()
    }
}
