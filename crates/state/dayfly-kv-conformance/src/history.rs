//! Lets many clients work on a store at once, and checks what they have seen.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{Call, Etag, Fault, Key, Precondition, ScriptedStore, Store};
use tokio::task::JoinSet;

use crate::case::Broken;
use crate::linearizability::{Verdict, check};
use crate::recorder::Recorder;

/// How many histories are made, and of what.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`histories`](Self::histories) | 40 | how many |
/// | [`operations`](Self::operations) | 1,000 | operations of each |
/// | [`clients`](Self::clients) | 8 | who work at once |
/// | [`keys`](Self::keys) | 8 | what they work on |
/// | [`lost_answers`](Self::lost_answers) | 24 | writes of each history whose answer is lost, applied or not, at once or late |
/// | [`seed`](Self::seed) | 1 | what the clients do |
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryOptions {
    histories: u64,
    operations: u64,
    clients: u64,
    keys: u64,
    lost_answers: u64,
    seed: u64,
}

/// What was examined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryReport {
    /// Histories of one key that were checked.
    pub checked: u64,
    /// Operations in them.
    pub operations: u64,
    /// Operations of those whose answer was lost.
    pub unknown: u64,
    /// Histories that could not be decided.
    pub undecided: u64,
}

/// How many steps are tried for one key.
const MOST_STEPS: u64 = 5_000_000;

impl HistoryOptions {
    /// The defaults of the table above: the full form.
    #[must_use]
    pub const fn new() -> Self {
        Self { histories: 40, operations: 1_000, clients: 8, keys: 8, lost_answers: 24, seed: 1 }
    }

    /// Sets how many histories are made.
    #[must_use]
    pub const fn histories(mut self, histories: u64) -> Self {
        self.histories = histories;
        self
    }

    /// Sets how many operations each has.
    #[must_use]
    pub const fn operations(mut self, operations: u64) -> Self {
        self.operations = operations;
        self
    }

    /// Sets how many clients work at once.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn clients(mut self, clients: u64) -> Self {
        assert!(clients > 0, "clients must be at least 1");
        self.clients = clients;
        self
    }

    /// Sets how many keys they work on.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn keys(mut self, keys: u64) -> Self {
        assert!(keys > 0, "keys must be at least 1");
        self.keys = keys;
        self
    }

    /// Sets of how many writes of each history the answer is lost. More than 15 for one key take long to check.
    #[must_use]
    pub const fn lost_answers(mut self, writes: u64) -> Self {
        self.lost_answers = writes;
        self
    }

    /// Sets what the clients do. When they do it depends on the machine.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Lets clients work on a store at once, as often as the options say, and checks what they have seen of each key.
///
/// # Errors
/// When what they have seen cannot have happened; with the seed of that history and the operations.
///
/// # Cancel safety
/// Nothing is lost but the examination; what the clients have written stays.
pub async fn examine_histories(
    store: &Arc<dyn Store>,
    options: &HistoryOptions,
) -> Result<HistoryReport, Broken> {
    let mut report = HistoryReport::default();
    for history in 0..options.histories {
        let seed = options.seed.wrapping_add(history);
        let recorder = run(store, options, history, seed).await?;
        for (key, operations) in recorder.into_histories() {
            report.checked += 1;
            report.operations += operations.len() as u64;
            report.unknown +=
                operations.iter().filter(|operation| operation.returned.is_none()).count() as u64;
            match check(&operations, MOST_STEPS) {
                Verdict::Linearizable => {}
                Verdict::Undecided { .. } => report.undecided += 1,
                Verdict::Impossible { longest } => {
                    let last = longest.last().map(|last| &operations[*last]);
                    return Err(Broken::new(format!(
                        "the history of {key:?} with the seed {seed} is not linearizable: of {} operations at most {} \
                         can be put in an order, the last of them {last:?}\nall of them: {operations:#?}",
                        operations.len(),
                        longest.len(),
                    )));
                }
            }
        }
    }
    Ok(report)
}

async fn run(
    store: &Arc<dyn Store>,
    options: &HistoryOptions,
    history: u64,
    seed: u64,
) -> Result<Recorder, Broken> {
    let faulty = ScriptedStore::new(Arc::clone(store));
    let mut dice = Dice::new(seed);
    for _ in 0..options.lost_answers {
        let nth = 1 + dice.below(options.operations / 2);
        let fault = match dice.below(4) {
            0 => Fault::LoseAnswer,
            1 => Fault::LoseRequest,
            2 => Fault::LandAfter(dice.below(20)),
            _ => Fault::Delay(Duration::from_micros(dice.below(500))),
        };
        let call = if dice.below(5) == 0 { Call::Delete } else { Call::Put };
        faulty.nth(call, nth, fault);
    }
    let keys = (0..options.keys).map(|key| Key::new(format!("history/{seed}/{history}/{key}")));
    let keys: Arc<[Key]> = keys.collect::<Result<_, _>>()?;
    let recorder = Arc::new(Recorder::default());
    let mut clients = JoinSet::new();
    for client in 0..options.clients {
        let (store, keys, recorder) = (faulty.clone(), Arc::clone(&keys), Arc::clone(&recorder));
        let dice = Dice::new(seed ^ (client + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let operations = options.operations / options.clients;
        clients.spawn(async move { work(&store, &keys, &recorder, dice, operations).await });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Arc::into_inner(recorder).ok_or_else(|| Broken::new("a client is still at work"))
}

async fn work(
    store: &ScriptedStore,
    keys: &[Key],
    recorder: &Recorder,
    mut dice: Dice,
    operations: u64,
) -> Result<(), Broken> {
    let mut known: Vec<Option<Etag>> = vec![None; keys.len()];
    for _ in 0..operations {
        let at = usize::try_from(dice.below(keys.len() as u64))?;
        let (key, matches) = (&keys[at], known[at].clone().map(Precondition::Matches));
        match dice.below(10) {
            0..4 => known[at] = recorder.get(store, key).await?,
            4 => known[at] = recorder.put(store, key, Precondition::Any).await?,
            5 => known[at] = recorder.put(store, key, Precondition::Absent).await?,
            6 => recorder.delete(store, key, Precondition::Any).await?,
            7 => recorder.delete(store, key, matches.unwrap_or(Precondition::Present)).await?,
            _ => known[at] = recorder.put(store, key, matches.unwrap_or(Precondition::Present)).await?,
        }
        if dice.below(3) == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Numbers that look random and are the same for the same seed.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below this, or zero.
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most.max(1)
    }
}
