//! What those who watch a folder are told, and by whom: a writer of this process says what it has done; an event of the file
//! system says that a name was touched, and what is in its file decides.
//!
//! Writers of one key take turns, so they tell in order. An event is looked into without their lock, so it may come to know
//! of something that a writer has told already, or replaced: then it looks again, or has nothing to tell.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dayfly_kv::{ChangeFeed, Etag, Key, Prefix, Unavailable, Watch, WatchFrom, What, Woken};

/// Of how many files it is remembered what was told last. One that is forgotten may be told of twice.
const MOST_REMEMBERED: usize = 4_096;

/// What those who watch a folder are told by, for as long as there are any.
#[derive(Debug)]
pub(crate) struct Watching {
    changes: ChangeFeed,
    told: Mutex<Told>,
}

/// What was told last of the files of these names.
#[derive(Debug, Default)]
struct Told {
    by_name: HashMap<String, Latest>,
    number: u64,
    /// How often everything was forgotten.
    forgot: u64,
}

#[derive(Debug)]
struct Latest {
    key: Key,
    etag: Option<Etag>,
    number: u64,
}

/// What was told of a file before it was looked into.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    number: Option<u64>,
    forgot: u64,
}

/// What was found in a file.
#[derive(Debug)]
pub(crate) enum Seen {
    /// An entry that is its own.
    Entry(Key, Etag),
    /// It is not there; its name may say which entry it was.
    Nothing(Option<Key>),
    /// Something that cannot be read, or not now.
    Unreadable,
}

impl Watching {
    pub(crate) fn new(history: usize) -> Self {
        Self { changes: ChangeFeed::new(history), told: Mutex::default() }
    }

    pub(crate) fn watch(&self, prefix: Prefix, from: &WatchFrom) -> Watch {
        self.changes.watch(prefix, from)
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.changes.is_ended()
    }

    /// A writer has left this in the file of this name; it still has its turn.
    pub(crate) fn done(&self, name: &str, key: &Key, etag: Option<&Etag>, woken: &mut Woken) {
        self.tell(&mut self.told(), name, key.clone(), etag.cloned(), woken);
    }

    /// Something may have happened, and nobody knows to which entry.
    pub(crate) fn gap(&self, woken: &mut Woken) {
        self.told().forget();
        self.changes.gap(woken);
    }

    pub(crate) fn end(&self, woken: &mut Woken) {
        self.changes.end(woken);
    }

    fn tell(&self, told: &mut Told, name: &str, key: Key, etag: Option<Etag>, woken: &mut Woken) {
        if told.by_name.get(name).is_some_and(|latest| latest.etag == etag) {
            return;
        }
        if told.by_name.len() >= MOST_REMEMBERED {
            told.forget();
        }
        told.number += 1;
        let latest = Latest { key: key.clone(), etag: etag.clone(), number: told.number };
        told.by_name.insert(name.to_owned(), latest);
        let what = match etag {
            Some(etag) => What::Put { key, etag },
            None => What::Deleted { key },
        };
        self.changes.tell(what, woken);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What events do.
impl Watching {
    /// What was told of a file, to be asked for before it is looked into.
    pub(crate) fn mark(&self, name: &str) -> Mark {
        self.told().mark(name)
    }

    /// Tells what was found in a file, if it is news; false when a writer has told something of it meanwhile: what was
    /// found may be older than that.
    pub(crate) fn seen(&self, name: &str, mark: &Mark, seen: Seen, woken: &mut Woken) -> bool {
        let mut told = self.told();
        if told.mark(name) != *mark {
            return false;
        }
        match seen {
            Seen::Entry(key, etag) => self.tell(&mut told, name, key, Some(etag), woken),
            Seen::Nothing(key) => {
                let known = told.by_name.get(name).map(|latest| latest.key.clone());
                match key.or(known) {
                    Some(key) => self.tell(&mut told, name, key, None, woken),
                    None => self.changes.gap(woken),
                }
            }
            Seen::Unreadable => {
                // What comes next is news, also when it is what was told before.
                told.by_name.remove(name);
                self.changes.gap(woken);
            }
        }
        true
    }

    /// Nobody can be told of what other processes do any more.
    pub(crate) fn fail(&self, why: Unavailable, woken: &mut Woken) {
        self.changes.fail(why, woken);
    }
}

impl Told {
    fn mark(&self, name: &str) -> Mark {
        Mark { number: self.by_name.get(name).map(|latest| latest.number), forgot: self.forgot }
    }

    fn forget(&mut self) {
        self.by_name.clear();
        self.forgot += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn key(name: &str) -> Key {
        Key::new(name).unwrap()
    }

    fn told(watch: &mut Watch) -> Vec<What> {
        let mut all = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let mut next = std::pin::pin!(watch.next());
            match next.as_mut().poll(&mut context) {
                Poll::Ready(Some(Ok(change))) => all.push(change.what),
                Poll::Ready(other) => panic!("{other:?}"),
                Poll::Pending => return all,
            }
        }
    }

    fn put(name: &str, etag: &Etag) -> What {
        What::Put { key: key(name), etag: etag.clone() }
    }

    #[test]
    fn what_was_found_before_a_writer_told_of_the_file_is_not_told_after_it() {
        let (watching, mut woken) = (Watching::new(8), Woken::default());
        let mut watch = watching.watch(Prefix::all(), &WatchFrom::Now);
        let (old, new) = (Etag::new("old"), Etag::new("new"));
        let mark = watching.mark("a");
        watching.done("a", &key("a"), Some(&new), &mut woken);
        let late = Seen::Entry(key("a"), old);
        assert!(!watching.seen("a", &mark, late, &mut woken), "it has to look again");
        let mark = watching.mark("a");
        assert!(watching.seen("a", &mark, Seen::Entry(key("a"), new.clone()), &mut woken));
        assert_eq!(told(&mut watch), [put("a", &new)]);
        // What another writer did to another file is no reason to look again.
        let mark = watching.mark("b");
        watching.done("a", &key("a"), None, &mut woken);
        assert!(watching.seen("b", &mark, Seen::Nothing(Some(key("b"))), &mut woken));
        assert_eq!(told(&mut watch), [What::Deleted { key: key("a") }, What::Deleted { key: key("b") }]);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_forgotten_is_told_again_and_in_order() {
        let (watching, mut woken) = (Watching::new(8), Woken::default());
        let mut watch = watching.watch(Prefix::new("a").unwrap(), &WatchFrom::Now);
        let etag = Etag::new("1");
        watching.done("a", &key("a"), Some(&etag), &mut woken);
        let before = watching.mark("a");
        let never = watching.mark("never");
        for number in 0..2 * MOST_REMEMBERED {
            watching.done(&format!("{number}"), &key("b"), Some(&etag), &mut woken);
            assert!(watching.told().by_name.len() <= MOST_REMEMBERED);
        }
        for (name, mark) in [("a", &before), ("never", &never)] {
            assert!(!watching.seen(name, mark, Seen::Nothing(None), &mut woken), "{name}: nobody knows");
        }
        assert_eq!(told(&mut watch), [What::Gap], "a history of 8");
        let mark = watching.mark("a");
        assert!(watching.seen("a", &mark, Seen::Entry(key("a"), etag.clone()), &mut woken));
        assert_eq!(told(&mut watch), [put("a", &etag)]);
    }
}
