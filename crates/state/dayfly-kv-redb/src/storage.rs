//! A storage that notices what redb does not tell, and undoes a beginning that came to nothing.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{BackendError, StorageBackend};

/// What the file of a database begins with. redb writes it last, when it makes one.
const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";

/// Where the header says how large a page is.
const PAGE_SIZE: std::ops::Range<usize> = 12..16;

/// A file that was begun and is all zeroes yet is no larger than this.
const MOST_BEGUN: u64 = 16 * 1_024 * 1_024;

/// A storage that remembers whether a sync has failed.
#[derive(Debug)]
pub(crate) struct Storage {
    inner: Box<dyn StorageBackend>,
    has_failed_sync: Arc<AtomicBool>,
    is_looked_at: AtomicBool,
}

impl Storage {
    pub(crate) fn new(inner: Box<dyn StorageBackend>, has_failed_sync: &Arc<AtomicBool>) -> Self {
        Self { inner, has_failed_sync: Arc::clone(has_failed_sync), is_looked_at: AtomicBool::new(false) }
    }

    /// Whether making a database here was begun and never ended, as after a crash: redb would refuse such a file for
    /// ever. Nothing was ever acknowledged in it.
    fn is_begun_only(&self, length: u64) -> io::Result<bool> {
        let mut header = vec![0; usize::try_from(length.min(64)).unwrap_or(64)];
        self.inner.read(0, &mut header)?;
        let (begin, rest) = header.split_at(header.len().min(MAGIC.len()));
        let written = begin.iter().zip(MAGIC).take_while(|(byte, magic)| *byte == magic).count();
        if written == MAGIC.len() || begin[written..].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        if rest.iter().any(|byte| *byte != 0) {
            // Something is there: it is redb's header, or somebody else's file.
            let page_size = header.get(PAGE_SIZE).and_then(|size| <[u8; 4]>::try_from(size).ok());
            return Ok(page_size.is_some_and(|size| u32::from_le_bytes(size) == 4_096));
        }
        if length > MOST_BEGUN {
            return Ok(false);
        }
        let mut content = vec![0; usize::try_from(length).unwrap_or_default()];
        self.inner.read(0, &mut content)?;
        Ok(content.iter().all(|byte| *byte == 0))
    }
}

impl StorageBackend for Storage {
    fn len(&self) -> io::Result<u64> {
        let length = self.inner.len()?;
        // The first question comes when the file is locked, and before anything is read from it.
        if length == 0 || self.is_looked_at.swap(true, Ordering::SeqCst) || !self.is_begun_only(length)? {
            return Ok(length);
        }
        self.inner.set_len(0)?;
        Ok(0)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data().inspect_err(|_| self.has_failed_sync.store(true, Ordering::SeqCst))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
