//! A disk in memory that loses with its power what was not synced, and fails the calls that it is told to fail.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use dayfly_kv_file::{Disk, Draft, Held};

use crate::support::Dice;

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Simulated(Arc<Mutex<State>>, Option<Arc<Ticks>>);

/// Lets every call wait until the runtime has gone on once, so that no call is done before the poll that began it.
#[derive(Debug, Default)]
pub(crate) struct Ticks(Mutex<(u64, bool)>, Condvar);

/// More than any test needs.
const MOST_TICKS: u64 = 1_000_000;

/// Ends the waiting when the runtime does.
struct Ticker(Arc<Ticks>);

impl Ticks {
    fn wait(&self) {
        let ticks = self.0.lock().unwrap();
        let before = ticks.0;
        drop(self.1.wait_while(ticks, |(now, is_over)| *now == before && !*is_over).unwrap());
    }

    fn tick(&self, is_over: bool) {
        let mut ticks = self.0.lock().unwrap();
        *ticks = (ticks.0 + 1, is_over);
        self.1.notify_all();
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.tick(true);
    }
}

#[derive(Debug, Default)]
struct State {
    image: Image,
    locked: BTreeSet<PathBuf>,
    next: u64,
    calls: u64,
    fault: Option<(u64, Fault)>,
    is_fired: bool,
    plant: Plant,
    acknowledged: usize,
    snapshots: Option<Vec<(usize, Image)>>,
}

/// What is on the disk, and what is only on its way there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    names: BTreeMap<PathBuf, Node>,
    synced_names: BTreeMap<PathBuf, Node>,
    files: BTreeMap<u64, Content>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(u64),
    Folder,
}

#[derive(Clone, Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// With this error of the system, and nothing is done.
    Error(i32),
    /// With this error, and it is done.
    Late(i32),
    /// It and every later one, with this error.
    FromThenOn(i32),
    /// Of what is to be written, half is.
    Short,
    /// Of what is to be written, half is, and then there is no room.
    ShortAndFull,
}

pub(crate) const EIO: i32 = 5;
pub(crate) const EACCES: i32 = 13;
pub(crate) const ENOSPC: i32 = 28;

/// What a store might leave out, or this disk in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Plant {
    #[default]
    Nothing,
    /// Folders are not synced.
    NoFolderSync,
    /// Files are not synced, so they are renamed before their bytes are on the disk.
    NoFileSync,
}

/// What comes of what was not synced when the power goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    /// Everything is lost.
    All,
    /// Names are on the disk, and files are not: they end in the middle.
    TornFiles,
    /// Names are on the disk, and files are empty.
    EmptyFiles,
    /// Of names and of files some are lost, and some not.
    Some(u64),
}

impl Simulated {
    pub(crate) fn planted(plant: Plant) -> Self {
        let disk = Self::default();
        disk.state().plant = plant;
        disk
    }

    /// A disk that takes as long as the current-thread runtime needs to poll something else.
    pub(crate) fn slow() -> Self {
        let ticker = Ticker(Arc::default());
        let disk = Self(Arc::default(), Some(Arc::clone(&ticker.0)));
        // It ends, so that a runtime on which nothing happens any more is seen to be idle.
        tokio::runtime::Handle::current().spawn(async move {
            for _ in 0..MOST_TICKS {
                ticker.0.tick(false);
                tokio::task::yield_now().await;
            }
        });
        disk
    }

    /// How many calls were made.
    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// From now on the disk remembers what it was at each boundary of a sync.
    pub(crate) fn remember(&self) {
        self.state().snapshots = Some(Vec::new());
    }

    /// One more operation was acknowledged.
    pub(crate) fn acknowledge(&self) {
        self.state().acknowledged += 1;
    }

    /// What the disk was at each boundary, and how many operations were acknowledged then.
    pub(crate) fn snapshots(&self) -> Vec<(usize, Image)> {
        self.state().snapshots.take().unwrap_or_default()
    }

