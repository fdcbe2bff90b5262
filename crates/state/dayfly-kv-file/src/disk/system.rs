//! The disk of the operating system.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use super::{Disk, Draft, Held};

/// The disk of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        // A pipe would never open, and a link may lead anywhere.
        let found = fs::symlink_metadata(path)?;
        if !found.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is no regular file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("it has more than {most} bytes")));
        }
        Ok(bytes)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Draft>> {
        let create = || OpenOptions::new().write(true).create_new(true).open(path);
        let file = match create() {
            // What somebody has left is not written into: it may be a link to anywhere.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(path)?;
                create()?
            }
            created => created?,
        };
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &Path, each: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        for found in fs::read_dir(folder)? {
            each(&found?.file_name());
        }
        Ok(())
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        if cfg!(windows) {
            return Err(io::Error::new(ErrorKind::Unsupported, "this system does not sync folders"));
        }
        File::open(path)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Held> {
        let file = lockable(path)?;
        file.lock()?;
        Ok(Box::new(file))
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Held>> {
        let file = lockable(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The system releases the lock of a file when the file is closed, by whomever: also when its process was killed.
fn lockable(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

impl Draft for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}
