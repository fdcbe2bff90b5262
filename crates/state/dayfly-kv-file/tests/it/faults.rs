//! Every call of the disk fails once, in every way: the error is clean, nothing is corrupt, and afterwards all goes well.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{
    Bytes, DeleteError, Key, ManualClock, OpenError, Precondition, PutError, PutOptions, Scan, Store,
};
use dayfly_kv_file::{FileBackend, FileOptions, FileStore};

use crate::simulated::{EACCES, EIO, ENOSPC, Fault, Loss, Simulated};
use crate::support::{bytes, key, namespace};

const FAULTS: [Fault; 11] = [
    Fault::Error(EIO),
    Fault::Error(ENOSPC),
    Fault::Error(EACCES),
    Fault::Late(EIO),
    Fault::Late(ENOSPC),
    Fault::Late(EACCES),
    Fault::FromThenOn(EIO),
    Fault::FromThenOn(ENOSPC),
    Fault::FromThenOn(EACCES),
    Fault::Short,
    Fault::ShortAndFull,
];

/// Longer than any operation here.
const MOST_CALLS: u64 = 200;

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Done,
    NotDone,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Put,
    PutNew,
    Swap,
    Delete,
    DeleteNothing,
    Get,
    Scan,
    Sweep,
    Clear,
    Open,
}

const OPERATIONS: [Operation; 10] = [
    Operation::Put,
    Operation::PutNew,
    Operation::Swap,
    Operation::Delete,
    Operation::DeleteNothing,
    Operation::Get,
    Operation::Scan,
    Operation::Sweep,
    Operation::Clear,
    Operation::Open,
];

/// A store with three entries, one of which has expired.
struct House {
    disk: Simulated,
    clock: ManualClock,
    store: Arc<FileStore>,
}

async fn open(disk: &Simulated, clock: &ManualClock) -> Result<Arc<FileStore>, OpenError> {
    let backend = FileBackend::with(Path::new("/data/root"), FileOptions::new(), Arc::new(clock.clone()));
    backend.disk(Arc::new(disk.clone())).open_store(&namespace()).await
}

impl House {
    async fn new() -> Self {
        let (disk, clock) = (Simulated::default(), ManualClock::new());
        let store = open(&disk, &clock).await.unwrap();
        store.put(&key("a"), bytes("old"), PutOptions::new()).await.unwrap();
        store.put(&key("b"), bytes("other"), PutOptions::new()).await.unwrap();
        let soon = PutOptions::new().time_to_live(Duration::from_secs(1));
        store.put(&key("gone"), bytes("gone"), soon).await.unwrap();
        clock.advance(Duration::from_secs(2));
        Self { disk, clock, store }
    }

    async fn run(&self, operation: Operation) -> Ended {
        let put = async |key: Key, options| match self.store.put(&key, bytes("new"), options).await {
            Ok(_) => Ended::Done,
            Err(PutError::Unavailable(error)) => clean(error.io_kind().is_some(), Ended::NotDone),
            Err(PutError::Unknown(error)) => clean(error.io_kind().is_some(), Ended::Unknown),
            Err(error) => panic!("{error:?}"),
        };
        match operation {
            Operation::Put => put(key("a"), PutOptions::new()).await,
            Operation::PutNew => put(key("c"), PutOptions::new().absent()).await,
            Operation::Swap => put(key("a"), PutOptions::new().present()).await,
            Operation::Delete => self.delete("a").await,
            Operation::DeleteNothing => self.delete("c").await,
            Operation::Get => ended(self.store.get(&key("a")).await.is_ok()),
            Operation::Scan => ended(self.store.scan(&Scan::all()).await.is_ok()),
            Operation::Sweep => ended(self.store.sweep().await.is_ok()),
            Operation::Clear => ended(self.store.clear().await.is_ok()),
            Operation::Open => ended(open(&self.disk, &self.clock).await.is_ok()),
        }
    }