    /// Fails the call of this number from now on, counted from one.
    pub(crate) fn fail(&self, nth: u64, fault: Fault) {
        let mut state = self.state();
        state.calls = 0;
        state.fault = Some((nth, fault));
        state.is_fired = false;
    }

    /// Fails no more; says whether any call has.
    pub(crate) fn heal(&self) -> bool {
        let mut state = self.state();
        state.fault = None;
        state.is_fired
    }

    /// What is on the disk now.
    pub(crate) fn image(&self) -> Image {
        self.state().image.clone()
    }

    /// The disk after the power was cut when it was like this.
    pub(crate) fn after(image: &Image, loss: Loss) -> Self {
        let disk = Self::default();
        let mut dice = Dice(match loss {
            Loss::Some(seed) => seed,
            _ => 0,
        });
        let mut names = match loss {
            Loss::All => image.synced_names.clone(),
            Loss::TornFiles | Loss::EmptyFiles => image.names.clone(),
            Loss::Some(_) => {
                let paths: BTreeSet<_> = image.names.keys().chain(image.synced_names.keys()).collect();
                let kept = paths.into_iter().filter_map(|path| {
                    let from = if dice.below(2) == 0 { &image.names } else { &image.synced_names };
                    from.get(path).map(|node| (path.clone(), *node))
                });
                kept.collect()
            }
        };
        // What is in a folder that is not there is not there.
        let folders: Vec<PathBuf> = names.keys().cloned().collect();
        for path in folders {
            if path.parent().is_some_and(|parent| parent != Path::new("/") && !names.contains_key(parent)) {
                names.remove(&path);
            }
        }
        let contents = image.files.iter().map(|(id, content)| {
            let torn = if content.bytes == content.synced {
                content.synced.clone()
            } else {
                match loss {
                    Loss::All => content.synced.clone(),
                    Loss::TornFiles => content.bytes[..content.bytes.len() / 2].to_vec(),
                    Loss::EmptyFiles => Vec::new(),
                    Loss::Some(_) => {
                        let kept = usize::try_from(dice.below(1 + content.bytes.len() as u64)).unwrap();
                        content.bytes[..kept].to_vec()
                    }
                }
            };
            (*id, Content { bytes: torn.clone(), synced: torn })
        });
        let files = contents.collect();
        let mut state = disk.state();
        state.next = 1 + image.files.keys().max().copied().unwrap_or_default();
        state.image = Image { synced_names: names.clone(), names, files };
        drop(state);
        disk
    }

    /// Makes a call, unless it is to fail.
    fn call<T>(&self, call: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        if let Some(ticks) = &self.1 {
            ticks.wait();
        }
        let mut state = self.state();
        state.calls += 1;
        let (calls, fault) = (state.calls, state.fault);
        let error = io::Error::from_raw_os_error;
        match fault {
            Some((nth, Fault::Error(code))) if nth == calls => {
                state.is_fired = true;
                Err(error(code))
            }
            Some((nth, Fault::FromThenOn(code))) if nth <= calls => {
                state.is_fired = true;
                Err(error(code))
            }
            Some((nth, Fault::Late(code))) if nth == calls => {
                state.is_fired = true;
                let done = call(&mut state);
                // A lock that was taken is released without the state's own.
                drop(state);
                done.and(Err(error(code)))
            }
            _ => call(&mut state),
        }
    }

    fn sync(&self, plant: Plant, sync: impl FnOnce(&mut Image)) -> io::Result<()> {
        self.call(|state| {
            state.snapshot();
            if state.plant != plant {
                sync(&mut state.image);
            }
            state.snapshot();
            Ok(())
        })
    }
}

