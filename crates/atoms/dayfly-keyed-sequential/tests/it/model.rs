//! Everything that can be done to parked keys, at random, against a model of plain lists.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use dayfly::{CoordinatorOptions, SignalSink};
use dayfly_keyed_sequential::KeyedSequential;
use dayfly_testing::{paused, settle};
use proptest::prelude::*;

use crate::support::{Item, options};

const KEYS: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Hands in an item of this key whose first so many attempts fail.
    Enqueue(u32, u32),
    Retry(u32),
    RetryAll,
    Skip(u32),
    Discard(u32),
    /// Kills the failed item of a key.
    Kill(u32),
    PauseKey(u32),
    ResumeKey(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..KEYS, prop_oneof![3 => Just(0_u32), 2 => 1..4_u32])
            .prop_map(|(key, failures)| Step::Enqueue(key, failures)),
        4 => (0..KEYS).prop_map(Step::Retry),
        1 => Just(Step::RetryAll),
        2 => (0..KEYS).prop_map(Step::Skip),
        1 => (0..KEYS).prop_map(Step::Discard),
        1 => (0..KEYS).prop_map(Step::Kill),
        1 => (0..KEYS).prop_map(Step::PauseKey),
        1 => (0..KEYS).prop_map(Step::ResumeKey),
    ]
}

/// One key as it should be.
#[derive(Default)]
struct Line {
    /// Numbers with the failures that are left.
    queue: VecDeque<(u32, u32)>,
    is_parked: bool,
    is_paused: bool,
    /// Attempts of the item in front.
    attempts: u32,
}

#[derive(Default)]
struct Model {
    lines: BTreeMap<u32, Line>,
    attempts: Vec<Vec<u32>>,
    completed: u64,
    failed: u64,
    cancelled: u64,
    given_up: Vec<Item>,
}

impl Model {
    /// Runs what may run.
    fn run(&mut self) {
        for (key, line) in &mut self.lines {
            while !line.is_parked
                && !line.is_paused
                && let Some((number, failures)) = line.queue.front_mut()
            {
                self.attempts[*key as usize].push(*number);
                line.attempts += 1;
                if *failures > 0 {
                    *failures -= 1;
                    line.is_parked = true;
                } else {
                    line.queue.pop_front();
                    line.attempts = 0;
                    self.completed += 1;
                }
            }
        }
    }

    fn line(&mut self, key: u32) -> &mut Line {
        self.lines.entry(key).or_default()
    }

    /// The failed item of a parked key leaves.
    fn pop(&mut self, key: u32) -> Option<Item> {
        let line = self.line(key);
        if !std::mem::take(&mut line.is_parked) {
            return None;
        }
        line.attempts = 0;
        line.queue.pop_front().map(|(number, _)| (key, number))
    }
}

struct Tried {
    work: KeyedSequential<u32, Item>,
    failures: Arc<Mutex<HashMap<Item, u32>>>,
    attempts: Arc<Mutex<Vec<Vec<u32>>>>,
}

fn tried() -> Tried {
    let failures: Arc<Mutex<HashMap<Item, u32>>> = Arc::default();
    let attempts = Arc::new(Mutex::new(vec![Vec::new(); KEYS as usize]));
    let (left, log) = (failures.clone(), attempts.clone());
    let work = KeyedSequential::spawn(
        options(CoordinatorOptions::new().max_concurrency(2)),
        &SignalSink::default(),
        |item: &Item| item.0,
        move |item: Arc<Item>, _| {
            let (left, log) = (left.clone(), log.clone());
            async move {
                log.lock().unwrap()[item.0 as usize].push(item.1);
                if item.1.is_multiple_of(2) {
                    tokio::task::yield_now().await;
                }
                let fails = match left.lock().unwrap().get_mut(&item) {
                    Some(0) | None => false,
                    Some(failures) => {
                        *failures -= 1;
                        true
                    }
                };
                assert!(!fails || !item.1.is_multiple_of(3), "a panic");
                if fails { Err("a failure") } else { Ok(()) }
            }
        },
    );
    Tried { work, failures, attempts }
}

