//! Lines of producers, first come, first served. Each who stands in one knows who is before and who is behind, so whoever
//! goes away is not searched for, and nothing is allocated once as many have waited before.

use std::num::NonZeroU64;

use hashbrown::HashMap;

/// Somebody who waits.
pub(super) type Ticket = NonZeroU64;

/// One line.
#[derive(Default)]
pub(super) struct Line {
    first: Option<Ticket>,
    last: Option<Ticket>,
}

/// Everybody who stands in some line.
pub(super) struct Lines(HashMap<Ticket, Neighbours>);

struct Neighbours {
    before: Option<Ticket>,
    behind: Option<Ticket>,
}

impl Line {
    pub(super) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl Lines {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// Goes to the end of a line.
    pub(super) fn join(&mut self, line: &mut Line, ticket: Ticket) {
        let before = line.last.replace(ticket);
        match self.find(before) {
            Some(last) => last.behind = Some(ticket),
            None => line.first = Some(ticket),
        }
        self.0.insert(ticket, Neighbours { before, behind: None });
    }

    /// Takes the first out of a line.
    pub(super) fn next(&mut self, line: &mut Line) -> Option<Ticket> {
        let first = line.first?;
        self.leave(line, first);
        Some(first)
    }

    /// Goes out of the line.
    pub(super) fn leave(&mut self, line: &mut Line, ticket: Ticket) {
        let Some(Neighbours { before, behind }) = self.0.remove(&ticket) else { return };
        match self.find(before) {
            Some(neighbour) => neighbour.behind = behind,
            None => line.first = behind,
        }
        match self.find(behind) {
            Some(neighbour) => neighbour.before = before,
            None => line.last = before,
        }
    }

    fn find(&mut self, ticket: Option<Ticket>) -> Option<&mut Neighbours> {
        self.0.get_mut(&ticket?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Join(usize),
        Next(usize),
        Leave(usize, prop::sample::Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0..2_usize).prop_map(Step::Join),
            1 => (0..2_usize).prop_map(Step::Next),
            1 => (0..2_usize, any::<prop::sample::Index>()).prop_map(|(line, index)| Step::Leave(line, index)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against plain lists.
        #[test]
        fn who_comes_first_is_next_unless_it_has_left(steps in prop::collection::vec(step(), 1..60)) {
            let (mut lines, mut drawn) = (Lines::new(), Ticket::MIN);
            let mut two: [(Line, Vec<Ticket>); 2] = Default::default();
            for step in steps {
                match step {
                    Step::Join(at) => {
                        let (line, model) = &mut two[at];
                        lines.join(line, drawn);
                        model.push(drawn);
                        drawn = drawn.saturating_add(1);
                    }
                    Step::Next(at) => {
                        let (line, model) = &mut two[at];
                        let first = (!model.is_empty()).then(|| model.remove(0));
                        prop_assert_eq!(lines.next(line), first);
                    }
                    Step::Leave(at, index) => {
                        let (line, model) = &mut two[at];
                        if !model.is_empty() {
                            lines.leave(line, model.remove(index.index(model.len())));
                        }
                    }
                }
                prop_assert!(two.iter().all(|(line, model)| line.is_empty() == model.is_empty()));
            }
            for (line, model) in &mut two {
                let rest: Vec<Ticket> = std::iter::from_fn(|| lines.next(line)).collect();
                prop_assert_eq!(&rest, model);
            }
            prop_assert!(lines.0.is_empty(), "nobody is kept");
        }
    }
}
