//! What a backend cannot do is said, and nothing is left out in silence.

use std::panic::catch_unwind;
use std::sync::Arc;

use dayfly_kv::MemoryBackend;
use dayfly_kv_conformance::{CASES, Case, Need, Outcome, Subject, assert_case, assert_exclusions, examine};

async fn without_a_clock() -> Subject {
    Subject::new(Arc::new(MemoryBackend::new()))
}

mod declared {
    dayfly_kv_conformance::conformance!(super::without_a_clock, without[Clock]);
}

#[tokio::test]
async fn cases_that_need_what_is_missing_are_excluded_with_the_reason() {
    let report = examine(without_a_clock).await;
    let timed: Vec<_> =
        CASES.iter().filter(|case| case.needs().contains(&Need::Clock)).map(Case::name).collect();
    assert_eq!(timed.len(), 9);
    assert_eq!(report.excluded(), timed);
    assert_eq!(report.broken(), [""; 0]);
    let reasons = report.outcomes.iter().filter_map(|(_, outcome)| match outcome {
        Outcome::Excluded { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    assert!(reasons.eq([&"the subject has no clock that can be moved"; 9].map(|reason| *reason)));
    assert!(report.to_string().contains("excluded  an_entry_is_there_at_its_deadline_and_gone_after_it"));
}

#[test]
fn what_is_not_declared_or_declared_in_vain_fails() {
    assert_exclusions(&["Clock"], without_a_clock);
    for declared in [&[][..], &["Watch", "Clock"]] {
        assert!(catch_unwind(|| assert_exclusions(declared, without_a_clock)).is_err(), "{declared:?}");
    }
}

#[test]
fn a_case_that_is_none_fails() {
    assert!(catch_unwind(|| assert_case("no such case", without_a_clock)).is_err());
}
