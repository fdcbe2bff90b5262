//! The control and a naive model of it, through the same random events.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::{Control, Step, Tag};
use crate::gradient::{after_drops, higher, over};
use crate::options::AdaptiveLimitOptions;
use crate::sample::Judgement;

#[derive(Clone, Copy, Debug)]
enum Event {
    Begin,
    /// Ends the n-th sample that is out.
    End {
        which: usize,
        judgement: Judgement,
    },
    /// Ends all that are out, after so long.
    EndAll {
        milliseconds: u64,
        judgement: Judgement,
    },
    /// So many begin, as many as the limit allows at most, and all of them take so long.
    Round {
        share: usize,
        milliseconds: u64,
        judgement: Judgement,
    },
    Wait {
        milliseconds: u64,
    },
    Step(bool),
    Bounds {
        min: usize,
        more: usize,
    },
}

fn judgement() -> impl Strategy<Value = Judgement> {
    prop_oneof![
        8 => Just(Judgement::Success),
        2 => Just(Judgement::Dropped),
        1 => Just(Judgement::Ignored),
    ]
}

fn latency() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 5_u64..40, 2 => 0_u64..2_000]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Begin),
        4 => (any::<usize>(), judgement()).prop_map(|(which, judgement)| Event::End { which, judgement }),
        2 => (latency(), judgement()).prop_map(|(milliseconds, judgement)| Event::EndAll { milliseconds, judgement }),
        12 => (1_usize..4, latency(), judgement())
            .prop_map(|(share, milliseconds, judgement)| Event::Round { share, milliseconds, judgement }),
        2 => (0_u64..1_500).prop_map(|milliseconds| Event::Wait { milliseconds }),
        1 => any::<bool>().prop_map(Event::Step),
        1 => (1_usize..10, 0_usize..60).prop_map(|(min, more)| Event::Bounds { min, more }),
    ]
}

/// What is promised, written down as plainly as can be. Times are in nanoseconds from the beginning.
struct Model {
    options: AdaptiveLimitOptions,
    limit: usize,
    /// While it probes: the limit before, and the latency then.
    before: Option<(usize, u64)>,
    /// How often the limit has changed, and how often it had when drops last lowered it.
    changes: u64,
    lowered: u64,
    /// What is out: the changes when it began, and when that was.
    out: Vec<(u64, u64)>,
    latencies: Vec<u64>,
    drops: u32,
    peak: usize,
    opened: u64,
    baseline: Option<(u64, u64)>,
    at_the_floor: u32,
}

impl Model {
    fn new(options: AdaptiveLimitOptions) -> Self {
        Self {
            limit: options.initial,
            options,
            before: None,
            changes: 0,
            lowered: 0,
            out: Vec::new(),
            latencies: Vec::new(),
            drops: 0,
            peak: 0,
            opened: 0,
            baseline: None,
            at_the_floor: 0,
        }
    }

    fn begin(&mut self, now: u64) {
        self.out.push((self.changes, now));
        self.peak = self.peak.max(self.out.len());
    }

    fn end(&mut self, which: usize, judgement: Judgement, now: u64) {
        let (changes, began) = self.out.remove(which);
        let took = now - began;
        let too_long = self.options.max_latency.is_some_and(|most| u128::from(took) > most.as_nanos());
        if judgement == Judgement::Dropped || too_long {
            if changes < self.lowered {
                return;
            }
            self.drops += 1;
        } else if judgement == Judgement::Success && changes == self.changes {
            self.latencies.push(took);
        } else {
            return;
        }
        let samples = u32::try_from(self.latencies.len()).unwrap() + self.drops;
        if u128::from(now - self.opened) < self.options.window.as_nanos()
            || samples < self.options.min_samples
        {
            return;
        }
        self.judge(samples, now);
        self.open(now);
    }

    fn judge(&mut self, samples: u32, now: u64) {
        let floor = self.options.bounds.min;
        if self.drops > 0 {
            let from = self.before.take().map_or(self.limit, |(limit, _)| limit);
            self.set(after_drops(from, self.drops, samples, self.options.bounds));
            self.lowered = self.changes;
            return;
        }
        self.latencies.sort_unstable();
        // The median, with the five digits that the table keeps of it.
        let median = self.latencies[self.latencies.len().div_ceil(2) - 1];
        let lost = (64 - median.leading_zeros()).saturating_sub(5);
        let latency = median >> lost << lost;

        let half = self.limit.div_ceil(2).max(floor);
        let year = 365 * 24 * 3_600;
        let every =
            u64::try_from(self.options.probe_every.min(Duration::from_secs(year)).as_nanos()).unwrap();
        let is_due = self.baseline.is_none_or(|(_, at)| now - at >= every) || self.at_the_floor >= 5;
        match self.before {
            Some((_, before)) if half < self.limit && latency * 7 < before * 4 => {
                self.before = Some((self.limit, latency));
                self.set(half);
            }
            Some((limit, _)) => {
                self.learn(latency, now);
                self.before = None;
                self.set(limit);
            }
            None if is_due && self.peak > half => {
                self.before = Some((self.limit, latency));
                self.set(half);
            }
            None => {
                if is_due || self.baseline.is_some_and(|(known, _)| latency < known) {
                    self.learn(latency, now);
                }
                let known = self.baseline.unwrap().0;
                let lower = over(self.limit, latency, known, &self.options);
                self.at_the_floor = if lower == Some(floor) { self.at_the_floor + 1 } else { 0 };
                if let Some(lower) = lower {
                    self.set(lower);
                } else if self.peak >= self.limit.div_ceil(2) {
                    self.set(higher(self.limit, latency, known, &self.options));
                }
            }
        }
    }