impl State {
    fn snapshot(&mut self) {
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.push((self.acknowledged, self.image.clone()));
        }
    }

    fn file(&self, path: &Path) -> io::Result<u64> {
        match self.image.names.get(path) {
            Some(Node::File(id)) => Ok(*id),
            Some(Node::Folder) => Err(ErrorKind::InvalidData.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn folder(&self, path: &Path) -> io::Result<()> {
        let is_there = path == Path::new("/") || self.image.names.get(path) == Some(&Node::Folder);
        if is_there { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
    }

    fn lock(&mut self, disk: &Simulated, path: &Path) -> io::Result<Option<Held>> {
        self.folder(path.parent().unwrap())?;
        if !self.image.names.contains_key(path) {
            self.new_file(path);
        }
        let is_free = self.locked.insert(path.to_path_buf());
        Ok(is_free.then(|| Box::new(Lock(disk.clone(), path.to_path_buf())) as Held))
    }

    fn new_file(&mut self, path: &Path) -> u64 {
        let id = self.next;
        self.next += 1;
        self.image.names.insert(path.to_path_buf(), Node::File(id));
        self.image.files.insert(id, Content::default());
        id
    }
}

struct Lock(Simulated, PathBuf);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.state().locked.remove(&self.1);
    }
}

struct Open(Simulated, u64);

impl Draft for Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let id = self.1;
        self.0.call(|state| {
            let half = bytes.len() / 2;
            let (calls, fault) = (state.calls, state.fault);
            let file = state.image.files.get_mut(&id).unwrap();
            match fault {
                Some((nth, Fault::Short | Fault::ShortAndFull)) if nth == calls => {
                    file.bytes.extend_from_slice(&bytes[..half]);
                    state.is_fired = true;
                    if fault == Some((nth, Fault::ShortAndFull)) {
                        state.fault = Some((nth + 1, Fault::Error(ENOSPC)));
                    }
                    Ok(half)
                }
                _ => {
                    file.bytes.extend_from_slice(bytes);
                    Ok(bytes.len())
                }
            }
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        let id = self.1;
        self.0.sync(Plant::NoFileSync, |image| {
            let file = image.files.get_mut(&id).unwrap();
            file.synced.clone_from(&file.bytes);
        })
    }
}

impl Disk for Simulated {
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        self.call(|state| {
            let bytes = &state.image.files[&state.file(path)?].bytes;
            if bytes.len() as u64 > most { Err(ErrorKind::InvalidData.into()) } else { Ok(bytes.clone()) }
        })
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Draft>> {
        self.call(|state| {
            state.folder(path.parent().unwrap())?;
            Ok(Box::new(Open(self.clone(), state.new_file(path))) as Box<dyn Draft>)
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|state| {
            state.folder(to.parent().unwrap())?;
            let id = state.file(from)?;
            state.image.names.remove(from);
            state.image.names.insert(to.to_path_buf(), Node::File(id));
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(|state| {
            state.file(path)?;
            state.image.names.remove(path);
            Ok(())
        })
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.call(|state| Ok(path == Path::new("/") || state.image.names.contains_key(path)))
    }

    fn list(&self, folder: &Path, each: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        self.call(|state| {
            state.folder(folder)?;
            for path in state.image.names.keys().filter(|path| path.parent() == Some(folder)) {
                each(path.file_name().unwrap());
            }
            Ok(())
        })
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.call(|state| {
            state.folder(path.parent().unwrap())?;
            if state.image.names.contains_key(path) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            state.image.names.insert(path.to_path_buf(), Node::Folder);
            Ok(())
        })
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.state().folder(path)?;
        self.sync(Plant::NoFolderSync, |image| {
            image.synced_names.retain(|name, _| name.parent() != Some(path));
            let inside = image.names.iter().filter(|(name, _)| name.parent() == Some(path));
            image.synced_names.extend(inside.map(|(name, node)| (name.clone(), *node)));
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Held> {
        self.call(|state| state.lock(self, path))?.ok_or_else(|| ErrorKind::Deadlock.into())
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Held>> {
        self.call(|state| state.lock(self, path))
    }
}
