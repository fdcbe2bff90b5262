//! The checker finds what a naive search over all orders finds.

use dayfly_kv_conformance::linearizability::{Action, Condition, Operation, Seen, Verdict, WriteId, check};
use proptest::prelude::*;

const STEPS: u64 = 1_000_000;

type State = Option<WriteId>;

/// Every order of the operations that respects who returned before whom was called, with and without those that were
/// never answered.
fn is_possible(left: &[&Operation], state: State) -> bool {
    let must_end = |operation: &&&Operation| operation.returned.is_some();
    if left.iter().filter(must_end).count() == 0 {
        return true;
    }
    (0..left.len()).any(|next| {
        let is_first = left.iter().all(|other| other.returned.is_none_or(|end| end > left[next].called));
        let mut rest = left.to_vec();
        let operation = rest.remove(next);
        is_first && after(operation, state).is_some_and(|state| is_possible(&rest, state))
    })
}

/// What is there afterwards, written down again, in other words than the checker's.
fn after(operation: &Operation, state: State) -> Option<State> {
    let allows = |condition: &Option<Condition>| match condition {
        None => true,
        Some(Condition::Absent) => state.is_none(),
        Some(Condition::Present) => state.is_some(),
        Some(Condition::Matches(write)) => state == Some(*write),
    };
    match &operation.action {
        Action::Get { found } => {
            let seen = state.map_or(Seen::Nothing, Seen::Write);
            (seen == *found).then_some(state)
        }
        Action::Put { write, condition, done } => {
            let is_done = allows(condition);
            let is_explained = done.is_none_or(|done| done == is_done) && (done.is_some() || is_done);
            is_explained.then_some(if is_done { Some(*write) } else { state })
        }
        Action::Delete { condition, done } => {
            let is_done = allows(condition);
            let removes = is_done && state.is_some();
            let is_explained = match done {
                Some(done) => {
                    *done == removes && (removes || !is_done || *condition != Some(Condition::Present))
                }
                None => is_done,
            };
            is_explained.then_some(if is_done { None } else { state })
        }
    }
}

fn conditions() -> impl Strategy<Value = Option<Condition>> {
    prop_oneof![
        Just(None),
        Just(Some(Condition::Absent)),
        Just(Some(Condition::Present)),
        (0..6_u64).prop_map(|write| Some(Condition::Matches(write))),
    ]
}

fn actions() -> impl Strategy<Value = Action> {
    let done = || prop_oneof![3 => Just(Some(true)), 2 => Just(Some(false)), 1 => Just(None)];
    prop_oneof![
        prop_oneof![Just(Seen::Nothing), (0..6_u64).prop_map(Seen::Write)]
            .prop_map(|found| Action::Get { found }),
        (conditions(), done()).prop_map(|(condition, done)| Action::Put { write: 0, condition, done }),
        (conditions(), done()).prop_map(|(condition, done)| Action::Delete { condition, done }),
    ]
}

prop_compose! {
    fn histories()(
        actions in prop::collection::vec((actions(), 0..12_u64, 1..6_u64), 0..7),
    ) -> Vec<Operation> {
        let numbered = actions.into_iter().enumerate();
        numbered.map(|(number, (mut action, called, lasts))| {
            let mut returned = Some(2 * (called + lasts) + 1);
            match &mut action {
                Action::Put { write, done, .. } => {
                    *write = number as u64;
                    returned = done.and(returned);
                }
                Action::Delete { done, .. } => returned = done.and(returned),
                Action::Get { .. } => {}
            }
            Operation { called: 2 * called, returned, action }
        }).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_naive_search(history in histories()) {
        let naive = is_possible(&history.iter().collect::<Vec<_>>(), None);
        let verdict = check(&history, STEPS);
        prop_assert_eq!(verdict == Verdict::Linearizable, naive, "{:?}", verdict);
    }
}

fn operation(called: u64, returned: Option<u64>, action: Action) -> Operation {
    Operation { called, returned, action }
}

fn put(write: WriteId, condition: Option<Condition>, done: Option<bool>) -> Action {
    Action::Put { write, condition, done }
}

fn get(write: WriteId) -> Action {
    Action::Get { found: Seen::Write(write) }
}

#[test]
fn a_read_of_what_was_replaced_before_is_impossible() {
    let history = [
        operation(0, Some(1), put(1, None, Some(true))),
        operation(2, Some(3), put(2, None, Some(true))),
        operation(4, Some(5), get(1)),
    ];
    assert!(matches!(check(&history, STEPS), Verdict::Impossible { longest } if longest == [0, 1]));
}

#[test]
fn a_write_without_an_answer_may_land_after_a_later_one() {
    let mut history = vec![
        operation(0, None, put(1, None, None)),
        operation(2, Some(3), put(2, None, Some(true))),
        operation(4, Some(5), get(2)),
        operation(6, Some(7), get(1)),
    ];
    assert_eq!(check(&history, STEPS), Verdict::Linearizable);
    // But it lands once.
    history.push(operation(8, Some(9), get(2)));
    assert!(matches!(check(&history, STEPS), Verdict::Impossible { .. }));
}

#[test]
fn two_swaps_of_the_same_write_cannot_both_be_done() {
    let swap = |write| put(write, Some(Condition::Matches(1)), Some(true));
    let history = [
        operation(0, Some(1), put(1, None, Some(true))),
        operation(2, Some(9), swap(2)),
        operation(2, Some(9), swap(3)),
    ];
    assert!(matches!(check(&history, STEPS), Verdict::Impossible { .. }));
}

#[test]
fn what_takes_too_long_is_undecided_and_not_called_linearizable() {
    let lost = (0..40).map(|write| operation(0, None, put(write, None, None)));
    let history: Vec<_> = lost.chain([operation(1, Some(2), get(99))]).collect();
    assert_eq!(check(&history, 10_000), Verdict::Undecided { steps: 10_000 });
    assert_eq!(check(&[], 1), Verdict::Linearizable);
}