    fn learn(&mut self, latency: u64, now: u64) {
        let most = self.baseline.map_or(u64::MAX, |(known, _)| known.max(1) * 2);
        self.baseline = Some((latency.min(most), now));
    }

    fn step(&mut self, up: bool) {
        let from = self.before.take().map_or(self.limit, |(limit, _)| limit);
        self.set(if up { from * 2 } else { from / 2 });
    }

    fn follow(&mut self, options: AdaptiveLimitOptions) {
        self.options = options;
        if let Some((limit, _)) = &mut self.before {
            *limit = (*limit).clamp(self.options.bounds.min, self.options.bounds.max);
        }
        self.set(self.limit);
    }

    fn set(&mut self, limit: usize) {
        let limit = limit.clamp(self.options.bounds.min, self.options.bounds.max);
        if limit != self.limit {
            self.limit = limit;
            self.changes += 1;
            self.latencies.clear();
            self.peak = self.out.len();
        }
    }

    fn open(&mut self, now: u64) {
        self.latencies.clear();
        self.drops = 0;
        self.peak = self.out.len();
        self.opened = now;
    }
}

/// Both of them, at the same time.
struct Pair {
    control: Control,
    tags: Vec<Tag>,
    model: Model,
    origin: Instant,
    now: u64,
}

impl Pair {
    fn new(options: AdaptiveLimitOptions) -> Self {
        let origin = Instant::now();
        let control = Control::new(options.clone(), origin);
        Self { control, tags: Vec::new(), model: Model::new(options), origin, now: 0 }
    }

    fn time(&self) -> Instant {
        self.origin + Duration::from_nanos(self.now)
    }

    fn wait(&mut self, milliseconds: u64) {
        self.now += milliseconds * 1_000_000;
    }

    fn begin(&mut self) {
        self.tags.push(self.control.begin(self.time()));
        self.model.begin(self.now);
    }

    fn end(&mut self, which: usize, judgement: Judgement) {
        let tag = self.tags.remove(which);
        self.control.end(tag, judgement, self.time());
        self.model.end(which, judgement, self.now);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Begin => self.begin(),
            Event::End { which, judgement } => {
                if let Some(which) = which.checked_rem(self.tags.len()) {
                    self.end(which, judgement);
                }
            }
            Event::EndAll { milliseconds, judgement } => {
                self.wait(milliseconds);
                while !self.tags.is_empty() {
                    self.end(0, judgement);
                }
            }
            Event::Round { share, milliseconds, judgement } => {
                let room = (self.control.limit() / share).saturating_sub(self.tags.len());
                (0..room).for_each(|_| self.begin());
                self.happen(Event::EndAll { milliseconds, judgement });
            }
            Event::Wait { milliseconds } => self.wait(milliseconds),
            Event::Step(up) => {
                self.control.step(if up { Step::Double } else { Step::Halve });
                self.model.step(up);
            }
            Event::Bounds { min, more } => {
                let options = self.control.options().clone().bounds(min, min + more);
                self.control.follow(options.clone());
                self.model.follow(options);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_control_does_what_the_model_does(
        events in proptest::collection::vec(event(), 1..120),
        is_bounded in any::<bool>(),
        min_samples in 1_u32..6,
    ) {
        let options = AdaptiveLimitOptions::new()
            .bounds(2, 60)
            .initial(8)
            .min_samples(min_samples)
            .window(Duration::from_millis(20))
            .probe_every(Duration::from_secs(1));
        let options = if is_bounded { options.max_latency(Duration::from_secs(1)) } else { options };
        let mut pair = Pair::new(options);
        for event in events {
            let before = pair.control.limit();
            pair.happen(event);
            let (figures, model) = (pair.control.figures(), &pair.model);
            prop_assert_eq!(figures.limit, model.limit, "{:?} at {}", event, before);
            prop_assert_eq!(figures.is_probing, model.before.is_some());
            prop_assert_eq!(figures.in_flight, model.out.len());
            prop_assert_eq!(figures.baseline.map(|known| known.as_nanos()), model.baseline.map(|known| u128::from(known.0)));
            let bounds = pair.control.options().bounds;
            prop_assert!((bounds.min..=bounds.max).contains(&figures.limit));
        }
    }
}
