//! The order in which events are handed in with `--unordered`: a shuffle that cannot come out right by luck.

use std::collections::HashMap;
use std::sync::Arc;

use super::dice::dice;
use crate::event::{Event, RepoPath};

/// A handful of events may survive a shuffle. So many draws leave that no chance where there is any order to lose.
const DRAWS: u32 = 100;

/// The events, shuffled until at least one path would end up wrong.
#[must_use]
pub(super) fn shuffled(events: &[Arc<Event>], seed: u64) -> Vec<Arc<Event>> {
    let truth = ends(events);
    let mut shuffled = events.to_vec();
    for draw in 0..DRAWS {
        dice(seed, &["shuffle", &draw.to_string()]).shuffle(&mut shuffled);
        let ends = ends(&shuffled);
        if truth.iter().any(|(path, end)| ends[path].change != end.change) {
            break;
        }
    }
    shuffled
}

/// The last event of each path.
fn ends(events: &[Arc<Event>]) -> HashMap<&RepoPath, &Event> {
    events.iter().map(|event| (&event.path, &**event)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Change, Entry, ObjectId};

    fn events(paths: &[&'static str]) -> Vec<Arc<Event>> {
        let mut sequences = HashMap::<&str, u64>::new();
        let event = |(index, path): (usize, &&'static str)| {
            let sequence = sequences.entry(path).and_modify(|sequence| *sequence += 1).or_insert(1);
            let name = format!("{index:040}");
            let change = Change::Set(Entry::parse("100644", &name).unwrap());
            let path = RepoPath::new(path.as_bytes());
            Arc::new(Event::new(ObjectId::parse(&name).unwrap(), path, *sequence, change))
        };
        paths.iter().enumerate().map(event).collect()
    }

    #[test]
    fn even_two_events_are_brought_out_of_order() {
        let events = events(&["a", "a"]);
        for seed in 0..20 {
            assert_eq!(shuffled(&events, seed)[0].sequence, 2);
        }
    }

    #[test]
    fn a_seed_gives_one_shuffle_and_loses_nothing() {
        let events = events(&["a", "b", "a", "c", "b", "a", "d", "a"]);
        let one = shuffled(&events, 1);
        assert_eq!(one, shuffled(&events, 1));
        assert_ne!(one, shuffled(&events, 2));
        assert!(one.len() == events.len() && events.iter().all(|event| one.contains(event)));
    }

    #[test]
    fn where_no_order_matters_it_ends_as_well() {
        assert_eq!(shuffled(&events(&["a", "b"]), 1).len(), 2);
    }
}
