//! Cases as tests, and all of them at once.

use std::fmt;

use dayfly_kv::Capability;
use tokio::runtime::Builder;

use crate::case::{Need, Outcome};
use crate::subject::Subject;
use crate::suite::CASES;

/// How every case has ended.
#[derive(Debug)]
pub struct Report {
    /// The name of each case, and how it has ended.
    pub outcomes: Vec<(&'static str, Outcome)>,
}

/// Examines a backend by every case. The factory gives a new, empty subject for each.
///
/// # Cancel safety
/// Nothing is lost but the examination.
pub async fn examine<F: Future<Output = Subject>>(factory: impl Fn() -> F) -> Report {
    let mut outcomes = Vec::with_capacity(CASES.len());
    for case in CASES {
        outcomes.push((case.name, case.examine(factory().await).await));
    }
    Report { outcomes }
}

/// Examines a backend by the case of this name, on a runtime of its own with two threads. This is what the tests call
/// that [`conformance!`](crate::conformance) makes.
///
/// # Panics
/// When the backend breaks the rule, with how; when there is no such case or no runtime.
pub fn assert_case<F: Future<Output = Subject>>(name: &str, factory: impl Fn() -> F) {
    let Some(case) = CASES.iter().find(|case| case.name == name) else { panic!("there is no case `{name}`") };
    match block_on(async { case.examine(factory().await).await }) {
        Outcome::Passed => {}
        Outcome::Excluded { need, reason } => println!("excluded, for want of {need}: {reason}"),
        Outcome::Broken(broken) => panic!("{name}: {broken}"),
    }
}

/// Makes sure that what the backend's stores cannot do is what was declared, so that no case is left out in silence.
///
/// # Panics
/// When it is not; when no store can be opened or no runtime built.
pub fn assert_exclusions<F: Future<Output = Subject>>(declared: &[&str], factory: impl Fn() -> F) {
    let excluded = block_on(async {
        let subject = factory().await;
        let store = match subject.store().await {
            Ok(store) => store,
            Err(broken) => panic!("no store can be opened: {broken}"),
        };
        let needs = CASES.iter().flat_map(|case| case.needs);
        let mut excluded: Vec<String> = needs
            .copied()
            .filter(|need| match need {
                Need::Can(capability) => !store.capabilities().has(*capability),
                Need::Clock => !subject.has_clock(),
            })
            .map(name)
            .collect();
        excluded.sort_unstable();
        excluded.dedup();
        excluded
    });
    let mut declared = declared.to_vec();
    declared.sort_unstable();
    assert!(
        excluded == declared,
        "what is excluded has to be declared: the subject lacks {excluded:?}, and {declared:?} was declared"
    );
}

/// As it is declared in the macro.
fn name(need: Need) -> String {
    match need {
        Need::Can(capability) => format!("{capability:?}"),
        Need::Clock => "Clock".to_owned(),
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = runtime else { panic!("no runtime could be built") };
    runtime.block_on(future)
}

impl Report {
    /// The cases that the backend breaks.
    pub fn broken(&self) -> Vec<&'static str> {
        self.of(|outcome| matches!(outcome, Outcome::Broken(_)))
    }

    /// The cases that could not be examined.
    pub fn excluded(&self) -> Vec<&'static str> {
        self.of(|outcome| matches!(outcome, Outcome::Excluded { .. }))
    }

    fn of(&self, is: impl Fn(&Outcome) -> bool) -> Vec<&'static str> {
        self.outcomes.iter().filter(|(_, outcome)| is(outcome)).map(|(name, _)| *name).collect()
    }

    /// What the backend was found not to do.
    pub fn missing(&self) -> Vec<Capability> {
        let mut missing = Vec::new();
        for (_, outcome) in &self.outcomes {
            if let Outcome::Excluded { need: Need::Can(capability), .. } = outcome
                && !missing.contains(capability)
            {
                missing.push(*capability);
            }
        }
        missing
    }
}

/// A line for each case.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.outcomes {
            match outcome {
                Outcome::Passed => writeln!(f, "passed    {name}")?,
                Outcome::Excluded { need, reason } => {
                    writeln!(f, "excluded  {name}: for want of {need}: {reason}")?;
                }
                Outcome::Broken(broken) => writeln!(f, "broken    {name}: {broken}")?,
            }
        }
        Ok(())
    }
}
