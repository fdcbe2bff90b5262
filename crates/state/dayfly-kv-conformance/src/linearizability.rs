//! Whether what clients have seen of one key can have happened one operation after the other.
//!
//! The key is a register with compare-and-swap. Each write leaves a value of its own, so that a value says which write it
//! came from. An operation happens at one moment between its call and its return; one whose answer was lost happens at any
//! moment after its call, or never. The search is the one of Wing and Gong with the memory of Lowe: it walks through the
//! calls and returns by time, takes whatever may have happened next, and goes back where that leads nowhere.

use std::collections::HashSet;

mod events;
mod history;

use events::{Event, Events};
pub use history::{Action, Condition, Operation, Seen, WriteId};

/// Whether a history can have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It can.
    Linearizable,
    /// It cannot: no order of the operations explains what they have seen. With the numbers of the operations that the
    /// longest explanation has, in its order.
    Impossible {
        /// As far as it can be explained.
        longest: Vec<usize>,
    },
    /// It was not found out within so many steps, which happens to histories with many lost answers.
    Undecided {
        /// How many were tried.
        steps: u64,
    },
}

/// Finds out whether the operations on one key can have happened one after the other, beginning with nothing there. It
/// tries at most so many steps.
///
/// ```
/// use dayfly_kv_conformance::linearizability::{Action, Operation, Seen, Verdict, check};
///
/// // One writes, and is done. Then another one reads, and finds nothing: the write was lost.
/// let put = Operation { called: 1, returned: Some(2), action: Action::Put { write: 7, condition: None, done: Some(true) } };
/// let get = Operation { called: 3, returned: Some(4), action: Action::Get { found: Seen::Nothing } };
/// assert!(matches!(check(&[put, get.clone()], 1_000), Verdict::Impossible { .. }));
///
/// // Had they met, it could have been read before.
/// let put = Operation { called: 1, returned: Some(5), action: Action::Put { write: 7, condition: None, done: Some(true) } };
/// assert_eq!(check(&[put, get], 1_000), Verdict::Linearizable);
/// ```
pub fn check(operations: &[Operation], most_steps: u64) -> Verdict {
    let mut events = Events::new(operations);
    let mut done = vec![0_u64; operations.len().div_ceil(64)];
    let mut state: Option<WriteId> = None;
    let mut tried: HashSet<(Vec<u64>, Option<WriteId>)> = HashSet::new();
    let mut path: Vec<(usize, Option<WriteId>)> = Vec::new();
    let mut longest: Vec<usize> = Vec::new();
    let mut steps = 0;
    let mut at = events.first();
    loop {
        steps += 1;
        if steps > most_steps {
            return Verdict::Undecided { steps: most_steps };
        }
        match at.map(|at| (at, events.event(at))) {
            // Every return was passed: those that are left were never answered, and need not have happened.
            None => return Verdict::Linearizable,
            Some((place, Event::Call(operation))) => {
                at = events.next(place);
                let Some(after) = operations[operation].apply(state) else { continue };
                flip(&mut done, operation);
                if tried.insert((done.clone(), after)) {
                    path.push((operation, state));
                    state = after;
                    events.lift(operation);
                    at = events.first();
                } else {
                    flip(&mut done, operation);
                }
            }
            // This one has returned, so it has happened, and none of the orders so far has it.
            Some((_, Event::Return(_))) => {
                if path.len() > longest.len() {
                    longest = path.iter().map(|(operation, _)| *operation).collect();
                }
                let Some((operation, before)) = path.pop() else { return Verdict::Impossible { longest } };
                state = before;
                flip(&mut done, operation);
                at = events.unlift(operation);
            }
        }
    }
}

fn flip(done: &mut [u64], operation: usize) {
    done[operation / 64] ^= 1 << (operation % 64);
}
