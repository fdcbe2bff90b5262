//! A disk that loses what was not synced, fails when told to, and can be held.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dayfly_kv::{ManualClock, OpenError};
use dayfly_kv_redb::{RedbBackend, RedbOptions};
use redb::StorageBackend;

/// It bounds a hang, and is not waited for otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// A disk. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct State {
    /// What reads see.
    content: Vec<u8>,
    calls: u64,
    syncs: u64,
    fault: Option<Fault>,
    is_full: bool,
    fails_to_sync: bool,
    /// Everything that changed it, if that is recorded.
    record: Option<Vec<Event>>,
    is_held: bool,
    waiting: usize,
    is_let_go: bool,
}

/// The call of this number fails, once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) call: u64,
    pub(crate) kind: io::ErrorKind,
    /// Whether half of a write gets to the disk first.
    pub(crate) is_short: bool,
}

/// Something that happened to the disk, or to those who use it.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Write(usize, Vec<u8>),
    Length(usize),
    Synced,
    /// So many operations of the script were acknowledged.
    Acknowledged(usize),
}

impl Disk {
    /// A disk with this on it.
    pub(crate) fn with(content: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.locked().content = content;
        disk
    }

    pub(crate) async fn open(&self, options: &RedbOptions) -> Result<RedbBackend, OpenError> {
        self.open_with(options, &ManualClock::new()).await
    }

    pub(crate) async fn open_with(
        &self,
        options: &RedbOptions,
        clock: &ManualClock,
    ) -> Result<RedbBackend, OpenError> {
        let disk = self.clone();
        let storage = move || Ok(Box::new(disk.clone()) as Box<dyn StorageBackend>);
        RedbBackend::open_storage("the disk", storage, options, Arc::new(clock.clone())).await
    }

    pub(crate) fn record(&self) {
        self.locked().record = Some(Vec::new());
    }

    pub(crate) fn note(&self, acknowledged: usize) {
        if let Some(record) = &mut self.locked().record {
            record.push(Event::Acknowledged(acknowledged));
        }
    }

    pub(crate) fn recorded(&self) -> Vec<Event> {
        self.locked().record.take().unwrap_or_default()
    }

    /// From now on nothing can be written.
    pub(crate) fn fill(&self) {
        self.locked().is_full = true;
    }

    /// The next sync fails, once.
    pub(crate) fn fail_next_sync(&self) {
        self.locked().fails_to_sync = true;
    }

    /// Nothing fails any more.
    pub(crate) fn heal(&self) {
        let mut state = self.locked();
        (state.fault, state.is_full, state.fails_to_sync) = (None, false, false);
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.locked().fault = Some(fault);
    }

    /// Whether the fault is still to come.
    pub(crate) fn is_to_fail(&self) -> bool {
        self.locked().fault.is_some()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.locked().calls
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.locked().syncs
    }

    /// No sync ends until it is let go of.
    pub(crate) fn hold(&self) {
        self.locked().is_held = true;
    }

    pub(crate) fn release(&self) {
        self.locked().is_held = false;
        self.0.1.notify_all();
    }

    /// Waits until somebody waits for a sync.
    pub(crate) fn wait_for_a_sync(&self) {
        let waited = self.0.1.wait_timeout_while(self.locked(), PATIENCE, |state| state.waiting == 0);
        assert!(!waited.unwrap_or_else(PoisonError::into_inner).1.timed_out(), "nobody syncs");
    }

    /// Waits until redb has let go of it.
    pub(crate) fn wait_until_let_go(&self) {
        let waited = self.0.1.wait_timeout_while(self.locked(), PATIENCE, |state| !state.is_let_go);
        assert!(!waited.unwrap_or_else(PoisonError::into_inner).1.timed_out(), "nobody lets go");
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call, which fails if it is its turn.
    fn called(&self) -> Result<MutexGuard<'_, State>, (MutexGuard<'_, State>, Fault)> {
        let mut state = self.locked();
        state.calls += 1;
        match state.fault {
            Some(fault) if fault.call <= state.calls => {
                state.fault = None;
                Err((state, fault))
            }
            _ => Ok(state),
        }
    }
}

impl State {
    fn did(&mut self, event: Event) {
        apply(&mut self.content, &event);
        if let Some(record) = &mut self.record {
            record.push(event);
        }
    }
}

/// What becomes of the bytes of a disk.
pub(crate) fn apply(content: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write(offset, data) => content[*offset..offset + data.len()].copy_from_slice(data),
        Event::Length(length) => content.resize(*length, 0),
        Event::Synced | Event::Acknowledged(_) => {}
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let state = self.called().map_err(|(_, fault)| fault.kind)?;
        Ok(state.content.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.called().map_err(|(_, fault)| fault.kind)?;
        let start = place(offset);
        let found = state.content.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.called().map_err(|(_, fault)| fault.kind)?.did(Event::Length(place(length)));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.called().map_err(|(_, fault)| fault.kind)?;
        if std::mem::take(&mut state.fails_to_sync) {
            return Err(io::ErrorKind::Other.into());
        }
        state.waiting += 1;
        self.0.1.notify_all();
        // A test that failed does not let go of it.
        let held = self.0.1.wait_timeout_while(state, PATIENCE, |state| state.is_held);
        state = held.unwrap_or_else(PoisonError::into_inner).0;
        state.waiting -= 1;
        state.syncs += 1;
        state.did(Event::Synced);
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.locked().is_let_go = true;
        self.0.1.notify_all();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        match self.called() {
            Ok(state) if state.is_full => Err(io::ErrorKind::StorageFull.into()),
            Ok(mut state) => {
                state.did(Event::Write(place(offset), data.to_vec()));
                Ok(())
            }
            Err((mut state, fault)) => {
                if fault.is_short {
                    state.did(Event::Write(place(offset), data[..data.len() / 2].to_vec()));
                }
                Err(fault.kind.into())
            }
        }
    }
}