    async fn delete(&self, name: &str) -> Ended {
        match self.store.delete(&key(name), Precondition::Any).await {
            Ok(_) => Ended::Done,
            Err(DeleteError::Unavailable(error)) => clean(error.io_kind().is_some(), Ended::NotDone),
            Err(DeleteError::Unknown(error)) => clean(error.io_kind().is_some(), Ended::Unknown),
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn value(&self, name: &str) -> Option<Bytes> {
        self.store.get(&key(name)).await.unwrap().map(|entry| entry.value)
    }

    /// That what is there agrees with how the operation ended, and everything works again.
    async fn examine(&self, operation: Operation, ended: Ended) {
        let (before, after) = match operation {
            Operation::Put | Operation::Swap => (["old", "other", ""], ["new", "other", ""]),
            Operation::PutNew => (["old", "other", ""], ["old", "other", "new"]),
            Operation::Delete => (["old", "other", ""], ["", "other", ""]),
            Operation::Clear => (["old", "other", ""], ["", "", ""]),
            _ => (["old", "other", ""], ["old", "other", ""]),
        };
        for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
            let wanted = [before[at], after[at]].map(|text| (!text.is_empty()).then(|| bytes(text)));
            let found = self.value(name).await;
            let is_right = match ended {
                Ended::Done => found == wanted[1],
                // A clear that failed may have removed some.
                Ended::NotDone if operation != Operation::Clear => found == wanted[0],
                _ => wanted.contains(&found),
            };
            assert!(is_right, "`{name}` has {found:?}");
        }
        // Another process sees the same.
        let other = open(&self.disk, &self.clock).await.unwrap();
        for store in [&self.store, &other] {
            let page = store.scan(&Scan::all()).await.unwrap();
            assert_eq!(page.corrupt, []);
            for (name, entry) in page.entries {
                assert_eq!(self.value(name.as_str()).await, Some(entry.value));
            }
        }
        if !(operation == Operation::PutNew && self.value("c").await.is_some()) {
            assert_eq!(self.run(operation).await, Ended::Done, "the disk is well again");
        }
        self.store.put(&key("a"), bytes("last"), PutOptions::new()).await.unwrap();
        assert_eq!(other.get(&key("a")).await.unwrap().unwrap().value, bytes("last"));
    }
}

fn ended(is_done: bool) -> Ended {
    if is_done { Ended::Done } else { Ended::NotDone }
}

fn clean(says_why: bool, ended: Ended) -> Ended {
    assert!(says_why, "the error says what the disk has said");
    ended
}

#[tokio::test]
async fn whichever_call_of_the_disk_fails_the_error_is_clean_and_nothing_is_corrupt() {
    let (mut runs, mut unknown) = (0, 0);
    for operation in OPERATIONS {
        for fault in FAULTS {
            for nth in 1.. {
                assert!(nth < MOST_CALLS, "{operation:?} does not end");
                let house = House::new().await;
                house.disk.fail(nth, fault);
                let ended = house.run(operation).await;
                let is_fired = house.disk.heal();
                println!("{operation:?}, {fault:?} at call {nth}: {ended:?}");
                house.examine(operation, ended).await;
                if fault == Fault::Short || !is_fired {
                    assert_eq!(ended, Ended::Done);
                }
                runs += 1;
                unknown += u64::from(ended == Ended::Unknown);
                // Short writes happen to writes only, which are not the first calls.
                let is_short = matches!(fault, Fault::Short | Fault::ShortAndFull);
                if !is_fired && (!is_short || nth > 40) {
                    break;
                }
            }
        }
    }
    println!("faults: {runs} runs, {unknown} unknown, 0 corrupt");
}

/// The last call of a put: the sync of the folder, after everything was done.
const LAST_OF_PUT: u64 = 6;

#[tokio::test]
async fn a_write_that_could_not_be_synced_is_told_to_nobody_before_it_is() {
    let house = House::new().await;
    house.disk.fail(LAST_OF_PUT, Fault::FromThenOn(EIO));
    assert_eq!(house.run(Operation::Put).await, Ended::Unknown);
    // Whoever settles the unknown write by reading it may rely on what is found, so nothing is found yet.
    assert_eq!(house.run(Operation::Get).await, Ended::NotDone);
    assert_eq!(house.run(Operation::Scan).await, Ended::NotDone);
    house.disk.heal();
    assert_eq!(house.value("a").await, Some(bytes("new")));
    let after = Simulated::after(&house.disk.image(), Loss::All);
    let store = open(&after, &house.clock).await.unwrap();
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, bytes("new"), "it survives the power");
}
