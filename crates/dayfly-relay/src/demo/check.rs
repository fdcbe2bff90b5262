//! The proof: what a receiver has is compared with what git says, path by path and id by id.

use std::collections::HashSet;

use super::inbox::Inbox;
use crate::event::{Entry, RepoPath, Tree};
use crate::history::History;

/// What the comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Events that were sent and never taken.
    pub(super) missing: usize,
    /// Events that were taken and never sent.
    pub(super) unexpected: usize,
    /// Paths that differ from HEAD, in their order.
    pub(super) wrong_paths: Vec<WrongPath>,
}

/// A path that differs from HEAD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrongPath {
    /// The path.
    pub(super) path: RepoPath,
    /// What git says; `None` where there is nothing.
    pub(super) expected: Option<Entry>,
    /// What the receiver has.
    pub(super) got: Option<Entry>,
}

impl Findings {
    /// Compares an inbox with the history that was delivered to it.
    #[must_use]
    pub(super) fn of(history: &History, inbox: &Inbox) -> Self {
        let sent: HashSet<&str> = history.events.iter().map(|event| event.id.as_str()).collect();
        let arrived = inbox.taken().iter().filter(|id| sent.contains(id.as_str())).count();
        Self {
            missing: sent.len() - arrived,
            unexpected: inbox.taken().len() - arrived,
            wrong_paths: compare(&history.tree, inbox.tree()),
        }
    }
}

fn compare(expected: &Tree, got: &Tree) -> Vec<WrongPath> {
    let only_got = got.keys().filter(|path| !expected.contains_key(path));
    let differ = |path: &RepoPath| expected.get(path) != got.get(path);
    let mut wrong: Vec<WrongPath> = expected
        .keys()
        .chain(only_got)
        .filter(|path| differ(path))
        .map(|path| WrongPath {
            path: path.clone(),
            expected: expected.get(path).cloned(),
            got: got.get(path).cloned(),
        })
        .collect();
    wrong.sort_by(|one, other| one.path.cmp(&other.path));
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::inbox::Message;
    use super::*;
    use crate::event::Event;

    /// An inbox that took the bundled events in the order that `rearrange` leaves them in.
    fn folded(rearrange: impl FnOnce(&mut Vec<std::sync::Arc<Event>>)) -> (History, Inbox) {
        let history = History::bundled("a test").unwrap();
        let mut events = history.events.clone();
        rearrange(&mut events);
        let mut inbox = Inbox::default();
        for event in &events {
            inbox.take(&event.id, Message::from(&**event)).unwrap();
        }
        (history, inbox)
    }

    /// The places of the last two events of a path that changed more than once.
    fn last_two(events: &[std::sync::Arc<Event>]) -> (usize, usize) {
        let last = events.iter().rposition(|event| event.sequence > 1).unwrap();
        let path = &events[last].path;
        (events[..last].iter().rposition(|event| event.path == *path).unwrap(), last)
    }

    #[test]
    fn the_bundled_events_add_up_to_the_recorded_tree() {
        let (history, inbox) = folded(|_| {});
        assert_eq!(Findings::of(&history, &inbox), Findings::default());
        assert_eq!((inbox.order_violations(), inbox.duplicates()), (0, 0));
    }

    #[test]
    fn events_that_come_again_change_nothing() {
        let (history, inbox) = folded(|events| events.extend(events.clone()));
        assert_eq!(Findings::of(&history, &inbox), Findings::default());
        assert_eq!(inbox.duplicates(), history.events.len() as u64);
        assert_eq!(inbox.order_violations(), 0);
    }

    #[test]
    fn a_lost_event_is_found() {
        let (history, inbox) = folded(|events| drop(events.remove(last_two(events).1)));
        let findings = Findings::of(&history, &inbox);
        assert_eq!((findings.missing, findings.unexpected), (1, 0));
        assert_eq!(findings.wrong_paths.len(), 1);
    }

    #[test]
    fn a_lost_event_in_the_middle_is_a_gap() {
        let (history, inbox) = folded(|events| drop(events.remove(last_two(events).0)));
        assert_eq!(Findings::of(&history, &inbox).missing, 1);
        assert_eq!(inbox.order_violations(), 1);
    }

    #[test]
    fn a_swapped_order_is_found() {
        let mut swapped = None;
        let (history, inbox) = folded(|events| {
            let (one, other) = last_two(events);
            swapped = Some(events[one].path.clone());
            events.swap(one, other);
        });
        let findings = Findings::of(&history, &inbox);
        assert_eq!((findings.missing, findings.unexpected), (0, 0));
        assert!(inbox.order_violations() >= 1);
        assert_eq!(findings.wrong_paths.len(), 1);
        assert_eq!(Some(&findings.wrong_paths[0].path), swapped.as_ref());
    }

    #[test]
    fn an_event_that_nobody_sent_is_found() {
        let (history, mut inbox) = folded(|_| {});
        let event = &history.events[0];
        let mut extra = event.as_ref().clone();
        extra.path = RepoPath::new(b"smuggled in");
        inbox.take("evt_unknown", Message::from(&extra)).unwrap();
        let findings = Findings::of(&history, &inbox);
        assert_eq!((findings.missing, findings.unexpected), (0, 1));
        assert_eq!(findings.wrong_paths[0].expected, None);
    }
}
