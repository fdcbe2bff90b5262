//! The server, its queue, and the clients.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::{Dice, Formula, MILLISECOND, Nanos, SECOND};

/// How often a trace is recorded.
pub(crate) const TICK: Nanos = 200 * MILLISECOND;

/// What is simulated. Times are in milliseconds, rates in calls per second.
#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) seconds: u64,
    /// How many calls the server works on at once; the others queue, first come first served.
    pub(crate) workers: usize,
    /// How long a worker takes for one, more or less by a tenth.
    pub(crate) service: u64,
    /// How often somebody wants to call. Whoever finds the limit reached is turned away.
    pub(crate) demand: u64,
    /// After how long a caller gives up. The server does not learn of it.
    pub(crate) timeout: u64,
    /// What changes, and at which second.
    pub(crate) changes: Vec<(u64, Change)>,
}

#[derive(Clone, Copy)]
pub(crate) enum Change {
    /// The server works on so many at once.
    Workers(usize),
    /// It takes so long for one.
    Service(u64),
    /// Something behind the server delays each answer by so long, whatever the load.
    Delay(u64),
    /// So many calls of others come at once.
    Burst(usize),
    /// Others call so often, under no limit.
    Others(u64),
    /// Somebody wants to call so often.
    Demand(u64),
}

/// What was seen at one tick.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    pub(crate) second: f64,
    pub(crate) limit: usize,
    /// The mean latency of the calls that ended since the tick before; none where none did.
    pub(crate) latency: Option<Nanos>,
    pub(crate) baseline: Option<Nanos>,
    /// Calls that were answered since the tick before.
    pub(crate) answered: u64,
    pub(crate) timed_out: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Tick,
    Change(usize),
    Wanted,
    Other,
    Served(Option<u64>),
    Answer(u64),
    TimeOut(u64),
}

struct World<'a, F: Formula> {
    scenario: &'a Scenario,
    formula: F,
    dice: Dice,
    now: Nanos,
    agenda: BinaryHeap<Reverse<(Nanos, u64, Event)>>,
    planned: u64,
    workers: usize,
    busy: usize,
    service: Nanos,
    delay: Nanos,
    demand: u64,
    others: u64,
    /// The callers in the server's queue; others have no number.
    queue: VecDeque<Option<u64>>,
    open: BTreeMap<u64, (F::Call, Nanos)>,
    next: u64,
    trace: Vec<Point>,
    latencies: Nanos,
    answered: u64,
    timed_out: u64,
}

/// Runs the scenario under the formula.
pub(crate) fn run<F: Formula>(scenario: &Scenario, seed: u64, formula: F) -> Vec<Point> {
    let mut world = World {
        scenario,
        formula,
        dice: Dice::new(seed),
        now: 0,
        agenda: BinaryHeap::new(),
        planned: 0,
        workers: scenario.workers,
        busy: 0,
        service: scenario.service * MILLISECOND,
        delay: 0,
        demand: scenario.demand,
        others: 0,
        queue: VecDeque::new(),
        open: BTreeMap::new(),
        next: 0,
        trace: Vec::new(),
        latencies: 0,
        answered: 0,
        timed_out: 0,
    };
    for (at, (second, _)) in scenario.changes.iter().enumerate() {
        world.plan(second * SECOND, Event::Change(at));
    }
    world.plan(0, Event::Wanted);
    world.plan(TICK, Event::Tick);
    while let Some(Reverse((at, _, event))) = world.agenda.pop()
        && at <= scenario.seconds * SECOND
    {
        world.now = at;
        world.happen(event);
    }
    world.trace
}

impl<F: Formula> World<'_, F> {
    fn plan(&mut self, at: Nanos, event: Event) {
        self.planned += 1;
        self.agenda.push(Reverse((at, self.planned, event)));
    }

    fn plan_about(&mut self, per_second: u64, event: Event) {
        if let Some(gap) = SECOND.checked_div(per_second) {
            let at = self.now + self.dice.about(gap, 50);
            self.plan(at, event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick => self.record(),
            Event::Change(at) => self.change(self.scenario.changes[at].1),
            Event::Wanted => {
                self.plan_about(self.demand, Event::Wanted);
                if self.open.len() < self.formula.limit() {
                    self.call();
                }
            }
            Event::Other => {
                self.plan_about(self.others, Event::Other);
                self.arrive(None);
            }
            Event::Served(caller) => {
                self.busy -= 1;
                if let Some(caller) = caller {
                    self.plan(self.now + self.delay, Event::Answer(caller));
                }
                self.work();
            }
            Event::Answer(caller) => self.end(caller, false),
            Event::TimeOut(caller) => self.end(caller, true),
        }
    }

    fn call(&mut self) {
        let call = self.formula.begin(self.now);
        self.open.insert(self.next, (call, self.now));
        self.plan(self.now + self.scenario.timeout * MILLISECOND, Event::TimeOut(self.next));
        self.arrive(Some(self.next));
        self.next += 1;
    }

    fn arrive(&mut self, caller: Option<u64>) {
        self.queue.push_back(caller);
        self.work();
    }

    fn work(&mut self) {
        while self.busy < self.workers
            && let Some(caller) = self.queue.pop_front()
        {
            self.busy += 1;
            let done = self.now + self.dice.about(self.service, 10);
            self.plan(done, Event::Served(caller));
        }
    }

    fn end(&mut self, caller: u64, timed_out: bool) {
        let Some((call, began)) = self.open.remove(&caller) else { return };
        self.formula.end(call, timed_out, self.now);
        self.latencies += self.now - began;
        if timed_out {
            self.timed_out += 1;
        } else {
            self.answered += 1;
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Workers(workers) => self.workers = workers,
            Change::Service(milliseconds) => self.service = milliseconds * MILLISECOND,
            Change::Delay(milliseconds) => self.delay = milliseconds * MILLISECOND,
            Change::Burst(calls) => self.queue.extend(std::iter::repeat_n(None, calls)),
            Change::Others(rate) => {
                let begins = self.others == 0;
                self.others = rate;
                if begins {
                    self.plan_about(rate, Event::Other);
                }
            }
            Change::Demand(rate) => self.demand = rate,
        }
        self.work();
    }

    fn record(&mut self) {
        let ended = self.answered + self.timed_out;
        let tenths = u32::try_from(self.now / (SECOND / 10)).expect("a trace is no year long");
        self.trace.push(Point {
            second: f64::from(tenths) / 10.0,
            limit: self.formula.limit(),
            latency: self.latencies.checked_div(ended),
            baseline: self.formula.baseline(),
            answered: self.answered,
            timed_out: self.timed_out,
        });
        (self.latencies, self.answered, self.timed_out) = (0, 0, 0);
        self.plan(self.now + TICK, Event::Tick);
    }
}