async fn run(steps: Vec<Step>, is_cancelled: bool) -> Result<(), TestCaseError> {
    let Tried { work, failures, attempts } = tried();
    let mut model = Model { attempts: vec![Vec::new(); KEYS as usize], ..Model::default() };
    for (number, step) in steps.into_iter().enumerate() {
        let number = u32::try_from(number).unwrap();
        match step {
            Step::Enqueue(key, fails) => {
                failures.lock().unwrap().insert((key, number), fails);
                work.enqueue((key, number)).await.unwrap();
                model.line(key).queue.push_back((number, fails));
            }
            Step::Retry(key) => {
                let was_parked = std::mem::take(&mut model.line(key).is_parked);
                prop_assert_eq!(work.retry(&key), was_parked);
            }
            Step::RetryAll => {
                let parked = model
                    .lines
                    .values_mut()
                    .filter_map(|line| std::mem::take(&mut line.is_parked).then_some(()));
                prop_assert_eq!(work.retry_all(), parked.count());
            }
            Step::Skip(key) => {
                let skipped = model.pop(key);
                prop_assert_eq!(work.skip(&key).map(|item| *item), skipped);
                model.failed += u64::from(skipped.is_some());
            }
            Step::Discard(key) => {
                let mut expected: Vec<Item> = model.pop(key).into_iter().collect();
                if !expected.is_empty() {
                    model.failed += 1;
                    let behind = std::mem::take(&mut model.line(key).queue);
                    model.cancelled += behind.len() as u64;
                    expected.extend(behind.iter().map(|(number, _)| (key, *number)));
                }
                let discarded: Vec<Item> = work.discard(&key).iter().map(|item| **item).collect();
                prop_assert_eq!(discarded, expected);
            }
            Step::Kill(key) => {
                if let Some(parked) = work.parked_key(&key) {
                    prop_assert!(work.kill(parked.id));
                    let item = model.pop(key);
                    prop_assert!(item.is_some(), "key {} was not to be parked", key);
                    model.given_up.extend(item);
                    model.cancelled += 1;
                }
            }
            Step::PauseKey(key) => {
                work.pause_key(key);
                model.line(key).is_paused = true;
            }
            Step::ResumeKey(key) => {
                let was_paused = std::mem::take(&mut model.line(key).is_paused);
                prop_assert_eq!(work.resume_key(&key), was_paused);
            }
        }
        settle().await;
        model.run();
        agree(&work, &model)?;
    }
    finish(&work, &mut model, is_cancelled).await?;
    prop_assert_eq!(&*attempts.lock().unwrap(), &model.attempts, "the order of each key's attempts");
    Ok(())
}

fn agree(work: &KeyedSequential<u32, Item>, model: &Model) -> Result<(), TestCaseError> {
    let mut listed: Vec<(u32, u32)> =
        work.parked().iter().map(|parked| (parked.key, parked.attempts)).collect();
    listed.sort_unstable();
    let parked = model.lines.iter().filter(|(_, line)| line.is_parked);
    let parked: Vec<(u32, u32)> = parked.map(|(key, line)| (*key, line.attempts)).collect();
    prop_assert_eq!(listed, parked);
    let raised = work.signals().state("key.parked");
    prop_assert_eq!(raised.len(), work.parked_count());
    let stats = work.stats();
    let pending: usize = model.lines.values().map(|line| line.queue.len()).sum();
    prop_assert_eq!(stats.pending, pending as u64);
    prop_assert_eq!(
        (stats.completed, stats.failed, stats.cancelled),
        (model.completed, model.failed, model.cancelled)
    );
    let given_up: Vec<Item> = work.given_up().iter().map(|lost| *lost.item).collect();
    prop_assert_eq!(&given_up, &model.given_up);
    Ok(())
}

/// Either everything is retried until it is done, or cancelled and listed; nothing is left in between.
async fn finish(
    work: &KeyedSequential<u32, Item>,
    model: &mut Model,
    is_cancelled: bool,
) -> Result<(), TestCaseError> {
    if is_cancelled {
        let report = work.cancel().await;
        let mut given_up: Vec<Item> = report.given_up.iter().map(|lost| *lost.item).collect();
        let mut expected = model.given_up.clone();
        for (key, line) in &model.lines {
            expected.extend(line.queue.iter().map(|(number, _)| (*key, *number)));
        }
        given_up.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(given_up, expected);
        return Ok(());
    }
    for key in 0..KEYS {
        work.resume_key(&key);
        model.line(key).is_paused = false;
    }
    settle().await;
    model.run();
    while work.retry_all() > 0 {
        settle().await;
        model.lines.values_mut().for_each(|line| line.is_parked = false);
        model.run();
    }
    agree(work, model)?;
    let report = work.drain().await;
    let figures = report.figures;
    prop_assert_eq!(figures.completed + figures.failed + figures.cancelled, figures.accepted);
    prop_assert_eq!(figures.completed, model.completed);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn every_item_is_done_handed_back_or_given_up_once_and_in_order(
        steps in prop::collection::vec(step(), 1..50),
        is_cancelled: bool,
    ) {
        paused(run(steps, is_cancelled))?;
    }
}
