//! The one seam to the disk: everything that a store reads or writes goes through here.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;

mod system;

pub use system::SystemDisk;

/// What a file store needs of a disk. [`SystemDisk`] is the one to use; others let tests fail a call, or cut the power.
///
/// Every call may block, and is made on a thread where that is allowed. A call that fails must not panic.
pub trait Disk: fmt::Debug + Send + Sync {
    /// The bytes of a regular file.
    ///
    /// # Errors
    /// `NotFound` when there is nothing; `InvalidData` when it is no regular file or has more bytes than `most`.
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>>;

    /// A new, empty file, in place of any other.
    ///
    /// # Errors
    /// When it cannot be made.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Draft>>;

    /// Gives a file another name, in place of any other file of that name, in one step.
    ///
    /// # Errors
    /// When it cannot be renamed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound` when there is none, others when it cannot be removed.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Whether there is anything at this path.
    ///
    /// # Errors
    /// When that cannot be told.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Tells the name of everything in a folder, in any order.
    ///
    /// # Errors
    /// When the folder cannot be read to its end.
    fn list(&self, folder: &Path, each: &mut dyn FnMut(&OsStr)) -> io::Result<()>;

    /// Makes a folder in one that is there.
    ///
    /// # Errors
    /// `AlreadyExists` when it is there, others when it cannot be made.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes what was created, renamed and removed in a folder survive a loss of power.
    ///
    /// # Errors
    /// `Unsupported` when this system has no such thing, others when it could not be done.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Waits for the lock that this file is, and holds it until what is returned is dropped, or the process ends in
    /// whatever way. The file is made when there is none.
    ///
    /// # Errors
    /// `Unsupported` when this file system has no locks, others when it cannot be locked.
    fn lock(&self, path: &Path) -> io::Result<Held>;

    /// As [`lock`](Self::lock), but gives `None` when somebody else holds it.
    ///
    /// # Errors
    /// As for [`lock`](Self::lock).
    fn try_lock(&self, path: &Path) -> io::Result<Option<Held>>;
}

/// A lock that is held until this is dropped.
pub type Held = Box<dyn Send>;

/// A file that is being written.
pub trait Draft: Send {
    /// Writes some of these bytes, and says how many.
    ///
    /// # Errors
    /// When none could be written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Makes the bytes that were written survive a loss of power.
    ///
    /// # Errors
    /// When that could not be done; then nothing is known about them.
    fn sync(&mut self) -> io::Result<()>;
}
